"""Critical paths of tasks, read from the records alone.

A subtask becomes ready at the very instant its last predecessor finishes, so its `ready_s` equals, bit for bit, the
`finish_s` of that predecessor; a source is ready at the task's arrival. Going back from the subtask that finished last
gives the chain that made the task as long as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .runs import Columns, Floats, Run, read_columns

Indices = NDArray[np.intp]

_TASKS = ("task", "arrival_s", "finish_s", "status", "subtasks")
_SUBTASKS = ("task", "ready_s", "entered_s", "start_s", "finish_s")


@dataclass(frozen=True, slots=True)
class CriticalTimes:
    """Per measured task the times along its critical path, s: transfer_s + waiting_s + service_s = latency."""

    task: NDArray[np.int64]
    transfer_s: Floats
    waiting_s: Floats
    service_s: Floats

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return len(self.task)

    @property
    def parts_s(self) -> tuple[Floats, Floats, Floats]:
        """Transfer, waiting, service."""
        return self.transfer_s, self.waiting_s, self.service_s


def last_predecessors(task: NDArray[np.int64], ready_s: Floats, finish_s: Floats) -> Indices:
    """For each subtask the row of the one whose end made it ready, -1 for a source.

    Subtasks that took no time are passed over: their predecessors ended at the same instant, and time goes back with
    every step. Pairs (task, time) are held as complex numbers, which numpy orders by real part first.
    """
    candidates = np.flatnonzero(finish_s > ready_s)
    if not len(candidates):
        return np.full(len(task), -1, dtype=np.intp)
    ends = task[candidates] + 1j * finish_s[candidates]
    order = np.argsort(ends, kind="stable")
    wanted = task + 1j * ready_s
    found = order[np.minimum(np.searchsorted(ends, wanted, sorter=order), len(order) - 1)]
    return np.where(ends[found] == wanted, candidates[found], -1)


def trace_back(run: Run) -> CriticalTimes:
    """Times along the critical path of every task that arrived after warm-up, completed, and kept all its rows."""
    tasks = read_columns(run, "tasks", _TASKS)
    measured = (tasks["arrival_s"] >= run.warm_up_s) & (tasks["status"] == 0)
    subtasks = read_columns(run, "subtasks", _SUBTASKS)
    return critical_times({name: column[measured] for name, column in tasks.items()}, subtasks)


def critical_times(tasks: Columns, subtasks: Columns) -> CriticalTimes:
    """The same from columns in any order, of the tasks whose way can be traced back to their arrival."""
    order = np.lexsort((subtasks["finish_s"], subtasks["task"]))
    subtasks = {name: column[order] for name, column in subtasks.items()}
    last, known = _last_rows(tasks, subtasks["task"])
    back = last_predecessors(subtasks["task"], subtasks["ready_s"], subtasks["finish_s"])
    home = tasks["finish_s"][known] - subtasks["finish_s"][last]
    parts = [home, np.zeros(len(last)), np.zeros(len(last))]
    marks = [subtasks[name] for name in ("ready_s", "entered_s", "start_s", "finish_s")]
    begin_s = np.empty(len(last))
    at, row = np.arange(len(last)), last
    while len(row):
        for part, (begin, end) in zip(parts, pairwise(marks), strict=True):
            part[at] += end[row] - begin[row]
        begin_s[at] = subtasks["ready_s"][row]
        row = back[row]
        at, row = at[row >= 0], row[row >= 0]
    traced = begin_s == tasks["arrival_s"][known]
    return CriticalTimes(tasks["task"][known][traced], *(part[traced] for part in parts))


def whole_tasks(tasks: Columns, subtasks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which tasks have all rows of their subtasks; a run that was killed may have kept a task without them."""
    ordered = np.sort(subtasks)
    rows = np.searchsorted(ordered, tasks["task"], "right") - np.searchsorted(ordered, tasks["task"], "left")
    whole: NDArray[np.bool_] = (rows >= tasks["subtasks"]) & (rows > 0)
    return whole


def _last_rows(tasks: Columns, sorted_tasks: NDArray[np.int64]) -> tuple[Indices, NDArray[np.bool_]]:
    """The last row of each task in rows sorted by task, of those tasks that have all their rows."""
    whole = whole_tasks(tasks, sorted_tasks)
    return np.searchsorted(sorted_tasks, tasks["task"][whole], side="right") - 1, whole
