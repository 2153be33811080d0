"""A second opinion on a mean's interval: its variance as the spectrum at frequency 0, which few assumptions give.

Where it and batch means disagree, the run is too short for either.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .batch_means import MeanInterval, symmetric
from .series import as_series, is_constant

POINTS = 25
"""Averages of pairs of the lowest frequencies to which the polynomial is fitted."""
DEGREE, BIAS, DEGREES = 2, 0.882, 7
"""Of the polynomial; the constants of Heidelberger and Welch's table for 25 points and a polynomial of degree 2."""


def spectral(values: npt.ArrayLike, level: float = 0.95) -> MeanInterval:
    """Heidelberger and Welch's interval (Communications of the ACM 24, 1981) of the mean of a stationary series.

    With the periodogram I(j) at frequency j / n, the points log((I(2i - 1) + I(2i)) / 2) + 0.270 at (4i - 1) / 2n for
    i = 1, ..., 25 are fitted by a parabola of value a at 0: Var(mean) = 0.882 e^a / n, with 7 degrees of freedom.
    Infinite ends where fewer than 102 values are there. ValueError as for `as_series` and for the level.
    """
    series = as_series(values)
    n = len(series)
    mean = float(series.mean()) if n else math.nan
    if n < 4 * POINTS + 2:
        return symmetric(mean, math.inf, 0, level)
    if is_constant(series):
        return symmetric(mean, 0.0, DEGREES, level)
    from scipy.fft import rfft  # type: ignore[import-untyped]

    periodogram = np.abs(rfft(series - mean)[1 : 2 * POINTS + 1]) ** 2 / n
    points = np.log(periodogram.reshape(POINTS, 2).mean(axis=1)) + 0.270
    at = (4 * np.arange(1, POINTS + 1) - 1) / (2 * n)
    at_zero = float(np.polynomial.Polynomial.fit(at, points, DEGREE)(0.0))
    return symmetric(mean, math.sqrt(BIAS * math.exp(at_zero) / n), DEGREES, level)
