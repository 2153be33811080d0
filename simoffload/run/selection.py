"""A race of agents over seeds: who is beaten is not simulated further, so that the best is found with fewer runs.

Who is beaten, a race says, which is given (`simoffload.analysis.selection` has one). It sees the seeds one by one in
their order, so what it finds does not depend on the number of workers; idle ones run ahead on the next seeds, in vain
where an agent drops out before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..schema import Scenario
from .agents import load_agent
from .comparison import job_of, results_of, write_results
from .references import with_references
from .replications import Interrupted, NothingMeasured, Runners, Share

Summary = dict[str, Any]
SEEDS = 2**63
"""Seeds are smaller than this; after the last comes 0."""


class Race(Protocol):
    """Says who goes on."""

    @property
    def left(self) -> Sequence[str]:
        """Agents in the race; it is over when there is one."""

    @property
    def first_stage(self) -> int:
        """Seeds that all agents are needed on."""

    @property
    def replications(self) -> int:
        """Results taken."""

    @property
    def forecast(self) -> int | None:
        """Results that it expects to take in all; None where it knows nothing."""

    def take(self, results: Mapping[str, float]) -> None:
        """The objectives of the agents in `left` on the next seed."""


@dataclass(frozen=True, slots=True)
class Lap:
    """How far a race has come."""

    seeds: int
    """That all agents in the race have finished."""
    left: int
    """Agents in the race."""
    share: float
    """Of the replications that are expected, or of the first stage, from 0 to 1."""
    wall_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What a race may spend; the first stage is always finished."""

    seeds: float = math.inf
    wall_s: float = math.inf


@dataclass(slots=True)
class Outcome:
    """How a race ended."""

    reason: str
    """`reached`, `budget` or `interrupted`."""
    made: int
    """Runs that were finished, those ahead in vain included."""
    summaries: dict[str, list[Summary]] = field(default_factory=dict)
    """Of the results taken, by agent."""


Watch = Callable[[Lap], bool]


def select(
    scenario: Scenario,
    race: Race,
    directory: Path | None = None,
    workers: int = 1,
    watch: Watch | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """Simulate the agents of a race on the scenario's seed and those after it until one is left, or as the limits say.

    A directory becomes that of a comparison over the seeds that all agents have in common. `watch` ends the race by
    returning False. Errors as for `compare`, and NothingMeasured.
    """
    began = time.perf_counter()
    limits = limits or Limits()
    agents = list(race.left)
    for name in agents:
        load_agent(name)
    scenario = with_references(scenario)
    outcome = Outcome("", 0, {name: [] for name in agents})
    first_goal = race.first_stage * len(agents)
    seeds = 0

    def goes_on(ended: float) -> bool:
        wall_s = time.perf_counter() - began
        share = min((race.replications + ended) / (race.forecast or first_goal), 1.0)
        return watch is None or watch(Lap(seeds, len(race.left), share, wall_s))

    def look(share: Share) -> bool:
        return goes_on(share.share * share.total)

    with Runners(min(workers, first_goal)) as runners:
        while not outcome.reason:
            names = list(race.left)
            ahead = race.first_stage if seeds == 0 else max(1, workers // len(names))
            numbers = [seeds + n for n in range(ahead) if n == 0 or seeds + n < limits.seeds]
            jobs = [
                job_of(scenario, name, (scenario.seed + number) % SEEDS, number == 0, directory)
                for number in numbers
                for name in names
            ]
            try:
                found = runners.run(jobs, look)
            except Interrupted:
                outcome.reason = "interrupted"
                break
            outcome.made += len(found)
            seeds += _taken(race, names, found, outcome)
            if len(race.left) == 1:
                outcome.reason = "reached"
            elif seeds >= limits.seeds or time.perf_counter() - began >= limits.wall_s:
                outcome.reason = "budget"
            elif not goes_on(0.0):
                outcome.reason = "interrupted"
    common = min(len(summaries) for summaries in outcome.summaries.values())
    status = "incomplete" if outcome.reason == "interrupted" else "complete"
    shared = {name: summaries[:common] for name, summaries in outcome.summaries.items()}
    write_results(results_of(scenario, shared, status, time.perf_counter() - began), directory)
    return outcome


def _taken(race: Race, names: Sequence[str], found: Sequence[Summary], outcome: Outcome) -> int:
    """Give the race one seed after the other, each with all its agents; the number of seeds that it took."""
    many = len(names)
    for seed in range(len(found) // many):
        if len(race.left) == 1:
            return seed
        of_seed = dict(zip(names, found[seed * many : (seed + 1) * many], strict=True))
        racing = list(race.left)
        race.take({name: _objective(name, of_seed[name]) for name in racing})
        for name in racing:
            outcome.summaries[name].append(of_seed[name])
    return len(found) // many


def _objective(agent: str, summary: Summary) -> float:
    mean: float | None = summary["objective"]["mean"]
    if mean is None:
        raise NothingMeasured(agent, summary["seed"])
    return mean
