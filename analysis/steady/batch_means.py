"""Intervals of a mean from the means of successive batches, which forget each other when they are long.

Few long batches are right: with many short ones the means still depend on one another and the interval is too narrow.
What dependence is left widens the interval as in a first-order autoregression, and skewed means move both of its ends.
None of these functions knows whether the series is long enough; `steady_mean` does. Batches of single observations,
as in std / sqrt(n), are refused: for observations of a queue that is wrong by a large factor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .autocorrelation import lag1
from .series import FloatArray, as_series, check_level, group_means

MOST_MEANS = 128
"""More than this are not few batches."""
FEWEST_SKEWED = 5
"""The skewness of fewer means is chance: to allow for it would make intervals of normal ones cover less."""


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean and its interval; the ends are infinite where nothing is known of its error."""

    mean: float
    se: float
    """Standard error of the mean, inflated where the method does so."""
    low: float
    high: float
    degrees: float
    """Degrees of freedom of Student's t."""


def batches_of(values: npt.ArrayLike, batches: int) -> FloatArray:
    """Means of so many equal batches, in order; a remainder is left out at the beginning.

    ValueError when there are fewer values than batches.
    """
    series = as_series(values)
    if not 1 <= batches <= len(series):
        raise ValueError(f"{len(series)} observations make from 1 to {len(series)} batches, not {batches}")
    size = len(series) // batches
    return group_means(series[len(series) - size * batches :], size)


def non_overlapping(values: npt.ArrayLike, batches: int = 20, level: float = 0.95) -> MeanInterval:
    """mean +- t_{b-1} s_b / sqrt(b) of b batches (Conway 1963), without any adjustment.

    ValueError when the batches are fewer than 2 or more than the root of the number of values.
    """
    series = as_series(values)
    _check_batches(len(series), batches)
    means = batches_of(series, batches)
    return symmetric(float(means.mean()), _se(means), len(means) - 1, level)


def overlapping(values: npt.ArrayLike, batches: int = 20, level: float = 0.95) -> MeanInterval:
    """Overlapping batch means (Meketon and Schmeiser 1984): all n - m + 1 batches of m = n / `batches` observations.

    Var(mean) = m / ((n - m + 1)(n - m)) sum (Y_j - mean)^2, with 1.5 (n / m - 1) degrees of freedom. ValueError as
    for `non_overlapping`.
    """
    series = as_series(values)
    n = len(series)
    _check_batches(n, batches)
    m = n // batches
    mean = float(series.mean())
    sums = np.concatenate(([0.0], np.cumsum(series - mean)))
    offsets = (sums[m:] - sums[:-m]) / m
    se = math.sqrt(m * float(offsets @ offsets) / ((n - m + 1) * (n - m)))
    return symmetric(mean, se, 1.5 * (n / m - 1), level)


def few_batches(means: npt.ArrayLike, level: float = 0.95) -> MeanInterval:
    """The interval from the means of few successive batches, which may still be correlated and skewed.

    `adjusted` with their own lag-1 autocorrelation; ValueError when the level is not within (0, 1) or there are more
    than 128 means, as where observations are given instead.
    """
    series = as_series(means)
    if len(series) > MOST_MEANS:
        raise ValueError(
            f"few batches are at most {MOST_MEANS}, not {len(series)}; batches_of makes few of many values"
        )
    return adjusted(series, lag1(series), level)


def adjusted(means: FloatArray, r: float, level: float) -> MeanInterval:
    """The interval from k batch means whose neighbours have the correlation r.

    se = A s / sqrt(k), A = sqrt((1 + r) / (1 - r)) for r > 0, which is what a first-order autoregression makes of it.
    b = B / (6 sqrt(k)), B their skewness, gives the ends mean - G(+-t_{k-1}) se with
    G(z) = ((1 + 6 b (z - b))^(1/3) - 1) / (2 b) (Willink 2005; as in Skart: Tafazzoli, Wilson, Lada, Steiger 2011).
    """
    check_level(level)
    k = len(means)
    if k < 2:
        return MeanInterval(float(means.mean()) if k else math.nan, math.inf, -math.inf, math.inf, 0.0)
    return bent(float(means.mean()), _se(means), means, r, level)


def bent(centre: float, plain_se: float, sections: FloatArray, r: float, level: float) -> MeanInterval:
    """The interval of `adjusted` around a centre with a standard error that are not those of the sections' mean."""
    k = len(sections)
    se = plain_se * math.sqrt((1 + r) / (1 - r)) if r > 0 else plain_se
    t = t_quantile(k - 1, 0.5 + level / 2)
    beta = _skewness(sections) / (6 * math.sqrt(k))
    return MeanInterval(centre, se, centre - _bent(t, beta) * se, centre - _bent(-t, beta) * se, k - 1)


def t_quantile(degrees: float, share: float) -> float:
    """The value that Student's t with so many degrees of freedom stays below with probability `share`."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(degrees, share))


def _check_batches(n: int, batches: int) -> None:
    most = math.isqrt(n)
    if not 2 <= batches <= most:
        raise ValueError(f"of {n} observations, batches are from 2 to {most}, their root; {batches} say too little")


def symmetric(mean: float, se: float, degrees: float, level: float) -> MeanInterval:
    """mean +- t se; infinite where there are no degrees of freedom."""
    check_level(level)
    half = t_quantile(degrees, 0.5 + level / 2) * se if degrees > 0 else math.inf
    return MeanInterval(mean, se, mean - half, mean + half, degrees)


def _se(means: FloatArray) -> float:
    return float(means.std(ddof=1)) / math.sqrt(len(means)) if len(means) > 1 else math.inf


def _skewness(values: FloatArray) -> float:
    """n / ((n - 1)(n - 2)) sum ((x - mean) / s)^3; 0 of fewer than 5 values or where they do not vary."""
    n = len(values)
    s = values.std(ddof=1) if n >= FEWEST_SKEWED else 0.0
    return float(n / ((n - 1) * (n - 2)) * (((values - values.mean()) / s) ** 3).sum()) if s > 0 else 0.0


def _bent(z: float, beta: float) -> float:
    """G(z), which is z where nothing is skewed."""
    if abs(beta) < 1e-6:
        return z
    return float(np.cbrt(1 + 6 * beta * (z - beta)) - 1) / (2 * beta)
