"""Series of a run: what its tasks or subtasks have one of each, in the order of time, warm-up left out.

Of tasks the order is that of arrival, of subtasks that in which they were served: successive values then depend on
each other as successive customers do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .account import Quantity
from .runs import Columns, Floats, Run, read_columns


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a quantity is found in rows."""

    quantity: Quantity
    rows: str
    columns: tuple[str, ...]
    value: Callable[[Columns], Floats]


def _difference(name: str, of: str, minus: str) -> _Reading:
    return _Reading(Quantity(name, "s", "subtask"), "subtasks", (of, minus), lambda rows: rows[of] - rows[minus])


def _column(name: str, unit: str, column: str) -> _Reading:
    return _Reading(Quantity(name, unit), "tasks", (column,), lambda rows: rows[column])


_READINGS: Mapping[str, _Reading] = {
    "latency": _column("latency", "s", "latency_s"),
    "objective": _column("objective", "", "objective"),
    "cost": _Reading(Quantity("cost", "USD per 1000"), "tasks", ("cost_usd",), lambda rows: 1000.0 * rows["cost_usd"]),
    "energy": _column("energy", "J", "energy_j"),
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
    """The values of completed tasks, or of served subtasks, that came after the warm-up; RecordError without rows."""
    reading = _READINGS[name]
    if reading.rows == "tasks":
        rows = read_columns(run, "tasks", ["task", "arrival_s", "status", *reading.columns])
        kept = (rows["arrival_s"] >= run.warm_up_s) & (rows["status"] == 0)
        order = np.argsort(rows["task"][kept], kind="stable")
        return reading.value({column: rows[column][kept] for column in reading.columns})[order]
    columns = dict.fromkeys(["ready_s", "finish_s", *reading.columns])
    rows = read_columns(run, "subtasks", list(columns))
    kept = rows["ready_s"] >= run.warm_up_s
    order = np.argsort(rows["finish_s"][kept], kind="stable")
    return reading.value({column: rows[column][kept] for column in reading.columns})[order]
