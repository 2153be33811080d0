"""Checks of what closed forms are asked: finite numbers of the right sign, and queues that have a steady state."""

from __future__ import annotations

import math


class UnstableError(ValueError):
    """More work comes than can be done: the queue grows without end and has no steady state."""


def positive(**values: float) -> None:
    """ValueError for the first that is not a finite number above 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be a finite number above 0, not {value!r}")


def not_negative(**values: float) -> None:
    """ValueError for the first that is not a finite number of at least 0."""
    for name, value in values.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f"{name} must be a finite number of at least 0, not {value!r}")


def at_least(least: int, **values: int) -> None:
    """ValueError for the first that is not a whole number of at least `least`."""
    for name, value in values.items():
        if not (math.isfinite(value) and value == int(value) and value >= least):
            raise ValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


def share(value: float) -> None:
    """ValueError for what is no probability at which a quantile may be asked for: 0 <= p < 1."""
    if not 0 <= value < 1:
        raise ValueError(f"a quantile is asked for at a share of at least 0 and below 1, not {value!r}")


def stable(load: float) -> None:
    """UnstableError for a load, work that comes per second over what can be done per second, of 1 or more."""
    if not load < 1:
        raise UnstableError(f"no steady state: the load is {load:.4g}, and at 1 or more the queue grows without end")
