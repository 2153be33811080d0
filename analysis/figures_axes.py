"""Axes that stay readable whatever the numbers: logarithmic where values differ by factors, ticks in plain figures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from .numbers import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE = 6.0
_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7), (1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9))
_FEWEST = 4
_KEPT = 3
_GAP = 4.0
_TIME_UNITS = ((1.0, "s", 900.0), (60.0, "min", 4 * 3600.0), (3600.0, "h", 4 * 86400.0), (86400.0, "d", math.inf))


def is_wide(values: Iterable[float]) -> bool:
    """Whether positive values differ so much that on a linear axis the large ones would squash the small ones."""
    finite = [value for value in values if math.isfinite(value)]
    return bool(finite) and min(finite) > 0 and max(finite) > _WIDE * min(finite)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers within [low, high], at least four where it can be, as few as say enough."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks: list[float] = []
    for steps in _STEPS:
        marks = (step * 10.0**power for power in range(first, last + 1) for step in steps)
        ticks = [mark for mark in marks if low <= mark <= high]
        if len(ticks) >= _FEWEST:
            break
    return ticks


def span(values: Iterable[float], margin: float = 1.12) -> tuple[float, float]:
    """Least and largest of positive values, with room by a factor on either side."""
    finite = [value for value in values if math.isfinite(value) and value > 0]
    return min(finite) / margin, max(finite) * margin


def set_log(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Make an axis logarithmic over [low, high], with round ticks in plain figures."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    if which == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
    else:
        axes.set_yscale("log")
        axes.set_ylim(low, high)
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))


def reach(values: Iterable[float]) -> float:
    """How far an axis from the least value up should go, such that a few huge values do not squash the rest.

    That is to the first value, from the third on, whose next is more than four times as large; of two or three values
    the last may be left out. Values beyond belong at the edge with an arrow and a number.
    """
    ordered = sorted(value for value in values if math.isfinite(value))
    at_least = max(1, min(_KEPT, len(ordered) - 1))
    for value, following in pairwise(ordered[at_least - 1 :]):
        if 0 < _GAP * value < following:
            return value
    return ordered[-1]


def time_unit(longest_s: float) -> tuple[float, str]:
    """The length in s, and the name, of the unit in which times up to the longest are well read."""
    return next((size, name) for size, name, limit in _TIME_UNITS if longest_s <= limit)
