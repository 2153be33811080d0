"""How full a station is over time, from the instants at which customers come and go; nothing is sampled.

A customer who is still there has no instant of leaving: nan, or inf. Of simultaneous events departures come first.
Averages over time are integrals: events come in clusters, so what customers see need not be how things are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..intervals import Interval, t_interval
from ..runs import Floats
from ..steady.series import as_series
from ..steady.time_average import integrals, stretch_means

STRETCHES = 20
"""Into which a run is divided to see how far arrivals and time disagree by chance."""


@dataclass(frozen=True, slots=True)
class StepFunction:
    """`values[i]` holds from `times_s[i]` up to the next time, the last one up to `end_s`; times rise strictly."""

    times_s: Floats
    values: Floats
    end_s: float

    @property
    def durations_s(self) -> Floats:
        """How long each value holds."""
        return np.diff(self.times_s, append=self.end_s)

    @property
    def integral(self) -> float:
        """Integral over time, rounded once."""
        return math.fsum(self.values * self.durations_s)

    @property
    def mean(self) -> float:
        """Average over time; nan over none."""
        duration = self.end_s - float(self.times_s[0])
        return self.integral / duration if duration > 0 else math.nan


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values in rising order, and the share of each."""

    values: Floats
    shares: Floats

    @property
    def mean(self) -> float:
        """Mean value."""
        return math.fsum(self.values * self.shares)

    def share(self, value: float) -> float:
        """Share of a value; 0 of one that does not occur."""
        return float(self.shares[self.values == value].sum())


@dataclass(frozen=True, slots=True)
class Envelope:
    """A step function over equal stretches of time, of which one starts at each of `times_s`."""

    times_s: Floats
    low: Floats
    mean: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class BusyPeriods:
    """Stretches in which the station was never empty, from an arrival to the departure that empties it."""

    begin_s: Floats
    end_s: Floats
    served: npt.NDArray[np.intp]
    """Customers in each."""

    @property
    def lengths_s(self) -> Floats:
        """How long each lasted."""
        return self.end_s - self.begin_s


@dataclass(frozen=True, slots=True)
class Gaps:
    """Times between successive events: number, mean in s, and coefficient of variation, 1 of Poisson events."""

    count: int
    mean_s: float
    cv: float


@dataclass(frozen=True, slots=True)
class Pasta:
    """What arrivals find against how things are on average over time; Poisson arrivals find just that (Wolff 1982).

    `difference` is of the means over equal stretches of time, with the 95 % interval of their scatter.
    """

    seen: Distribution
    over_time: Distribution
    difference: Interval

    @property
    def agrees(self) -> bool:
        """Whether the difference may be chance."""
        return self.difference.holds(0.0)


def number_present(
    arrivals_s: npt.ArrayLike, departures_s: npt.ArrayLike, begin_s: float, end_s: float
) -> StepFunction:
    """How many have come and not gone, from begin to end: of those in line, in service or both, as the instants say.

    ValueError when an arrival is not finite, a departure comes before its arrival, or the end before the beginning.
    """
    arrivals, departures = _visits(arrivals_s, departures_s)
    if not end_s >= begin_s:
        raise ValueError(f"nothing is between {begin_s} s and {end_s} s")
    times = np.concatenate([arrivals, departures])
    steps = np.concatenate([np.ones(len(arrivals)), -np.ones(len(departures))])
    within = times <= end_s
    knots, places = np.unique(np.append(np.maximum(times[within], begin_s), begin_s), return_inverse=True)
    changes = np.bincount(places, np.append(steps[within], 0.0))
    return StepFunction(knots, np.cumsum(changes), end_s)


def time_distribution(function: StepFunction) -> Distribution:
    """The share of time that each value holds; ValueError of a function over no time."""
    durations = function.durations_s
    whole = function.end_s - float(function.times_s[0])
    if not whole > 0:
        raise ValueError("shares of time need some time")
    values, places = np.unique(function.values, return_inverse=True)
    shares = np.bincount(places, durations) / whole
    return Distribution(values[shares > 0], shares[shares > 0])


def envelope(function: StepFunction, points: int) -> Envelope:
    """The function over so many equal stretches: the least, mean and largest value of each, however short they held.

    ValueError as for `stretch_means`.
    """
    begin, end = float(function.times_s[0]), function.end_s
    means = stretch_means(function.times_s, function.values, begin, end, points)
    bounds: Floats = begin + (end - begin) / points * np.arange(points, dtype=np.float64)
    inside = function.times_s < end
    knots = np.unique(np.concatenate([bounds, function.times_s[inside]]))
    values = function.values[np.searchsorted(function.times_s, knots, side="right") - 1]
    firsts = np.searchsorted(knots, bounds)
    return Envelope(bounds, np.minimum.reduceat(values, firsts), means, np.maximum.reduceat(values, firsts))


