"""How near does an agent come to the best routing there is? Measured on `theory/routing`, which value iteration solves.

    python studies/routing/routing.py > studies/routing/results.md

Every scheme that learns is trained from three seeds with 10 000 decisions (prices with two generations of as many). All
agents then meet the same jobs on held-out seeds. Counted is also how often an agent chose what the best table says for
the queues that it met. It takes half an hour on two cores.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.agents.bounds.routing import ByTable, routing_of
from simoffload.agents.bounds.value_iteration import solve
from simoffload.agents.learning.scheme import Scheme
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.learning.settings import TrainingSettings
from simoffload.agents.learning.validation import from_empty, measure
from simoffload.decision import Agent, Decision
from simoffload.estimates import mean_and_half_width
from simoffload.run.agents import load_agent
from simoffload.schema import Scenario, load_scenario

SEEDS, JOBS = range(8001, 8013), 5000
TRAININGS = (1, 2, 3)
BUDGET = TrainingSettings(
    batches=10, episodes=4, tasks=250, validate_every=10, validation_seeds=1, validation_tasks=100
)
CHANGES = {"orders": False, "kappa": 1.0, "actor_rate": 1e-2, "trace": 0.9}
"""For a small budget and jobs of one second, of each scheme those that it has; orders change nothing here."""
RULES = (
    "weighted-greedy", "critical-path", "eft", "peft", "threshold-router", "join-shortest-queue", "all-edge",
    "all-cloud", "round-robin", "random",
)  # fmt: skip


class Watched:
    """Plays an agent, and counts how often the table would have done the same."""

    def __init__(self, agent: Agent, table: NDArray[np.intp]) -> None:
        self._agent, self._best = agent, ByTable(table)
        self.order = agent.order
        self.same = self.asked = 0

    def reset(self, setting: Any, generator: np.random.Generator) -> None:
        """A run begins; the table remembers nothing."""
        self._agent.reset(setting, generator)

    def decide(self, seen: Any) -> Decision:
        """What the agent says."""
        decision = self._agent.decide(seen)
        self.asked += 1
        self.same += decision.choice == self._best.decide(seen).choice
        return decision


@dataclass(frozen=True, slots=True)
class Met:
    """A run: mean cost of a job, and the share of decisions that the table would have made."""

    cost: float
    same: float


def learned(scheme: Scheme, scenario: Scenario, seed: int, directory: Path) -> str:
    """The name of a policy that this training has left."""
    known = {field.name for field in fields(scheme.settings)}
    changed = replace(scheme.settings, **{name: value for name, value in CHANGES.items() if name in known})
    replace(scheme, settings=changed).training([scenario], BUDGET, seed, directory).run(2, lambda *_: True)
    return f"trained:{directory / 'policy'}"


def meet(scenario: Scenario, agent: str | NDArray[np.intp], table: NDArray[np.intp], seed: int) -> Met:
    """A run of an agent, or of a table."""
    player = Watched(load_agent(agent) if isinstance(agent, str) else ByTable(agent), table)
    cost = measure(from_empty(scenario, seed, JOBS), player)
    return Met(cost, player.same / player.asked)


def line(name: str, runs: list[list[Met]], best: list[Met], least: float) -> tuple[float, str]:
    """Mean cost and a row of the table; `runs` are of each training, by seed."""
    costs = np.mean([[met.cost for met in each] for each in runs], axis=0)
    mean, half_width = mean_and_half_width(costs.tolist(), 0.95)
    above = [100 * (cost / met.cost - 1) for cost, met in zip(costs, best, strict=True)]
    excess, excess_half_width = mean_and_half_width(above, 0.95)
    same = 100 * np.mean([met.same for each in runs for met in each])
    each = ", ".join(f"{np.mean([met.cost for met in one]):.3f}" for one in runs) if len(runs) > 1 else "-"
    text = f"| {name} | {mean:.3f} ± {half_width:.3f} | {each} | {mean / least:.3f} "
    return mean, f"{text}| {excess:.1f} ± {excess_half_width:.1f} | {same:.1f} |"


def main() -> None:
    """Print the table."""
    began = time.perf_counter()
    scenario = load_scenario("theory/routing")
    solution = solve(routing_of(scenario))
    with tempfile.TemporaryDirectory() as place, ProcessPoolExecutor(2) as pool:
        players: dict[str, list[Any]] = {"the best table": [solution.table]} | {rule: [rule] for rule in RULES}
        for name, scheme in SCHEMES.items():
            players[name] = [learned(scheme, scenario, seed, Path(place) / f"{name}-{seed}") for seed in TRAININGS]
        runs = {
            name: [list(pool.map(partial(meet, scenario, player, solution.table), SEEDS)) for player in each]
            for name, each in players.items()
        }
    (best,) = runs["the best table"]
    rows = sorted(line(name, each, best, solution.cost_per_job) for name, each in runs.items())
    decisions = BUDGET.batches * BUDGET.episodes * BUDGET.tasks
    print(f"""# How near to the best routing?

`python studies/routing/routing.py`: `theory/routing`, whose least mean cost per job is {solution.cost_per_job:.5f} by
value iteration. Held-out seeds {SEEDS[0]} to {SEEDS[-1]}, {JOBS} jobs each from an empty plant, on which all agents
meet the same; ± is half of a 95 % interval over them, with these trainings. Schemes that learn had {decisions}
decisions a training, the tuned index two generations of as many; they count on each seed with the mean of their
trainings. "As the table": of an agent's decisions those, in %, that the best table would have made there.

| agent | cost per job | of each training | to the least | above the best table on the same jobs, % | as the table, % |
| --- | ---: | ---: | ---: | ---: | ---: |""")
    for _, text in rows:
        print(text)
    print(f"\n{time.perf_counter() - began:.0f} s on two cores shared with other work.")


if __name__ == "__main__":
    main()
