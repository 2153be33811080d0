"""Whether large values are rare, as in an exponential law, or so frequent that a few of them rule the mean.

What exceeds a high threshold follows, the higher it is the better, a generalised Pareto law (Pickands 1975), whose
shape tells: above 0 the tail falls like a power, at 0 it is exponential, below 0 it ends. Hill's estimate, the mean
excess and the slope of the log-log tail show the same to the eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from ..numbers import rounded
from ..runs import Floats
from ..steady.autocorrelation import autocorrelation_time
from ..steady.series import as_series, is_constant

SHARE = 0.05
"""Of all values those that make the tail."""
FEWEST = 50
"""Independent values that a tail must hold to be judged."""
_Z = 1.959963984540054
"""Half-width of a 95 % normal interval, in standard errors."""


class Weight(StrEnum):
    """What a tail looks like."""

    HEAVY = "heavy"
    EXPONENTIAL = "exponential"
    LIGHT = "light"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hill:
    """Hill's estimate of the index of a power tail, P(X > x) ~ x^-alpha, from the k largest values, for several k."""

    k: NDArray[np.intp]
    alpha: Floats
    se: Floats
    """Standard errors alpha / sqrt(k), of independent values."""


@dataclass(frozen=True, slots=True)
class MeanExcess:
    """By how much values beyond a threshold exceed it on average: rising for a heavy tail, level for an exponential."""

    threshold: Floats
    excess: Floats
    beyond: NDArray[np.intp]
    """Values beyond each threshold."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The tail of values beyond a threshold, in their unit."""

    threshold: float
    beyond: int
    effective: float
    """Independent values that would say as much: fewer where large values come in clusters."""
    shape: float
    """Of the generalised Pareto law of what exceeds the threshold."""
    shape_half_width: float
    """Of its 95 % interval."""
    hill_alpha: float
    """Index of the tail if it is a power."""
    log_slope: float
    """Of log P(X > x) against log x: about -alpha of a power, ever steeper for any other tail."""

    @property
    def weight(self) -> Weight:
        """What it looks like."""
        if self.effective < FEWEST:
            return Weight.UNKNOWN
        if self.shape > self.shape_half_width:
            return Weight.HEAVY
        return Weight.LIGHT if self.shape < -self.shape_half_width else Weight.EXPONENTIAL

    @property
    def words(self) -> str:
        """The verdict in a sentence or two."""
        shape = f"shape {self.shape:.2f} +- {self.shape_half_width:.2f}"
        beyond = f"beyond {rounded(self.threshold)}"
        match self.weight:
            case Weight.UNKNOWN:
                return (
                    f"Too little is known of the tail {beyond}: its {self.beyond} values are worth "
                    f"{rounded(max(self.effective, 0.0))} independent ones."
                )
            case Weight.HEAVY:
                missing = ", so that the variance may be infinite" if self.shape + self.shape_half_width >= 0.5 else ""
                return (
                    f"The tail {beyond} looks heavy ({shape}): it falls like a power of about "
                    f"{-1 / self.shape:.1f}{missing}. A lognormal law looks so too."
                )
            case Weight.EXPONENTIAL:
                return f"The tail {beyond} looks exponential ({shape}): large values are rare."
            case Weight.LIGHT:
                return f"The tail {beyond} is lighter than an exponential one ({shape}): there is hardly more to come."


def tail(values: npt.ArrayLike, share: float = SHARE) -> Tail:
    """The tail of values in the order of time: the largest `share` of them.

    The shape is Zhang and Stephens' estimate (Technometrics 51, 2009), nearly as efficient as maximum likelihood, with
    its standard error (1 + shape) / sqrt(k), for shapes below -0.5, which are known better still, that of -0.5; k is
    divided by the autocorrelation time of lying beyond the threshold. ValueError when a value is not finite, the values
    do not vary, or no tail is left.
    """
    series = as_series(values)
    if not 0 < share < 1:
        raise ValueError(f"a tail is a share within (0, 1) of all values, not {share}")
    if is_constant(series):
        raise ValueError("values that do not vary have no tail")
    k = min(math.ceil(share * len(series)), len(series) - 1)
    threshold = float(np.partition(series, -k - 1)[-k - 1])
    beyond = np.sort(series[series > threshold])
    if not len(beyond):
        raise ValueError(f"no value is beyond the threshold {threshold}, which is the largest")
    effective = len(beyond) / autocorrelation_time(series > threshold)
    shape = pareto_shape(beyond - threshold)
    positive = threshold > 0
    return Tail(
        threshold=threshold,
        beyond=len(beyond),
        effective=effective,
        shape=shape,
        shape_half_width=_Z * max(1 + shape, 0.5) / math.sqrt(effective),
        hill_alpha=1 / float(np.log(beyond / threshold).mean()) if positive else math.nan,
        log_slope=_log_slope(beyond, len(series)) if positive else math.nan,
    )


def pareto_shape(excesses: Floats) -> float:
    """Shape of the generalised Pareto law of positive values in rising order: Zhang and Stephens (2009)."""
    n = len(excesses)
    trials = 20 + math.isqrt(n)
    quartile = excesses[max(int(n / 4 + 0.5) - 1, 0)]
    spread = 1 - np.sqrt(trials / (np.arange(1, trials + 1) - 0.5))
    thetas = 1 / excesses[-1] + spread / (3 * quartile)
    shapes = np.array([float(np.log1p(-theta * excesses).mean()) for theta in thetas])
    profile = n * (np.log(-thetas / shapes) - shapes - 1)
    weights = np.exp(profile - profile.max())
    theta = float(weights @ thetas / weights.sum())
    return float(np.log1p(-theta * excesses).mean())


def hill(values: npt.ArrayLike, points: int = 200) -> Hill:
    """Hill's estimates (Annals of Statistics 3, 1975) at up to so many k, spaced evenly on a log scale.

    alpha_k = k / sum_{i<=k} log(x_(i) / x_(k+1)), x_(1) being the largest. Only values above 0 are used. ValueError
    when one is not finite or fewer than two are above 0.
    """
    series = as_series(values)
    logs = np.log(np.sort(series[series > 0])[::-1])
    if len(logs) < 2:
        raise ValueError(f"{len(logs)} values above 0 have no tail")
    k = np.unique(np.geomspace(1, len(logs) - 1, points).astype(np.intp))
    excess = np.cumsum(logs)[k - 1] / k - logs[k]
    apart = excess > 0
    alpha = 1 / excess[apart]
    return Hill(k[apart], alpha, alpha / np.sqrt(k[apart]))


def mean_excess(values: npt.ArrayLike, points: int = 100) -> MeanExcess:
    """Mean excesses over thresholds from the median up, with at least ten values beyond the highest.

    ValueError when a value is not finite.
    """
    ordered = np.sort(as_series(values))
    n = len(ordered)
    beyond = np.unique(np.geomspace(10, max(n // 2, 10), points).astype(np.intp))[::-1]
    beyond = beyond[beyond < n]
    threshold = ordered[n - 1 - beyond]
    sums = np.cumsum(ordered[::-1])[beyond - 1]
    return MeanExcess(threshold, sums / beyond - threshold, beyond)


def _log_slope(beyond: Floats, n: int) -> float:
    """Least squares of log P(X > x) on log x at the values beyond the threshold; nan where they do not differ."""
    x = np.log(beyond)
    if is_constant(x):
        return math.nan
    y = np.log((len(beyond) - np.arange(len(beyond)) - 0.5) / n)
    offsets = x - x.mean()
    return float(offsets @ y / (offsets @ offsets))
