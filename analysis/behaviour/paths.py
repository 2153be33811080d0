"""Critical paths of tasks, read from the records alone.

A subtask becomes ready at the very instant its last predecessor finishes, so its `ready_s` equals, bit for bit, the
`finish_s` of that predecessor; a source is ready at the task's arrival. Going back from the subtask whose answer was
the last to come home gives the chain that made the task as long as it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..runs import Columns, Floats

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Paths:
    """Critical paths: steps from the ends of tasks to their arrivals, each step a subtask."""

    task: Indices
    """Rows of the tasks that could be traced."""
    last: Indices
    """For each of these its last step, as a row of the subtasks."""
    step_of: Indices
    """For each step the place of its task in `task`."""
    step: Indices
    """For each step its row of the subtasks."""


def critical_paths(tasks: Columns, subtasks: Columns, links: Columns | None = None) -> Paths:
    """The paths of those tasks that have all their rows, and whose way leads back to their arrival.

    Needs of tasks `task`, `arrival_s`, `finish_s`, `subtasks`; of subtasks `task`, `subtask`, `ready_s`, `finish_s`.
    Rows come in any order. Without `links` (`task`, `subtask`, `delivered_s`) the last step is the subtask that ended
    last, as it is in a task with one sink; with them, one whose answer arrived at the task's end.
    """
    known = np.flatnonzero(whole_tasks(tasks, subtasks["task"]))
    number, end_s = tasks["task"][known], tasks["finish_s"][known]
    last = _last_rows(number, subtasks)
    if links is not None:
        last = _last_home(number, end_s, subtasks, links, last)
    back = last_predecessors(subtasks["task"], subtasks["ready_s"], subtasks["finish_s"])
    places, rows = [], []
    begin_s = np.empty(len(known))
    place, row = np.arange(len(known)), last
    while len(row):
        places.append(place)
        rows.append(row)
        begin_s[place] = subtasks["ready_s"][row]
        row = back[row]
        place, row = place[row >= 0], row[row >= 0]
    traced = begin_s == tasks["arrival_s"][known]
    new_place = np.cumsum(traced) - 1
    step_of = np.concatenate(places) if places else np.empty(0, dtype=np.intp)
    step = np.concatenate(rows) if rows else np.empty(0, dtype=np.intp)
    kept = traced[step_of]
    return Paths(known[traced], last[traced], new_place[step_of[kept]], step[kept])


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


def whole_tasks(tasks: Columns, subtasks: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which tasks have all rows of their subtasks; a run that was killed may have kept a task without them."""
    ordered = np.sort(subtasks)
    rows = np.searchsorted(ordered, tasks["task"], "right") - np.searchsorted(ordered, tasks["task"], "left")
    whole: NDArray[np.bool_] = (rows >= tasks["subtasks"]) & (rows > 0)
    return whole


def _last_rows(number: NDArray[np.int64], subtasks: Columns) -> Indices:
    """For each task the row of the subtask that ended last."""
    order = np.lexsort((subtasks["finish_s"], subtasks["task"]))
    return order[np.searchsorted(subtasks["task"], number, side="right", sorter=order) - 1]


def _last_home(
    number: NDArray[np.int64], end_s: Floats, subtasks: Columns, links: Columns, otherwise: Indices
) -> Indices:
    """For each task the row of the subtask whose answer a link delivered at the task's end; `otherwise` if none."""
    if not len(number) or not len(links["task"]):
        return otherwise
    by_number = np.argsort(number, kind="stable")
    place = by_number[np.minimum(np.searchsorted(number, links["task"], sorter=by_number), len(number) - 1)]
    ends = np.flatnonzero((number[place] == links["task"]) & (end_s[place] == links["delivered_s"]))
    width = int(max(subtasks["subtask"].max(), links["subtask"].max())) + 1
    keys = subtasks["task"] * width + subtasks["subtask"]
    by_key = np.argsort(keys, kind="stable")
    wanted = links["task"][ends] * width + links["subtask"][ends]
    found = by_key[np.minimum(np.searchsorted(keys, wanted, sorter=by_key), len(keys) - 1)]
    there = keys[found] == wanted
    rows = otherwise.copy()
    rows[place[ends[there]]] = found[there]
    return rows
