"""Laws of service times that follow from the distributions that a scenario names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.run.means import mean
from simoffload.schema.distributions import (
    Choice,
    Constant,
    Empirical,
    Exponential,
    Lognormal,
    Normal,
    Uniform,
)

from .service import Distribution, ServiceLaw, constant, discrete, exponential, lognormal, uniform

Floats = NDArray[np.float64]
Named = Constant[Any] | Uniform[Any] | Exponential[Any] | Lognormal[Any] | Normal[Any] | Choice[Any] | Empirical

_POINTS = 40_000


def law_of(named: Named) -> ServiceLaw | None:
    """The law of a quantity that is never negative, in its SI unit; None for one that is always 0.

    TypeError for an empirical one, of which only the file knows.
    """
    d = named
    if mean(d) <= 0:
        return None
    if isinstance(d, Constant):
        return constant(d.value)
    if isinstance(d, Exponential):
        return exponential(d.mean)
    if isinstance(d, Uniform):
        return uniform(d.low, d.high) if d.high > d.low else constant(d.low)
    if isinstance(d, Choice):
        return discrete(d.values, d.weights)
    if isinstance(d, Lognormal) and d.min is None and d.max is None:
        return lognormal(d.mean, d.cv)
    assert isinstance(d, (Lognormal, Normal)), "the mean of any other has been refused"
    return _clipped(d)


def _clipped(d: Lognormal[Any] | Normal[Any]) -> ServiceLaw:
    """Of a lognormal or normal quantity clipped to [min, max], and never below 0.

    Moments as integrals of k x^(k-1) P(X > x) from 0 up, on the scale of the standard scores of the underlying normal.
    """
    from scipy.special import ndtr  # type: ignore[import-untyped]

    low, high = max(d.min or 0.0, 0.0), math.inf if d.max is None else max(d.max, 0.0)
    if high <= low:
        return constant(high)
    if isinstance(d, Lognormal):
        spread = math.sqrt(math.log1p(d.cv**2))
        centre = math.log(d.mean) - spread**2 / 2
    else:
        spread, centre = d.sd, d.mean
    if spread == 0:
        return constant(min(max(centre, low), high))

    def value(score: Floats) -> Floats:
        drawn = centre + spread * score
        return np.clip(np.exp(drawn) if isinstance(d, Lognormal) else drawn, low, high)

    def cdf(x: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            score = ((np.log(x) if isinstance(d, Lognormal) else x) - centre) / spread
        return np.where(x < low, 0.0, np.where(x >= high, 1.0, ndtr(score)))

    limited = np.vectorize(lambda x: mean(d, x), otypes=[np.float64])
    scores, weights = _normal_quadrature()
    second, third = (float(weights @ value(scores) ** k) for k in (2, 3))
    return ServiceLaw(mean(d), second, third, Distribution(cdf, limited))


def _normal_quadrature() -> tuple[Floats, Floats]:
    """Points and weights of the midpoint rule for means over a standard normal score, out to 14 of its deviations."""
    step = 28 / _POINTS
    scores: Floats = np.arange(_POINTS, dtype=np.float64) * step - 14 + step / 2
    return scores, np.asarray(np.exp(-(scores**2) / 2) * step / math.sqrt(2 * math.pi))
