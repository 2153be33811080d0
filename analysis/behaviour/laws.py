"""Laws that hold of every record, whatever the distributions: Little's, utilisation, balance of flows, conservation.

Each is an equation of two numbers that come about in different ways. A difference beyond rounding means that records
are missing, doubled or wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..steady.series import as_series
from .queues import number_present

ROUNDING = 1e-9
"""Relative difference that sums of many floats may come to."""
LITTLE = "Little's law"
UTILISATION = "utilisation law"
FLOW = "flow balance"
CONSERVATION = "conservation"


@dataclass(frozen=True, slots=True)
class Law:
    """A law at a place: two sides that should be one number."""

    name: str
    where: str
    """A station, or "system"."""
    left: float
    right: float
    left_is: str
    right_is: str
    unit: str
    slack: float = 0.0
    """Difference that the sides may come to because rows were rounded, in their unit."""

    @property
    def residual(self) -> float:
        """Difference of the sides over the larger one; 0 where both are 0."""
        larger = max(abs(self.left), abs(self.right))
        return abs(self.left - self.right) / larger if larger else 0.0

    def holds(self, tolerance: float = ROUNDING) -> bool:
        """Whether the sides agree up to rounding."""
        return self.residual <= tolerance or abs(self.left - self.right) <= self.slack


def little(
    arrivals_s: npt.ArrayLike,
    departures_s: npt.ArrayLike,
    spent_s: npt.ArrayLike,
    end_s: float,
    where: str = "system",
) -> Law:
    """Integral of the number present, from the first arrival to `end_s`, against the times spent as recorded.

    Departures are nan, and `spent_s` is not looked at, of those who are still there: they have spent all time since
    they came. Little, Operations Research 9 (1961). ValueError as for `number_present`.
    """
    arrivals, departures = as_series(arrivals_s), np.asarray(departures_s, dtype=np.float64)
    begin = float(arrivals.min(initial=end_s))
    function = number_present(arrivals, departures, begin, end_s)
    there = ~(departures <= end_s)
    spent = np.where(there, end_s - arrivals, np.asarray(spent_s, dtype=np.float64))
    return Law(
        LITTLE, where, function.integral, math.fsum(spent), "integral of the number present", "sum of times spent", "s"
    )


def utilisation(
    in_service: float, completions: int, mean_service_s: float, duration_s: float, where: str = "station"
) -> Law:
    """U = X S: the mean number in service over a time against throughput times mean service in it.

    Denning and Buzen, Computing Surveys 10 (1978). ValueError when the duration is not positive.
    """
    if not duration_s > 0:
        raise ValueError(f"a throughput is over some time, not {duration_s} s")
    right = completions / duration_s * mean_service_s if completions else 0.0
    return Law(UTILISATION, where, in_service, right, "mean number in service", "throughput x mean service", "")


def flow_balance(arrivals: int, departures: int, before: int, after: int, where: str = "system") -> Law:
    """Arrivals in a time against departures in it and the change in the number present, from its begin to its end."""
    right = departures + after - before
    return Law(FLOW, where, arrivals, right, "arrivals", "departures + change in number present", "")


def conserved(quantity: str, unit: str, whole: npt.ArrayLike, parts: npt.ArrayLike, where: str = "system") -> Law:
    """The sum of what tasks have against the sum of what their subtasks have, as of cost or energy.

    ValueError when a value is not finite.
    """
    left, right = (math.fsum(as_series(values)) for values in (whole, parts))
    return Law(CONSERVATION, where, left, right, f"{quantity} of tasks", f"{quantity} of subtasks", unit)
