"""Whether there is a steady state at all, after the warm-up has been cut: "none was found" is an answer.

Two tests look for what a cut cannot mend: a level that is still another one at the beginning than later, and a level
that goes on rising or falling, as the backlog of a queue that gets more work than it can do, or the latency of an agent
that is still learning. Both hold the series against the noise that its batch means show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .autocorrelation import LONGEST, lag1
from .batch_means import batches_of, few_batches
from .result import Flag
from .series import FloatArray, as_series, group_means, is_constant
from .warm_up import Cut, cut_at_limit, mser5

BATCHES = 16
"""Behind each test; of a very short series as many as there are, from 8 on."""
FEWEST = 8
ALPHA = 0.001
"""Chance of each test to find a trend where there is none: many results are tested."""


@dataclass(frozen=True, slots=True)
class Trend:
    """A two-sided test against no trend: positive where the level is higher early (`initial_transient`) or rises."""

    statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Settling:
    """The cut of a run and whether what follows is steady."""

    cut: Cut
    transient: Trend
    drift: Trend
    flags: frozenset[Flag]
    reason: str
    """Why no steady state was found, to be printed; empty where one was."""

    @property
    def found(self) -> bool:
        """Whether nothing speaks against a steady state."""
        return not self.flags


def settling(values: npt.ArrayLike, cut: int | None = None) -> Settling:
    """Cut a run, by MSER-5 unless a cut is given, and test the rest; ValueError when the cut is not within the run."""
    series = as_series(values)
    if cut is not None and not 0 <= cut <= len(series):
        raise ValueError(f"a cut of {len(series)} observations is from 0 to {len(series)}, not {cut}")
    chosen = mser5(series) if cut is None else Cut(cut, len(series))
    return judge(series[chosen.n :], chosen, cut_at_limit(chosen) if cut is None else False)


def judge(rest: FloatArray, cut: Cut, at_limit: bool) -> Settling:
    """Test what is left after a cut."""
    transient, drift = initial_transient(rest), drift_test(rest)
    flags, reasons = set(), []
    if drift.p_value < ALPHA and drift.statistic > 0:
        flags.add(Flag.UNSTABLE)
        reasons.append(f"the level goes on rising (t = {drift.statistic:.1f})")
    elif drift.p_value < ALPHA:
        flags.add(Flag.NON_STATIONARY)
        reasons.append(f"the level goes on falling (t = {drift.statistic:.1f})")
    if transient.p_value < ALPHA:
        flags.add(Flag.NON_STATIONARY)
        side = "above" if transient.statistic > 0 else "below"
        reasons.append(f"it begins {side} the level that follows (t = {transient.statistic:.1f})")
    if at_limit:
        flags.add(Flag.CUT_AT_LIMIT)
        reasons.append("the best cut is the largest that was looked at, or nearly")
    return Settling(cut, transient, drift, frozenset(flags), "; ".join(reasons))


def initial_transient(values: npt.ArrayLike) -> Trend:
    """Schruben's test of an initial transient (Operations Research 30, 1982), two-sided.

    With S_k = k (mean of the first k - mean of all), T = sqrt(45) / (n^(3/2) sigma) sum over k of (1 - k/n) S_k.
    S_(tn) / (sigma sqrt(n)) tends to a Brownian bridge, and the variance of the integral of (1 - t) times a bridge is
    1/45; so T is standard normal in the long run, Student's t as sigma, here of the second half's batch means, is
    estimated. nan where there are too few values for batches or they do not vary.
    """
    series = _thinned(as_series(values))
    n = len(series)
    batches = min(BATCHES, n - n // 2)
    if batches < FEWEST or is_constant(series):
        return Trend(math.nan, math.nan)
    half = batches_of(series[n // 2 :], batches)
    sigma = few_batches(half).se * math.sqrt(n - n // 2)
    sums = np.cumsum(series - series.mean())
    weighted = float((1 - np.arange(1, n + 1) / n) @ sums)
    return _trend(math.sqrt(45) * weighted, n**1.5 * sigma, batches - 1)


def drift_test(values: npt.ArrayLike) -> Trend:
    """Slope of the batch means over time against its standard error: Student's t with two degrees for the line.

    The error is that of least squares, inflated for the residuals' lag-1 autocorrelation r by sqrt((1 + r) / (1 - r)),
    so that a long memory is not taken for a trend. nan where there are too few values for batches or none differ.
    """
    series = as_series(values)
    batches = min(BATCHES, len(series))
    if batches < FEWEST or is_constant(series):
        return Trend(math.nan, math.nan)
    means = batches_of(series, batches)
    time = np.arange(batches) - (batches - 1) / 2
    offsets = means - means.mean()
    slope = float(time @ offsets / (time @ time))
    residuals = offsets - slope * time
    r = max(lag1(residuals), 0.0)
    se = math.sqrt(float(residuals @ residuals) / (batches - 2) / float(time @ time) * (1 + r) / (1 - r))
    return _trend(slope, se, batches - 2)


def _trend(effect: float, se: float, degrees: int) -> Trend:
    from scipy.special import stdtr  # type: ignore[import-untyped]

    if se == 0:
        return Trend(math.copysign(math.inf, effect), 0.0) if effect else Trend(0.0, 1.0)
    return Trend(effect / se, float(2 * stdtr(degrees, -abs(effect / se))))


def _thinned(series: FloatArray) -> FloatArray:
    """A long series as means of groups: the test sees sums only."""
    return group_means(series, -(-len(series) // LONGEST)) if len(series) else series
