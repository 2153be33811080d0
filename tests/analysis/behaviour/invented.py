"""Tasks made up of graphs, as their rows would be recorded, for Hypothesis to draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from simoffload.analysis.runs import Columns

STEPS = st.integers(0, 40).map(lambda k: k / 8)
LENGTHS = st.tuples(STEPS, STEPS, STEPS, STEPS, STEPS.map(lambda step: step + 0.125))
"""Transfer, queueing, swap, prefill, decode of a subtask."""
GRAPHS = st.lists(st.tuples(st.sets(st.integers(0, 5), max_size=3), LENGTHS), min_size=1, max_size=6)
"""Per subtask the numbers of its predecessors (those below its own count) and its lengths."""
TASKS = st.lists(st.tuples(STEPS, GRAPHS, STEPS), min_size=1, max_size=5)
"""Arrival, graph, and the way home of the last subtask."""

Graph = Sequence[tuple[set[int], tuple[float, ...]]]
TIMES = ("ready_s", "entered_s", "start_s", "first_token_s", "finish_s")


def records(made: Sequence[tuple[float, Graph, float]]) -> tuple[Columns, Columns]:
    """Rows of tasks and of subtasks, when each subtask begins as soon as its predecessors are done."""
    tasks: list[tuple[float, ...]] = []
    subtasks: list[tuple[float, ...]] = []
    for task, (arrival, graph, home) in enumerate(made):
        ends: list[float] = []
        for number, (before, (transfer, queueing, swap, prefill, decode)) in enumerate(graph):
            ready = max([arrival, *(ends[k] for k in before if k < number)])
            entered = ready + transfer
            start = entered + queueing
            first = start + swap + prefill
            ends.append(first + decode)
            subtasks.append(
                (task, number, number % 3, number % 2, ready, entered, start, first, ends[-1], swap)
            )  # fmt: skip
        tasks.append((task, arrival, max(ends) + home, len(graph)))
    whole = columns(("task", "arrival_s", "finish_s", "subtasks"), tasks)
    return whole, columns(("task", "subtask", "stage", "node", *TIMES, "swap_s"), subtasks)


def columns(names: Sequence[str], rows: Sequence[Sequence[float]]) -> Columns:
    """Rows as columns; what does not end in `_s` is whole."""
    array = np.array(rows, dtype=float).reshape(len(rows), len(names))
    return {
        name: column if name.endswith("_s") else column.astype(np.int64)
        for name, column in zip(names, array.T, strict=True)
    }


def shuffled(rows: Columns, seed: int) -> Columns:
    """The same rows in another order."""
    order = np.random.default_rng(seed).permutation(len(rows["task"]))
    return {name: column[order] for name, column in rows.items()}
