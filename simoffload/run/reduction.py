"""How a checkpoint takes apart what a world has thousands of: tasks, their courses, jobs and items.

A pickle remembers every list, set and dictionary that it meets, which takes most of its time; so these objects are
reduced to flat rows of values, and without what can be worked out again. They come back as they were.
"""

from __future__ import annotations

import copyreg
import operator
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

from ..decision.course import Course
from ..lazy import lazy
from ..tasks import Task
from ..world.item import Item
from ..world.job import Job

Reduced = tuple[Any, ...]
"""What `object.__reduce__` gives."""

_LISTS_OF_TASK = (
    "prompt", "output", "expected_output", "payload_bytes", "demand_s", "expected_demand_s", "difficulty", "luck",
    "api_noise",
)  # fmt: skip
_REST_OF_TASK = tuple(field.name for field in fields(Task) if field.name not in _LISTS_OF_TASK)
_LISTS_OF_COURSE = "missing", "answers", "payloads", "jobs", "right"
_LEFT_OUT_OF_COURSE = frozenset(name for name, value in vars(Course).items() if isinstance(value, lazy)).union(
    _LISTS_OF_COURSE
) - {"expected_end_s"}
"""Lists, and what has been worked out; the expected end is set by decisions, too."""

_same_names: dict[tuple[str, ...], tuple[str, ...]] = {}
"""The names of attributes of courses, so that they are one object and are written once."""

_job_values = operator.attrgetter(*(field.name for field in fields(Job)))
_task_lists = operator.attrgetter(*_LISTS_OF_TASK)
_task_rest = operator.attrgetter(*_REST_OF_TASK)
_course_lists = operator.attrgetter(*_LISTS_OF_COURSE)


def _reduced_job(job: Job) -> Reduced:
    return Job, _job_values(job)


def _reduced_task(task: Task) -> Reduced:
    return _task, (*_task_rest(task), *chain.from_iterable(_task_lists(task)))


def _task(*values: Any) -> Task:
    count = len(_REST_OF_TASK)
    by_name: dict[str, Any] = dict(zip(_REST_OF_TASK, values[:count], strict=True))
    by_name.update(zip(_LISTS_OF_TASK, _split(values[count:], len(_LISTS_OF_TASK)), strict=True))
    return Task(**by_name)


def _reduced_course(course: Course) -> Reduced:
    """Items may lead back to their course, so it is made first and filled then."""
    everything = vars(course)
    names = tuple([name for name in everything if name not in _LEFT_OUT_OF_COURSE])
    rest = [everything[name] for name in names]
    values = _same_names.setdefault(names, names), *rest, *chain.from_iterable(_course_lists(course))
    return copyreg.__newobj__, (Course,), values, None, None, _fill_course  # type: ignore[attr-defined]


def _fill_course(course: Course, values: tuple[Any, ...]) -> None:
    names = values[0]
    vars(course).update(zip(names, values[1:], strict=False))
    lists = _split(values[1 + len(names) :], len(_LISTS_OF_COURSE))
    vars(course).update(zip(_LISTS_OF_COURSE, lists, strict=True))


def _reduced_item(item: Item) -> Reduced:
    """One that is on its way may lead back to itself."""
    if not item.coming:
        return _resting_item, (item.origin, item.size_bytes, *item.holders)
    values = item.origin, item.size_bytes, item.holders, item.coming
    return copyreg.__newobj__, (Item,), values, None, None, _fill_item  # type: ignore[attr-defined]


def _resting_item(origin: int, size_bytes: float, *holders: int) -> Item:
    item = Item(origin, size_bytes)
    item.holders = set(holders)
    return item


def _fill_item(item: Item, values: tuple[Any, ...]) -> None:
    item.origin, item.size_bytes, item.holders, item.coming = values


def _split(values: Sequence[Any], parts: int) -> list[list[Any]]:
    """Lists of equal length that stand one after the other."""
    size = len(values) // parts
    return [list(values[part * size : (part + 1) * size]) for part in range(parts)]


REDUCERS: dict[type, Callable[[Any], Reduced]] = {
    Course: _reduced_course,
    Item: _reduced_item,
    Job: _reduced_job,
    Task: _reduced_task,
}
REBUILDERS = frozenset({"_fill_course", "_fill_item", "_resting_item", "_task"})
"""Functions of this module that put them together again."""
