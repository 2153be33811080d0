"""Runs that belong together: those of an agent on a scenario, on several seeds, are its replications."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simoffload.record.durable import RecordError
from simoffload.record.manifest import COMPARISON_FILE, MANIFEST_FILE

from .account import Account, account, account_of_replications
from .runs import Run, open_run
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
    """The runs in directories of runs and of comparisons; RecordError for what is neither, or has no rows."""
    runs = [open_run(directory) for path in paths for directory in _directories(path)]
    without = [run.directory for run in runs if not run.has_rows]
    if without and len(without) == len(runs):
        raise RecordError(f"{without[0]} has no rows: run it with --records full")
    return [run for run in runs if run.has_rows]


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
    series = [series_of(run, name) for run in runs]
    empty = [run for run, values in zip(runs, series, strict=True) if not len(values)]
    if empty:
        raise RecordError(f"{empty[0].directory} has nothing to measure after its warm-up of {empty[0].warm_up_s:g} s")
    if len(series) == 1:
        return account(quantity(name), series[0], level, wanted)
    return account_of_replications(quantity(name), series, level, wanted)
