"""Averages over time of what changes in steps, as a queue length: exact integrals, never means of samples.

Events come in clusters, so a mean over events says how things are at events, not how they are. Stretches of equal time
make the step function a series that `steady_mean` and all else takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .mean import steady_mean
from .result import SteadyState
from .series import FloatArray, as_series

STRETCHES = 1 << 14
"""Into which a run is divided: fine enough for its warm-up and its autocorrelation."""


@dataclass(frozen=True, slots=True)
class TimeAverage:
    """A steady-state average over time; counts in `state` are of stretches of `stretch_s` seconds."""

    state: SteadyState
    stretch_s: float

    @property
    def cut_s(self) -> float:
        """Time dropped as warm-up, s."""
        return self.state.cut * self.stretch_s

    @property
    def needed_s(self) -> float | None:
        """Forecast of the time after the cut for a sound interval of the wanted width, s."""
        return None if self.state.needed_n is None else self.state.needed_n * self.stretch_s


def steady_time_average(
    times_s: npt.ArrayLike, values: npt.ArrayLike, end_s: float, level: float = 0.95, wanted: float = 0.05
) -> TimeAverage:
    """The average over time in the long run of a step function, from its first time to its end.

    `values[i]` holds from `times_s[i]` to the next time. ValueError as in `integrals` and `steady_mean`.
    """
    times = as_series(times_s)
    if not len(times) or not end_s > times[0]:
        raise ValueError(f"a time average is over some time: from a first event to an end after it, not {end_s} s")
    averages = stretch_means(times, values, float(times[0]), end_s, STRETCHES)
    return TimeAverage(steady_mean(averages, level, wanted), (end_s - float(times[0])) / STRETCHES)


def stretch_means(
    times_s: npt.ArrayLike, values: npt.ArrayLike, begin_s: float, end_s: float, stretches: int
) -> FloatArray:
    """Averages of a step function over so many equal, successive stretches of time; ValueError as in `integrals`."""
    if stretches < 1 or not end_s > begin_s:
        raise ValueError(f"{stretches} stretches from {begin_s} s to {end_s} s are none")
    bounds = begin_s + (end_s - begin_s) / stretches * np.arange(stretches + 1)
    bounds[-1] = end_s
    return integrals(times_s, values, bounds) / np.diff(bounds)


def integrals(times_s: npt.ArrayLike, values: npt.ArrayLike, bounds_s: npt.ArrayLike) -> FloatArray:
    """Integrals of a step function between successive bounds, exact to rounding.

    `values[i]` holds from `times_s[i]` to the next time, the last one on and on; of equal times the last counts.
    ValueError when the times or the bounds go backwards, the lengths differ, or a bound is before the first time.
    """
    times, levels, bounds = as_series(times_s), as_series(values), as_series(bounds_s)
    if len(times) != len(levels) or not len(times):
        raise ValueError(f"a step function has a value for each of its times, not {len(levels)} for {len(times)}")
    for name, row in (("times", times), ("bounds", bounds)):
        if (np.diff(row) < 0).any():
            first = int(np.argmax(np.diff(row) < 0))
            raise ValueError(f"{name} go on; after {row[first]} s comes {row[first + 1]} s")
    if len(bounds) and bounds[0] < times[0]:
        raise ValueError(f"nothing is known before the first time, {times[0]} s; a bound is {bounds[0]} s")
    if len(bounds) < 2:
        return np.empty(0)
    inside = (times > bounds[0]) & (times < bounds[-1])
    knots = np.sort(np.concatenate((bounds, times[inside])), kind="stable")
    holding = levels[np.searchsorted(times, knots[:-1], side="right") - 1]
    areas = np.append(holding * np.diff(knots), 0.0)
    sums = np.add.reduceat(areas, np.searchsorted(knots, bounds)[:-1])
    return np.where(np.diff(bounds) > 0, sums, 0.0)
