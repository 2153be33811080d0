"""Series of a run: what its tasks or subtasks have one of each, in the order of time, warm-up left out.

They are of the very tasks that the statistics of a run are of: those that arrived after the warm-up, and their
subtasks. Dropped ones have no latency, but they count in cost, energy and objective. Of tasks the order is that of
arrival, of subtasks that in which they were served: successive values then depend on each other as successive
customers do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from simoffload.record.measures import PER_1000
from simoffload.record.rows import COMPLETED, IN_SYSTEM

from .account import Quantity
from .runs import Columns, Floats, Run, read_columns


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a quantity is found in rows."""

    quantity: Quantity
    rows: str
    columns: tuple[str, ...]
    value: Callable[[Columns], Floats]
    of_dropped: bool = False
    """Whether dropped tasks have it."""


def _difference(name: str, of: str, minus: str) -> _Reading:
    return _Reading(Quantity(name, "s", "subtask"), "subtasks", (of, minus), lambda rows: rows[of] - rows[minus])


def _spent(name: str, unit: str, column: str, factor: float = 1.0) -> _Reading:
    return _Reading(Quantity(name, unit), "tasks", (column,), lambda rows: factor * rows[column], of_dropped=True)


_READINGS: Mapping[str, _Reading] = {
    "latency": _Reading(Quantity("latency", "s"), "tasks", ("latency_s",), lambda rows: rows["latency_s"]),
    "objective": _spent("objective", "", "objective"),
    "cost": _spent("cost", "USD per 1000", "cost_usd", PER_1000),
    "energy": _spent("energy", "J", "energy_j"),
    "transfer": _difference("transfer", "entered_s", "ready_s"),
    "waiting": _difference("waiting", "start_s", "entered_s"),
    "service": _difference("service", "finish_s", "start_s"),
}
QUANTITIES = tuple(_READINGS)
"""Names of what a run can be asked for."""


def quantity(name: str) -> Quantity:
    """The quantity of a name; KeyError for one that is none of `QUANTITIES`."""
    return _READINGS[name].quantity


def series_of(run: Run, name: str) -> Floats:
    """The values of measured tasks that are over, or of their subtasks served; RecordError without rows."""
    reading = _READINGS[name]
    if reading.rows == "tasks":
        rows = read_columns(run, "tasks", ["task", "arrival_s", "status", *reading.columns])
        is_over = rows["status"] != IN_SYSTEM if reading.of_dropped else rows["status"] == COMPLETED
        kept = (rows["arrival_s"] >= run.warm_up_s) & is_over
        order = np.argsort(rows["task"][kept], kind="stable")
    else:
        rows = read_columns(run, "subtasks", list(dict.fromkeys(["task", "finish_s", *reading.columns])))
        kept = rows["task"] >= _first_measured(run)
        order = np.argsort(rows["finish_s"][kept], kind="stable")
    return reading.value({column: rows[column][kept] for column in reading.columns})[order]


def _first_measured(run: Run) -> float:
    """The number of the first task after the warm-up, as numbers go by arrival; inf where no task came after it."""
    rows = read_columns(run, "tasks", ["task", "arrival_s"])
    measured = rows["task"][rows["arrival_s"] >= run.warm_up_s]
    return float(measured.min()) if len(measured) else math.inf
