"""Where the latency of tasks went: a sum of parts for each task, and their means by stage and by node.

Two views add up to the same latency. Along its critical path a task waits for none of its own subtasks: the path is the
one for which the others wait. Side by side, each step of the path stands for all subtasks that became ready along with
it and were done by its end: the mean of their parts, and of their waits for that end, is just as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..runs import Columns, Floats, Run
from ..sources.database import real
from ..sources.rows import open_rows
from .paths import Indices, Paths, critical_paths

PARTS = ("transfer", "queueing", "swap", "prefill", "decode", "siblings", "home")
"""Input data on their way, waiting for service, loading a model, up to the first token, up to the last one, waiting
for subtasks that ran beside, and the answer's way home."""
_TASKS = ("task", "arrival_s", "finish_s", "subtasks")
_SUBTASKS = (
    "task",
    "subtask",
    "stage",
    "node",
    "ready_s",
    "entered_s",
    "start_s",
    "first_token_s",
    "finish_s",
    "swap_s",
)
_LINKS = ("task", "subtask", "delivered_s")
TASKS_AT_ONCE = 1 << 17
"""So many tasks of a run are held in memory."""


@dataclass(frozen=True, slots=True)
class LatencySplit:
    """Parts of the latencies of tasks, by the subtasks that they were spent on; all times in s.

    `seconds` has a row per step (a subtask) with a column for each of `PARTS`; `weight` is the share with which the
    step counts in its task. The way home is told of what ran beside the last step.
    """

    task: NDArray[np.int64]
    """Numbers of the tasks."""
    latency_s: Floats
    step_of: Indices
    """For each step the place of its task in `task`."""
    stage: NDArray[np.int8]
    node: NDArray[np.int32]
    weight: Floats
    seconds: Floats
    untraced: int
    """Tasks that were left out, because their rows do not lead back to their arrival."""

    @property
    def parts_s(self) -> Floats:
        """For each task its parts, [tasks, parts]: they add up to its latency."""
        sums = [np.bincount(self.step_of, self.weight * column, minlength=len(self.task)) for column in self.seconds.T]
        return np.stack(sums, axis=1)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Mean seconds of each part (a place in `PARTS`) per task; those of all stages, or nodes, add up to `mean_s`."""

    tasks: int
    untraced: int
    mean_s: Floats
    by_stage: Mapping[int, Floats]
    by_node: Mapping[int, Floats]

    @property
    def latency_s(self) -> float:
        """Mean latency: the sum of all parts."""
        return float(self.mean_s.sum())

    def part(self, *names: str) -> float:
        """Mean seconds of these parts together."""
        return float(sum(self.mean_s[PARTS.index(name)] for name in names))


def along_critical_path(tasks: Columns, subtasks: Columns, links: Columns | None = None) -> LatencySplit:
    """The latency of each task by the steps of its critical path: what would have to be faster for the task to be so.

    Columns are those of `critical_paths` and, of subtasks, `stage`, `node`, `entered_s`, `start_s`, `first_token_s` and
    `swap_s`. Nothing is waited for beside the path, so "siblings" is 0.
    """
    paths = critical_paths(tasks, subtasks, links)
    return _split(tasks, subtasks, paths, np.arange(len(paths.step)), paths.step, np.ones(len(paths.step)))


def side_by_side(tasks: Columns, subtasks: Columns, links: Columns | None = None) -> LatencySplit:
    """The latency of each task by all subtasks that ran beside the steps of its critical path, and those steps.

    Beside a step ran those that became ready at the same instant and ended no later; each counts equally and waits, as
    "siblings", until the step has ended. Columns as for `along_critical_path`.
    """
    paths = critical_paths(tasks, subtasks, links)
    task, ready, finish = subtasks["task"], subtasks["ready_s"], subtasks["finish_s"]
    order = np.lexsort((finish, ready, task))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    together = _runs_of(task[order], ready[order])
    tied = _runs_of(task[order], ready[order], finish[order])
    begin = np.searchsorted(together, together[place[paths.step]], side="left")
    sizes = np.searchsorted(tied, tied[place[paths.step]], side="right") - begin
    firsts = np.cumsum(sizes) - sizes
    rows = order[np.arange(int(sizes.sum())) + np.repeat(begin - firsts, sizes)]
    beside = np.repeat(np.arange(len(sizes)), sizes)
    return _split(tasks, subtasks, paths, beside, rows, np.repeat(1.0 / sizes, sizes))


def breakdown(splits: Iterable[LatencySplit]) -> Breakdown:
    """Means over all tasks of several splits, as over the chunks of a run or over runs of an agent; nan of no tasks."""
    tasks = untraced = 0
    total = np.zeros(len(PARTS))
    by_stage: dict[int, Floats] = {}
    by_node: dict[int, Floats] = {}
    for split in splits:
        tasks += len(split.task)
        untraced += split.untraced
        weighted = split.seconds * split.weight[:, None]
        total += weighted.sum(axis=0)
        for sums, keys in ((by_stage, split.stage), (by_node, split.node)):
            names, places = np.unique(keys, return_inverse=True)
            parts = np.stack([np.bincount(places, column, len(names)) for column in weighted.T], axis=1)
            for key, seconds in zip(names.tolist(), parts, strict=True):
                sums[key] = sums.get(key, 0.0) + seconds
    over = 1.0 / tasks if tasks else np.nan
    return Breakdown(
        tasks,
        untraced,
        total * over,
        {key: sums * over for key, sums in sorted(by_stage.items())},
        {key: sums * over for key, sums in sorted(by_node.items())},
    )


def critical_splits(run: Run, at_once: int = TASKS_AT_ONCE) -> Iterator[LatencySplit]:
    """`along_critical_path` of a run's measured tasks, some after the other; RecordError when it has no such rows."""
    for tasks, subtasks, links in _chunks(run, at_once):
        yield along_critical_path(tasks, subtasks, links)


