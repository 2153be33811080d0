"""What a record costs: CPU time per row of a subtask, and bytes per row on disk.

    python -m benchmarks.recording [TASKS, 20000 by default] > benchmarks/recording.md

The rows are those of a run of the smart factory, handed to a recorder again; the files are written as in a run. The
command prints where the bytes are, column by column, and how few there could be.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow import parquet

from simoffload.run.agents import load_agent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from simoffload.world.job import Job

from .horizon import REFERENCES
from .rounds import Program

ON_DISK = "row of a subtask: statistics, fingerprint, file"
NOT_KEPT = "row of a subtask: statistics, fingerprint"
AIM = 40.0
"""Bytes a row."""
BINS = 256

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of subtasks on disk, and the bytes of their files."""

    rows: int
    bytes: int


class Keeper(Recorder):
    """A recorder that keeps the jobs themselves."""

    jobs: list[Job]

    def subtask_done(self, job: Job) -> None:
        """Keep it."""
        self.jobs.append(job)


def jobs_of(scenario: Scenario) -> list[Job]:
    """The jobs of a run under `eft`, in the order in which they ended."""
    keeper = Keeper(scenario.objective, _nodes(scenario), scenario.warm_up, None, 0, _nothing)
    keeper.jobs = []
    world = World(scenario, load_agent("eft"), keeper)
    world.begin()
    world.kernel.advance(math.inf)
    return keeper.jobs


def programs(scenario: Scenario, jobs: Sequence[Job]) -> Sequence[Program]:
    """A recorder given all jobs, with and without files."""

    def on_disk() -> None:
        with tempfile.TemporaryDirectory() as directory:
            _record(scenario, jobs, Path(directory))

    return [
        Program(NOT_KEPT, len(jobs), lambda: _record(scenario, jobs, None)),
        Program(ON_DISK, len(jobs), on_disk),
    ]


def size_on_disk(scenario: Scenario, jobs: Sequence[Job]) -> Size:
    """The files of the subtasks."""
    with tempfile.TemporaryDirectory() as directory:
        _record(scenario, jobs, Path(directory))
        return Size(len(jobs), sum(part.stat().st_size for part in Path(directory, "subtasks").iterdir()))


def _record(scenario: Scenario, jobs: Sequence[Job], directory: Path | None) -> None:
    recorder = Recorder(scenario.objective, _nodes(scenario), scenario.warm_up, directory, 1, _nothing)
    for job in jobs:
        recorder.subtask_done(job)
    recorder.close()


def _nodes(scenario: Scenario) -> int:
    return len(scenario.edges) + len(scenario.clouds)


def _nothing(parts: Any) -> None:
    """Nobody is told of files."""


# ------------------------------------------------------------------------------------------------- column by column


def bytes_by_column(files: Iterable[Path]) -> dict[str, float]:
    """Bytes a row that each column takes in part files."""
    rows, sizes = 0, Counter[str]()
    for file in files:
        groups = parquet.ParquetFile(file).metadata
        rows += groups.num_rows
        for group in (groups.row_group(number) for number in range(groups.num_row_groups)):
            for column in (group.column(number) for number in range(group.num_columns)):
                sizes[column.path_in_schema] += column.total_compressed_size
    return {name: size / rows for name, size in sizes.items()}


def least_bytes(values: Floats, beside: Floats | float) -> float:
    """Bytes a value that numbers of 64 bits take at the least, when `beside` is known: an estimate of their entropy.

    Differences are spread evenly within each of 256 bins that hold equally many of them, and each may be any of the
    numbers of 64 bits there. Values that came before, equal ones and nan are taken to cost nothing.
    """
    _, new = np.unique(values, return_index=True)
    off = (values - beside)[new]
    told = ~np.isnan(off) & (off != 0)
    if not told.any():
        return 0.0
    off, gaps = off[told], np.spacing(np.abs(values[new][told]))
    edges = np.quantile(off, np.linspace(0.0, 1.0, BINS + 1))
    bins = np.clip(np.searchsorted(edges, off, side="right") - 1, 0, BINS - 1)
    choices = np.maximum(BINS * np.diff(edges)[bins] / gaps, 1.0)
    return float(np.log2(choices).sum()) / 8 / len(values)


def floors(columns: Mapping[str, Floats]) -> dict[str, float]:
    """The least bytes of the columns of times, bill and energy of subtasks, each beside the columns after it."""
    finish = columns["finish_s"]
    beside: dict[str, Floats | float] = {
        "ready_s": columns["start_s"],
        "entered_s": columns["start_s"],
        "start_s": columns["first_token_s"],
        "first_token_s": finish,
        "finish_s": np.concatenate(([0.0], finish[:-1])),
        "expected_finish_s": finish,
        "cost_usd": 0.0,
        "energy_j": 0.0,
    }
    return {name: least_bytes(columns[name], known) for name, known in beside.items()}


def page(rows: int, stored: Mapping[str, float], least: Mapping[str, float]) -> str:
    """The table of columns."""
    floor = sum(least.get(name, size) for name, size in stored.items())
    lines = [
        f"# Bytes of {rows} rows of subtasks",
        "",
        f"Smart factory under `eft`: {sum(stored.values()):.1f} bytes a row, and {floor:.1f} at the least; wanted: "
        f"{AIM:g}. 'At the least' is an estimate of what the numbers of 64 bits hold that nothing else in the rows "
        "tells, column by column: of an instant the time to the one beside it, to the last of its bits. Parquet has no "
        "differences of floats, so an instant pays for what it shares with its row. That the bill follows from energy "
        "and tokens is not counted: a file without it would be smaller by its bytes, and one without rounding that has "
        "it does not get below the sum.",
        "",
        "| column | bytes a row | at the least |",
        "| --- | ---: | ---: |",
    ]
    for name, size in sorted(stored.items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {size:.2f} | {f'{least[name]:.2f}' if name in least else ''} |")
    return "\n".join(lines)


def main() -> None:
    """Print it."""
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    scenario = load_scenario("smart-factory", [REFERENCES, f"horizon={{tasks: {tasks}}}"])
    jobs = jobs_of(scenario)
    with tempfile.TemporaryDirectory() as directory:
        _record(scenario, jobs, Path(directory))
        files = sorted(Path(directory, "subtasks").iterdir())
        table = parquet.read_table(files)
        columns = {name: table[name].to_numpy() for name in table.column_names}
        print(page(table.num_rows, bytes_by_column(files), floors(columns)))


if __name__ == "__main__":
    main()
