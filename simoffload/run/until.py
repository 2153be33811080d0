"""Going on until an estimate is precise enough: what a rule is asked, and replications that become more until it ends.

When that is, a rule says, which is given (`simoffload.analysis.stopping` has one). It serves one run that is made
longer (`simoffload.run.prolonging`) as well.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..record.batches import Batches
from ..record.manifest import run_directory
from ..record.measures import PER_1000
from ..schema import Scenario
from .comparison import results_of, write_results
from .references import with_references
from .replications import Interrupted, Job, NothingMeasured, Runners, Share

Summary = dict[str, Any]
SEEDS = 2**63
"""Seeds are smaller than this; after the last comes 0."""


class Rule(Protocol):
    """Says how long to go on."""

    @property
    def measure(self) -> str:
        """What it is about, one of `MEASURES`."""

    @property
    def first(self) -> int:
        """Tasks or replications before it is asked for the first time."""

    @property
    def forecast(self) -> int | None:
        """Where it expects to end; None where it knows nothing."""

    def see_batches(self, batches: Batches, tasks: int, wall_s: float) -> int:
        """The number of tasks at which it wants to be asked again; `tasks` for an end."""

    def see_replications(self, values: Sequence[float], wall_s: float) -> int:
        """The number of replications at which it wants to be asked again; their present number for an end."""

    def end(self, reason: str) -> None:
        """Something else has ended it: `interrupted`, or `no more tasks`."""

    def continue_from(self, saved: Any) -> None:
        """Take over what a rule like this one had seen when it was saved."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: what was asked for and has been seen."""

    def is_out_of_time(self, wall_s: float) -> bool:
        """Whether no more time may be spent."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """How far it has come, with what the rule says of the rest."""

    done: int
    """Tasks that have arrived, or replications that are finished."""
    share: float
    """Of what is expected, from 0 to 1; of the pilot until there is a forecast."""
    wall_s: float


Watch = Callable[[Stretch], bool]


def replicate_until(
    scenario: Scenario,
    agent: str,
    rule: Rule,
    value: Callable[[Summary], float],
    directory: Path | None = None,
    workers: int = 1,
    watch: Watch | None = None,
) -> list[Summary]:
    """Run on one seed after the other, from the scenario's on, until the rule ends it; the summaries.

    `value` is what the rule sees of a run, see `statistic`. A directory becomes that of a comparison of one agent. When
    `watch` asks for an end, or somebody kills it, the runs up to the last check count: among later ones the quick would
    come first. Runs under way when the time is over are finished. Errors as for `compare`, and NothingMeasured.
    """
    began = time.perf_counter()
    scenario = with_references(scenario)
    summaries: list[Summary] = []
    wanted = rule.first

    def look(share: Share) -> bool:
        finished = len(summaries) + share.share * share.total
        return watch is None or watch(stretch(rule, finished, wanted, time.perf_counter() - began))

    def keep(status: str) -> None:
        write_results(results_of(scenario, {agent: summaries}, status, time.perf_counter() - began), directory)

    with Runners(min(workers, wanted)) as runners:
        while len(summaries) < wanted:
            seeds = [(scenario.seed + n) % SEEDS for n in range(len(summaries), wanted)]
            try:
                summaries += runners.run([_job(scenario, agent, seed, directory) for seed in seeds], look)
            except Interrupted:
                rule.end("interrupted")
                keep("incomplete")
                return summaries
            wanted = rule.see_replications(_values(agent, summaries, value), time.perf_counter() - began)
            keep("incomplete" if len(summaries) < wanted else "complete")
    return summaries


def _values(agent: str, summaries: Sequence[Summary], value: Callable[[Summary], float]) -> list[float]:
    values = [value(summary) for summary in summaries]
    for summary, found in zip(summaries, values, strict=True):
        if math.isnan(found):
            raise NothingMeasured(agent, summary["seed"])
    return values


def statistic(measure: str, share: float | None) -> Callable[[Summary], float]:
    """What a summary says of a measure: its mean, or the quantile of a share; nan where nothing was measured.

    Summaries have quantiles of latencies alone: ValueError for another.
    """
    if share is not None:
        if measure != "latency":
            raise ValueError(f"a run's summary has quantiles of latency alone, of {measure} the mean")
        return lambda summary: Batches.from_dict(summary["latency_batches"]).sketch().quantile(share)
    means: Mapping[str, Callable[[Summary], float | None]] = {
        "latency": lambda summary: summary["latency_s"]["mean"],
        "objective": lambda summary: summary["objective"]["mean"],
        "cost": lambda summary: _scaled(summary["cost_usd"]["mean"]),
        "waiting": lambda summary: _over_stages(summary, "waiting_s"),
        "service": lambda summary: _over_stages(summary, "service_s"),
    }
    mean = means[measure]
    return lambda summary: _nan_for_none(mean(summary))


def _over_stages(summary: Summary, name: str) -> float | None:
    """Mean over the subtasks of all stages."""
    stages = [stage for stage in summary["stages"].values() if stage["count"]]
    count = sum(stage["count"] for stage in stages)
    return math.fsum(stage["count"] * stage[name]["mean"] for stage in stages) / count if count else None


def _scaled(cost_usd: float | None) -> float | None:
    return None if cost_usd is None else PER_1000 * cost_usd


def _nan_for_none(value: float | None) -> float:
    return math.nan if value is None else value


def _job(scenario: Scenario, agent: str, seed: int, directory: Path | None) -> Job:
    """The run on a seed, with the rows that the scenario keeps."""
    run = run_directory(directory, agent, seed) if directory is not None else None
    return Job(scenario.model_copy(update={"seed": seed}), agent, run)


def stretch(rule: Rule, done: float, agreed: int, wall_s: float) -> Stretch:
    """How far something has come that so many tasks or replications are agreed for."""
    expected = max(rule.forecast or agreed, agreed)
    return Stretch(int(done), min(done / expected, 1.0), wall_s)
