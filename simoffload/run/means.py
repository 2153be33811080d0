"""Means of the distributions that a scenario names: closed forms, without a draw."""

from __future__ import annotations

import math
from typing import Any

from ..schema.distributions import (
    Choice,
    Constant,
    Empirical,
    Exponential,
    Lognormal,
    Normal,
    Uniform,
)
from ..world.lengths import lognormal_mean, normal_mean

_NODES = 64
"""Points of the quadrature over the noise of an answer's length."""

Distribution = Constant[Any] | Uniform[Any] | Exponential[Any] | Lognormal[Any] | Normal[Any] | Choice[Any] | Empirical


def mean(distribution: Distribution, most: float = math.inf) -> float:
    """E[min(X, most)] of a quantity X that is never negative, in its SI unit; TypeError for an empirical one."""
    d = distribution
    if isinstance(d, Constant):
        return min(float(d.value), most)
    if isinstance(d, Uniform):
        return _uniform(d.low, d.high, most)
    if isinstance(d, Exponential):
        return d.mean * -math.expm1(-most / d.mean) if d.mean > 0 else 0.0
    if isinstance(d, Lognormal):
        low, high = d.min or 0.0, _least(d.max, most)
        return high if high <= low else lognormal_mean(d.mean, d.cv, low, high)
    if isinstance(d, Normal):
        low, high = max(d.min or 0.0, 0.0), _least(d.max, most)
        return high if high <= low else normal_mean(d.mean, d.sd, low, high)
    if isinstance(d, Choice):
        weights = d.weights or [1.0] * len(d.values)
        return math.fsum(w * min(v, most) for v, w in zip(d.values, weights, strict=True)) / math.fsum(weights)
    raise TypeError("the mean of an empirical distribution has no closed form")


def mean_answer(distribution: Distribution, noise: float, most: float) -> float:
    """E[min(X F, most)], F lognormal with mean 1 and sigma `noise`: the mean true length of an answer.

    E[min(X F, most)] = E[F mean(X, most / F)], by Gauss-Hermite quadrature over F.
    """
    if noise == 0:
        return mean(distribution, most)
    from numpy.polynomial.hermite_e import hermegauss

    points, weights = (values.tolist() for values in hermegauss(_NODES))
    factors = [math.exp(noise * z - noise * noise / 2) for z in points]
    terms = [w * f * mean(distribution, most / f) for f, w in zip(factors, weights, strict=True)]
    return math.fsum(terms) / math.fsum(w * f for f, w in zip(factors, weights, strict=True))


def _least(bound: float | None, most: float) -> float:
    return most if bound is None else min(bound, most)


def _uniform(low: float, high: float, most: float) -> float:
    if most >= high:
        return (low + high) / 2
    if most <= low:
        return most
    below = (most - low) / (high - low)
    return below * (low + most) / 2 + (1 - below) * most