def busy_periods(arrivals_s: npt.ArrayLike, departures_s: npt.ArrayLike) -> BusyPeriods:
    """All busy periods that have ended. One who comes the instant the station empties goes on with the same period."""
    arrivals, departures = _visits(arrivals_s, departures_s)
    order = np.argsort(arrivals, kind="stable")
    arrivals, ends = arrivals[order], np.maximum.accumulate(departures[order])
    if not len(arrivals):
        return BusyPeriods(np.empty(0), np.empty(0), np.empty(0, dtype=np.intp))
    firsts = np.flatnonzero(np.concatenate([[True], arrivals[1:] > ends[:-1]]))
    lasts = np.append(firsts[1:], len(arrivals)) - 1
    ended = np.isfinite(ends[lasts])
    return BusyPeriods(arrivals[firsts][ended], ends[lasts][ended], (lasts - firsts + 1)[ended])


def gaps(instants_s: npt.ArrayLike) -> Gaps:
    """Times between successive events, as departures; nan where they are too few. ValueError when one is not finite."""
    between = np.diff(np.sort(as_series(instants_s)))
    mean = float(between.mean()) if len(between) else math.nan
    cv = float(between.std(ddof=1)) / mean if len(between) > 1 and mean > 0 else math.nan
    return Gaps(len(between), mean, cv)


def seen_by_arrivals(arrivals_s: npt.ArrayLike, departures_s: npt.ArrayLike) -> Floats:
    """For each arrival, in the order of time, how many it found. Of simultaneous arrivals each finds those before it.

    ValueError as for `number_present`.
    """
    arrivals, departures = _visits(arrivals_s, departures_s)
    order = np.argsort(arrivals, kind="stable")
    arrivals, departures = arrivals[order], departures[order]
    gone = np.searchsorted(np.sort(departures), arrivals, side="right")
    at_once = np.cumsum(departures == arrivals)
    own_and_later = at_once[np.searchsorted(arrivals, arrivals, side="right") - 1] - at_once
    own_and_later += departures == arrivals
    found: Floats = (np.arange(len(arrivals)) - gone + own_and_later).astype(np.float64)
    return found


def pasta(arrivals_s: npt.ArrayLike, departures_s: npt.ArrayLike, begin_s: float, end_s: float) -> Pasta:
    """What those who came from begin to end found, against the averages over that time.

    Call it for a stream that is Poisson by declaration; of any other a difference is no fault. ValueError as for
    `number_present`, and when some of the stretches of time had no arrival.
    """
    arrivals, _ = _visits(arrivals_s, departures_s)
    ordered = np.sort(arrivals, kind="stable")
    counted = (ordered >= begin_s) & (ordered < end_s)
    found, came = seen_by_arrivals(arrivals_s, departures_s)[counted], ordered[counted]
    function = number_present(arrivals_s, departures_s, begin_s, end_s)
    bounds = begin_s + (end_s - begin_s) / STRETCHES * np.arange(STRETCHES + 1)
    bounds[-1] = end_s
    stretch = np.searchsorted(bounds, came, side="right") - 1
    numbers = np.bincount(stretch, minlength=STRETCHES)
    if (numbers == 0).any():
        raise ValueError(f"{len(came)} arrivals are too few to compare what they found with averages over time")
    over_time = integrals(function.times_s, function.values, bounds) / np.diff(bounds)
    difference = np.bincount(stretch, found, STRETCHES) / numbers - over_time
    values, counts = np.unique(found, return_counts=True)
    return Pasta(
        Distribution(values, counts / len(found)), time_distribution(function), t_interval(difference.tolist())
    )


def _visits(arrivals_s: npt.ArrayLike, departures_s: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Arrivals and departures, checked; those who are still there leave at inf."""
    arrivals, departures = as_series(arrivals_s), np.asarray(departures_s, dtype=np.float64)
    if departures.shape != arrivals.shape:
        raise ValueError(f"each of {len(arrivals)} arrivals has its departure, nan while it is there")
    departures = np.where(np.isnan(departures), math.inf, departures)
    early = departures < arrivals
    if early.any():
        first = int(np.argmax(early))
        raise ValueError(f"number {first} leaves at {departures[first]} s before it comes at {arrivals[first]} s")
    return arrivals, departures
