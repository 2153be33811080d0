"""Runs that belong together: those of an agent on a scenario, on several seeds, are its replications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simoffload.record.durable import RecordError
from simoffload.record.manifest import COMPARISON_FILE, MANIFEST_FILE

from .account import Account, account_of_batches, account_of_runs
from .overload import explained
from .runs import Run, latency_batches, open_run
from .series import quantity, series_of

Key = tuple[str, str]
"""Scenario and agent."""


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one agent on one scenario, by seed, and what they come to."""

    scenario: str
    agent: str
    runs: tuple[Run, ...]
    accounts: tuple[Account, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """In rising order."""
        return tuple(run.summary.seed for run in self.runs)


def open_runs(paths: Iterable[Path]) -> list[Run]:
    """The runs in directories of runs and of comparisons, of the latter those that kept rows if any did.

    RecordError for what is neither.
    """
    found = []
    for path in paths:
        runs = [open_run(directory) for directory in _directories(path)]
        found += [run for run in runs if run.has_rows] or runs
    return found


def _directories(path: Path) -> list[Path]:
    if (path / MANIFEST_FILE).is_file():
        return [path]
    if (path / COMPARISON_FILE).is_file():
        return sorted(each.parent for each in path.glob(f"runs/*/*/{MANIFEST_FILE}"))
    raise RecordError(f"'{path}' is no result: it has neither {COMPARISON_FILE} nor {MANIFEST_FILE}")


def grouped(runs: Iterable[Run]) -> Mapping[Key, list[Run]]:
    """Runs by scenario and agent, each group by seed; RecordError where a seed is there twice."""
    groups: dict[Key, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.summary.seed):
        group = groups.setdefault((run.summary.scenario, run.summary.agent), [])
        if group and group[-1].summary.seed == run.summary.seed:
            raise RecordError(f"{run.directory} and {group[-1].directory} are of one seed; replications need their own")
        group.append(run)
    return groups


def accounted(runs: Iterable[Run], names: Sequence[str], level: float, wanted: float) -> list[Group]:
    """All groups with their accounts of the quantities of these names."""
    return [
        Group(scenario, agent, tuple(group), tuple(_account(group, name, level, wanted) for name in names))
        for (scenario, agent), group in grouped(runs).items()
    ]


def _account(runs: Sequence[Run], name: str, level: float, wanted: float) -> Account:
    without = [run for run in runs if not run.has_rows]
    if without:
        return _account_without_rows(without[0], len(runs), name, level, wanted)
    series = [series_of(run, name) for run in runs]
    empty = [run for run, values in zip(runs, series, strict=True) if not len(values)]
    if empty:
        raise RecordError(f"{empty[0].directory} has nothing to measure after its warm-up of {empty[0].warm_up_s:g} s")
    return explained(account_of_runs(quantity(name), series, level, wanted), runs[0])


def _account_without_rows(run: Run, runs: int, name: str, level: float, wanted: float) -> Account:
    """Of the latencies that every summary keeps in batches, one run at a time."""
    if name != "latency" or runs > 1:
        what = "runs are taken together by their rows" if name == "latency" else "without rows only latency is known"
        raise RecordError(f"{run.directory} has no rows, and {what}: run it with --records full")
    batches = latency_batches(run)
    if not batches.count:
        raise RecordError(f"{run.directory} has nothing to measure after its warm-up of {run.warm_up_s:g} s")
    return explained(account_of_batches(quantity(name), batches, level, wanted), run)
