"""Time and peak memory of analysing the rows of many tasks: sums, quantiles, intervals, and the split of latencies.

    python benchmarks/analysis.py [MILLIONS OF TASKS, 10 by default] > benchmarks/analysis.md

On Linux, which knows the memory.

The rows are made up and written as Parquet into a temporary folder first; a tenth as many tasks, with six subtasks
each, are split along their critical paths. Every question is asked in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from simoffload.analysis.account import share_name
from simoffload.analysis.behaviour.latency_split import LatencySplit, along_critical_path, breakdown
from simoffload.analysis.columns import account_of_files
from simoffload.analysis.numbers import plus_minus
from simoffload.analysis.sources.rows import open_rows
from simoffload.record.rows import SUBTASKS, TASKS, Layout

Rows = np.ndarray[Any, Any]

CHUNK = 1 << 18
TIMES = ("ready_s", "entered_s", "start_s", "first_token_s", "finish_s")
STAGES = (3, 2, 1)
"""Subtasks side by side in each stage, each of which waits for all of the one before."""


def write(path: Path, layout: Layout, tasks: int, rows: Callable[[Rows, np.random.Generator], Rows]) -> None:
    """Rows of so many tasks, a chunk at a time."""
    generator = np.random.default_rng(1)
    schema = pa.schema([(column.name, pa.type_for_alias(column.arrow_type)) for column in layout.columns])
    with parquet.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for first in range(0, tasks, CHUNK):
            made = rows(np.arange(first, min(first + CHUNK, tasks)), generator)
            writer.write_table(pa.table({name: made[name] for name in schema.names}, schema=schema))


def task_rows(numbers: Rows, generator: np.random.Generator) -> Rows:
    """Tasks one a second; latencies lognormal."""
    rows = np.zeros(len(numbers), dtype=TASKS.dtype)
    rows["task"], rows["home"], rows["subtasks"] = numbers, numbers % 16, sum(STAGES)
    rows["arrival_s"] = numbers
    rows["latency_s"] = generator.lognormal(2.0, 1.0, len(numbers))
    rows["finish_s"] = rows["arrival_s"] + rows["latency_s"]
    rows["cost_usd"] = generator.exponential(0.001, len(numbers))
    return rows


def subtask_rows(numbers: Rows, generator: np.random.Generator) -> Rows:
    """Subtasks of tasks one a second, in the order of their ends."""
    ready = numbers.astype(float)
    made = []
    for stage, width in enumerate(STAGES):
        siblings = []
        for _ in range(width):
            rows = np.zeros(len(numbers), dtype=SUBTASKS.dtype)
            rows["task"], rows["subtask"], rows["stage"] = numbers, len(made) + len(siblings), stage
            rows["node"] = generator.integers(0, 16, len(numbers))
            rows["ready_s"] = ready
            steps = generator.exponential(1.0, (len(TIMES) - 1, len(numbers)))
            for name, instant in zip(TIMES[1:], ready + np.cumsum(steps, axis=0), strict=True):
                rows[name] = instant
            siblings.append(rows)
        ready = np.max([rows["finish_s"] for rows in siblings], axis=0)
        made += siblings
    found = np.concatenate(made)
    return found[np.argsort(found["finish_s"], kind="stable")]


def count(folder: Path) -> str:
    """Open and count."""
    with open_rows(folder / "tasks.parquet") as rows:
        return f"{rows.count} rows"


def sums(folder: Path) -> str:
    """Compensated sums of two columns."""
    with open_rows(folder / "tasks.parquet") as rows:
        return f"mean latency {rows.sums('latency_s').mean}, cost {rows.sums('cost_usd').sum}"


def quantiles(folder: Path) -> str:
    """Exact quantiles."""
    with open_rows(folder / "tasks.parquet") as rows:
        return " ".join(map(str, rows.quantiles("latency_s", (0.5, 0.9, 0.95, 0.99, 0.999)).tolist()))


def by_home(folder: Path) -> str:
    """Means by group."""
    with open_rows(folder / "tasks.parquet") as rows:
        found = rows.query("SELECT home, fsum(latency_s) / count(*) AS mean FROM rows GROUP BY home ORDER BY home")
        return f"{len(found['home'])} groups, first {found['mean'][0]}"


def everything(folder: Path) -> str:
    """A whole column as an array."""
    with open_rows(folder / "tasks.parquet") as rows:
        return f"mean {rows.array('latency_s').mean()}"


def intervals(folder: Path) -> str:
    """Mean and five quantiles of a column with intervals."""
    found = account_of_files([folder / "tasks.parquet"], "latency_s", None, 0.95, 0.05)
    states = {"mean": found.mean} | {share_name(share): state for share, state in found.quantiles.items()}
    return ", ".join(f"{name} {plus_minus(state.value, state.half_width)}" for name, state in states.items())


def split(folder: Path) -> str:
    """Critical paths of all tasks, by chunks."""
    names = ["task", "subtask", "stage", "node", *TIMES, "swap_s"]
    with open_rows(folder / "subtasks.parquet") as rows:
        tasks = int(rows.query("SELECT max(task) AS n FROM rows")["n"][0]) + 1

        def pieces() -> Iterator[LatencySplit]:
            for first in range(0, tasks, CHUNK // 2):
                subtasks = rows.arrays(names, f"task BETWEEN {first} AND {first + CHUNK // 2 - 1}")
                numbers = np.arange(first, min(first + CHUNK // 2, tasks))
                ends = np.zeros(len(numbers))
                np.maximum.at(ends, subtasks["task"] - first, subtasks["finish_s"])
                whole = {
                    "task": numbers, "arrival_s": numbers.astype(float), "finish_s": ends,
                    "subtasks": np.full(len(numbers), sum(STAGES)),
                }  # fmt: skip
                yield along_critical_path(whole, subtasks)

        found = breakdown(pieces())
    return f"{found.tasks} tasks, {found.untraced} untraced, mean {found.latency_s:.6f} s"


def measured(question: Callable[[Path], str], folder: Path, answers: Connection) -> None:
    """Answer, wall and CPU time in s, and the most memory that the process has had, MB."""
    began, worked = time.perf_counter(), time.process_time()
    answer = question(folder)
    elapsed, worked = time.perf_counter() - began, time.process_time() - worked
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    answers.send((answer, elapsed, worked, peak_kb / 1024))


def main() -> None:
    """Print a table of what each question takes."""
    tasks = int(1e6 * float(sys.argv[1] if len(sys.argv) > 1 else 10))
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "tasks.parquet", TASKS, tasks, task_rows)
        write(folder / "subtasks.parquet", SUBTASKS, tasks // 10, subtask_rows)
        megabytes = (folder / "tasks.parquet").stat().st_size / 1e6
        print(
            f"Analysis of {tasks:,} rows of tasks ({megabytes:,.0f} MB of Parquet), and of {tasks * 6 // 10:,} of "
            f"subtasks, by\n\n    python benchmarks/analysis.py {tasks / 1e6:g}\n\n"
            "Each question is asked in a process of its own, whose most memory is told; DuckDB may use 1 GB of it.\n\n"
            "| question | wall, s | CPU, s | memory, MB | answer |\n| --- | ---: | ---: | ---: | --- |"
        )
        for question in (count, sums, quantiles, by_home, everything, intervals, split):
            receiver, sender = spawn.Pipe(duplex=False)
            process = spawn.Process(target=measured, args=(question, folder, sender))
            process.start()
            answer, elapsed, worked, megabytes = receiver.recv()
            process.join()
            told = (question.__doc__ or "").rstrip(".").lower()
            print(f"| {told} | {elapsed:.1f} | {worked:.1f} | {megabytes:.0f} | {answer} |", flush=True)
    software = f"Python {platform.python_version()}, NumPy {np.__version__}, pyarrow {pa.__version__}"
    print(f"\n{os.cpu_count()} cores; {software}.")


if __name__ == "__main__":
    main()