def sibling_splits(run: Run, at_once: int = TASKS_AT_ONCE) -> Iterator[LatencySplit]:
    """`side_by_side` of the same."""
    for tasks, subtasks, links in _chunks(run, at_once):
        yield side_by_side(tasks, subtasks, links)


def _chunks(run: Run, at_once: int) -> Iterator[tuple[Columns, Columns, Columns]]:
    """Tasks that arrived after the warm-up and were completed, with what belongs to them, by ranges of numbers."""
    directory = run.directory
    with (
        open_rows(directory, "tasks") as tasks,
        open_rows(directory, "subtasks") as subtasks,
        open_rows(directory, "links") as links,
    ):
        if not tasks.count:
            return
        last = int(tasks.query("SELECT max(task) AS last FROM rows")["last"][0])
        measured = f"status = 0 AND arrival_s >= {real(run.warm_up_s)}"
        for first in range(0, last + 1, at_once):
            these = f"task BETWEEN {first} AND {first + at_once - 1}"
            yield (
                tasks.arrays(_TASKS, f"{these} AND {measured}"),
                subtasks.arrays(_SUBTASKS, these),
                links.arrays(_LINKS, these),
            )


def _split(
    tasks: Columns, subtasks: Columns, paths: Paths, beside: Indices, rows: Indices, weight: Floats
) -> LatencySplit:
    """The parts of subtasks in these rows, each of which ran beside a step, a place in `paths.step`."""
    finish = subtasks["finish_s"]
    marks = [subtasks[name][rows] for name in ("ready_s", "entered_s", "start_s", "first_token_s", "finish_s")]
    transfer, queueing, first, decode = (end - begin for begin, end in pairwise(marks))
    swap = np.minimum(subtasks["swap_s"][rows], first)
    siblings = finish[paths.step[beside]] - marks[-1]
    task = paths.step_of[beside]
    is_last = paths.step[beside] == paths.last[task]
    home = np.where(is_last, (tasks["finish_s"][paths.task] - finish[paths.last])[task], 0.0)
    return LatencySplit(
        tasks["task"][paths.task],
        tasks["finish_s"][paths.task] - tasks["arrival_s"][paths.task],
        task,
        subtasks["stage"][rows],
        subtasks["node"][rows],
        weight,
        np.stack([transfer, queueing, swap, first - swap, decode, siblings, home], axis=1),
        len(tasks["task"]) - len(paths.task),
    )


def _runs_of(*keys: NDArray[np.generic]) -> Indices:
    """Numbers of the runs of equal rows."""
    if not len(keys[0]):
        return np.empty(0, dtype=np.intp)
    changes = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return np.concatenate([[0], np.cumsum(changes)])
