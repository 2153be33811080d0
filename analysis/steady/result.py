"""The result of a steady-state estimate: a value with its interval and all that says whether to believe it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Flag(StrEnum):
    """What speaks against an estimate."""

    TOO_SHORT = "too short"
    """The run is shorter than what its autocorrelation asks for: there is no honest interval yet."""
    CORRELATED_BATCHES = "correlated batches"
    """Means of batches still depend on one another."""
    NON_STATIONARY = "non-stationary"
    """What is left after the warm-up still changes in level."""
    UNSTABLE = "unstable"
    """The level goes on growing, as in a queue that gets more work than it can do."""
    RARE_EVENT = "rare event"
    """Too few observations differ from the commonest value for an interval of this form."""
    CUT_AT_LIMIT = "cut at its limit"
    """The warm-up may well be longer than the part of the run that could be dropped."""


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Estimate of a steady-state mean or quantile, in the unit of the observations."""

    value: float
    """The estimate; nan of no observations."""
    half_width: float
    """Half the width of the interval; infinite where no honest interval exists."""
    low: float
    """Lower end; -inf where there is none. A skewed interval is not symmetric around the value."""
    high: float
    """Upper end; inf where there is none."""
    level: float
    """Nominal coverage of the interval."""
    method: str
    """As in "few batches, AR(1) and skewness"."""
    n: int
    """Observations used, after the cut."""
    effective_n: float
    """Independent observations that would say as much: n / tau."""
    tau: float
    """Autocorrelation time, in observations; 1 where they are independent."""
    cut: int
    """Observations dropped as warm-up."""
    batches: int
    """Batches (or replications) behind the interval."""
    lag1: float
    """Autocorrelation of neighbouring batches; nan where it is not known."""
    flags: frozenset[Flag]
    """What speaks against the estimate; empty where nothing does."""
    needed_n: int | None
    """Forecast of the observations after the cut for a sound interval of the wanted width; None where none is."""

    @property
    def relative_half_width(self) -> float:
        """Half-width as a share of the value's size; infinite where there is no interval or the value is 0."""
        if not math.isfinite(self.half_width) or self.value == 0.0:
            return math.inf
        return self.half_width / abs(self.value)
