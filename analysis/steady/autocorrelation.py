"""How long a series remembers itself: autocorrelations, and what they make of the number of observations.

The autocorrelation time tau is what the variance of a mean is larger than that of as many independent observations:
Var(mean) = tau Var(x) / n. So n observations say as much as n / tau independent ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .series import FloatArray, as_series, group_means, is_constant

LONGEST = 1 << 17
"""Longer series are first averaged over groups, down to this many: tau is far longer than a group where it matters."""


@dataclass(frozen=True, slots=True)
class VonNeumann:
    """Whether neighbours resemble each other: lag-1 autocorrelation and its one-sided test against independence."""

    lag1: float
    """C = 1 - sum (x_i - x_{i+1})^2 / (2 sum (x_i - mean)^2)."""
    p_value: float
    """Chance of as large a C of independent normal values."""


def acf(values: npt.ArrayLike, lags: int) -> FloatArray:
    """Autocorrelations at lags 0 to `lags`, with divisor n at every lag, by FFT in O(n log n).

    nan at every lag where the values do not vary. ValueError when `lags` is not from 0 to n - 1.
    """
    series = as_series(values)
    if not 0 <= lags < len(series):
        raise ValueError(f"lags of {len(series)} observations are from 0 to {len(series) - 1}, not {lags}")
    if is_constant(series):
        return np.full(lags + 1, math.nan)
    products = _autocovariances(series)[: lags + 1]
    return np.asarray(products / products[0])


def autocorrelation_time(values: npt.ArrayLike) -> float:
    """tau = 1 + 2 sum of the autocorrelations, in observations, and at least 1; nan where the values do not vary.

    The sum ends by Geyer's initial monotone sequence (Statistical Science 7, 1992, section 3.3): sums of pairs of
    neighbouring lags are taken as long as they are positive, each at most the one before. That is proven for
    reversible Markov chains and the usual practice for all else. Taken as at least 1, so that no luck with
    negative correlation makes an interval narrower than that of independent observations.
    """
    series = as_series(values)
    if is_constant(series):
        return math.nan
    size = -(-len(series) // LONGEST)
    groups = group_means(series, size)
    if is_constant(groups):
        return 1.0
    return max(size * float(groups.var() / series.var()) * _geyer(groups), 1.0)


def effective_size(values: npt.ArrayLike) -> float:
    """n / tau: independent observations that would say as much of the mean; nan where the values do not vary."""
    series = as_series(values)
    return len(series) / autocorrelation_time(series)


def von_neumann(values: npt.ArrayLike) -> VonNeumann:
    """Test of independence against positive correlation of neighbours (von Neumann 1941; Young 1941).

    With k independent normal values C is nearly normal with mean 0 and variance (k - 2) / (k^2 - 1). nan where fewer
    than 3 values or none that differ are given.
    """
    series = as_series(values)
    k = len(series)
    if k < 3 or is_constant(series):
        return VonNeumann(math.nan, math.nan)
    offsets = series - series.mean()
    steps = np.diff(series)
    c = 1.0 - float(steps @ steps) / (2.0 * float(offsets @ offsets))
    z = c / math.sqrt((k - 2) / (k * k - 1))
    return VonNeumann(c, 0.5 * math.erfc(z / math.sqrt(2.0)))


def lag1(values: FloatArray) -> float:
    """Lag-1 autocorrelation with divisor n; 0 where the values do not vary or are fewer than 2."""
    if is_constant(values):
        return 0.0
    offsets = values - values.mean()
    return float(offsets[1:] @ offsets[:-1] / (offsets @ offsets))


def _geyer(series: FloatArray) -> float:
    """-1 + 2 sum of the initial monotone sequence of rho(2t) + rho(2t + 1)."""
    products = _autocovariances(series)
    pairs = (products[: len(series) // 2 * 2].reshape(-1, 2).sum(axis=1)) / products[0]
    ends = np.flatnonzero(pairs <= 0)
    positive = pairs[: ends[0]] if len(ends) else pairs
    return -1.0 + 2.0 * float(np.minimum.accumulate(positive).sum())


def _autocovariances(series: FloatArray) -> FloatArray:
    """Sums of the products of offsets from the mean at every lag."""
    from scipy.fft import irfft, next_fast_len, rfft  # type: ignore[import-untyped]

    n = len(series)
    padded = next_fast_len(2 * n, real=True)
    transformed = rfft(series - series.mean(), padded)
    return np.asarray(irfft(transformed * np.conj(transformed), padded)[:n], dtype=np.float64)
