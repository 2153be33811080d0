"""Runs that belong together: those of an agent on a scenario, on several seeds, are its replications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simoffload.record.durable import RecordError
from simoffload.record.manifest import COMPARISON_FILE, MANIFEST_FILE

from .account import Account, account_of_batches, account_of_runs
from .numbers import counted
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
    caveats: tuple[str, ...]
    """What must be known of the runs before their numbers are used, a sentence each."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """In rising order."""
        return tuple(run.summary.seed for run in self.runs)


def open_runs(paths: Iterable[Path]) -> list[Run]:
    """The runs in directories of runs and of comparisons; RecordError for what is neither."""
    return [open_run(directory) for path in paths for directory in _directories(path)]


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
    """All groups with their accounts of the quantities of these names, of runs that kept rows if any of a group did."""
    found = []
    for (scenario, agent), group in grouped(runs).items():
        told = [run for run in group if run.has_rows] or group
        accounts = tuple(_account(told, name, level, wanted) for name in names)
        found.append(Group(scenario, agent, tuple(told), accounts, tuple(_caveats(told, len(group)))))
    return found


def _caveats(told: Sequence[Run], seeds: int) -> Iterator[str]:
    if len(told) < seeds:
        yield f"The numbers are of {len(told)} of {seeds} seeds: the others kept no rows."
    for run in told:
        if not run.is_complete:
            status = run.manifest.status if run.manifest.status != "complete" else run.summary.status
            yield f"The run of seed {run.summary.seed} is {status}: what was under way at its end is in no number."
    faults = [run.summary.faults for run in told if run.summary.faults is not None]
    dropped = sum(each.dropped for each in faults)
    if dropped:
        measured = dropped + sum(run.summary.tasks.measured for run in told)
        yield (
            f"{dropped} of {counted(measured, 'measured task')} were dropped: they have no latency, but count in "
            "objective, cost and energy."
        )
    for one_in in sorted({run.manifest.kept_one_in for run in told} - {0, 1}):
        yield f"Rows are kept of one task in {one_in}."


def _account(runs: Sequence[Run], name: str, level: float, wanted: float) -> Account:
    without = [run for run in runs if not run.has_rows]
    if without or (name == "latency" and len(runs) == 1 and runs[0].manifest.kept_one_in > 1):
        return _account_without_rows((without or runs)[0], len(runs), name, level, wanted)
    series = [series_of(run, name) for run in runs]
    empty = [run for run, values in zip(runs, series, strict=True) if not len(values)]
    if empty:
        raise RecordError(f"{empty[0].directory} has nothing to measure after its warm-up of {empty[0].warm_up_s:g} s")
    found = explained(account_of_runs(quantity(name), series, level, wanted), runs[0])
    return replace(found, one_in=max(run.manifest.kept_one_in for run in runs))


def _account_without_rows(run: Run, runs: int, name: str, level: float, wanted: float) -> Account:
    """Of all its latencies, which every summary keeps in batches, one run at a time."""
    if name != "latency" or runs > 1:
        what = "runs are taken together by their rows" if name == "latency" else "without rows only latency is known"
        raise RecordError(f"{run.directory} has no rows, and {what}: run it with --records full")
    batches = latency_batches(run)
    if not batches.count:
        raise RecordError(f"{run.directory} has nothing to measure after its warm-up of {run.warm_up_s:g} s")
    return explained(account_of_batches(quantity(name), batches, level, wanted), run)
