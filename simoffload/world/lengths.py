"""Lengths and amounts that chance decides: tokens, bytes, seconds, weights, difficulty.

A sampler has the `mean` of its law and gives a value at each `next()`. Each one draws from a stream of its own; a
constant draws nothing, so making a length random does not disturb any other.
"""

from __future__ import annotations

import math
import os
from array import array
from functools import lru_cache
from typing import Any, Protocol

from ..random_streams import Alternatives, Exponentials, Normals, Streams, Uniforms
from ..schema.distributions import Choice, Constant, Empirical, Exponential, Lognormal, Normal, Uniform

Distribution = Constant[Any] | Uniform[Any] | Exponential[Any] | Lognormal[Any] | Normal[Any] | Choice[Any] | Empirical

_SQRT_2 = math.sqrt(2)
_SQRT_2_PI = math.sqrt(2 * math.pi)


class Sampler(Protocol):
    """Draws from one law."""

    @property
    def mean(self) -> float:
        """Mean of the law."""

    def next(self) -> float:
        """The next value."""


def make_sampler(
    distribution: Distribution, streams: Streams, entity: str, purpose: str, *, least: float = -math.inf
) -> Sampler:
    """The sampler of a distribution, on the stream of (`entity`, `purpose`), in SI units.

    `least` is the smallest value that makes sense: a normal law, the only one that could pass below it, is clipped.
    """
    d = distribution
    if isinstance(d, Constant):
        return Always(d.value)
    if isinstance(d, Exponential) and d.mean == 0:
        return Always(0.0)
    generator = streams.generator(entity, purpose)
    if isinstance(d, Uniform):
        return _Uniform(d.low, d.high, Uniforms(generator))
    if isinstance(d, Exponential):
        return _Exponential(d.mean, Exponentials(generator))
    if isinstance(d, Lognormal):
        low, high = _bounds(d.min, d.max, 0.0)
        return _Lognormal(d.mean, d.cv, low, high, Normals(generator))
    if isinstance(d, Normal):
        low, high = _bounds(d.min, d.max, least)
        return _Normal(d.mean, d.sd, low, high, Normals(generator))
    if isinstance(d, Choice):
        weights = [1.0] * len(d.values) if d.weights is None else d.weights
        return _Choice(Alternatives(d.values, weights), Uniforms(generator))
    return _Resampled(_column(d), Uniforms(generator))


def lognormal_mean(mean: float, cv: float, low: float = 0.0, high: float = math.inf) -> float:
    """Mean of a lognormal quantity of mean `mean` and coefficient of variation `cv` once it is clipped to [low, high].

    With X = exp(m + s Z): low P(X < low) + high P(X > high) + mean (Phi(b - s) - Phi(a - s)), where a and b are the
    standard scores of log low and log high.
    """
    sigma = math.sqrt(math.log1p(cv * cv))
    mu = math.log(mean) - sigma * sigma / 2
    a = (math.log(low) - mu) / sigma if low > 0 else -math.inf
    b = (math.log(high) - mu) / sigma if 0 < high < math.inf else math.inf if high > 0 else -math.inf
    inside = mean * _between(a - sigma, b - sigma)
    return inside + low * _between(-math.inf, a) + _times(high, _between(b, math.inf))


def normal_mean(mean: float, sd: float, low: float = -math.inf, high: float = math.inf) -> float:
    """Mean of a normal quantity once it is clipped to [low, high].

    low P(X < low) + high P(X > high) + mean (Phi(b) - Phi(a)) + sd (phi(a) - phi(b)), a and b the standard scores of
    the bounds.
    """
    if sd == 0:
        return min(max(mean, low), high)
    a, b = (low - mean) / sd, (high - mean) / sd
    inside = mean * _between(a, b) + sd * (_density(a) - _density(b))
    return inside + _times(low, _between(-math.inf, a)) + _times(high, _between(b, math.inf))


class Always:
    """One and the same value."""

    __slots__ = ("mean",)

    def __init__(self, value: float) -> None:
        self.mean = value

    def next(self) -> float:
        """The value."""
        return self.mean


class _Uniform:
    __slots__ = ("_low", "_uniforms", "_width", "mean")

    def __init__(self, low: float, high: float, uniforms: Uniforms) -> None:
        self.mean = low + (high - low) / 2
        self._low = low
        self._width = high - low
        self._uniforms = uniforms

    def next(self) -> float:
        return self._low + self._width * self._uniforms.next()


class _Exponential:
    __slots__ = ("_exponentials", "mean")

    def __init__(self, mean: float, exponentials: Exponentials) -> None:
        self.mean = mean
        self._exponentials = exponentials

    def next(self) -> float:
        return self.mean * self._exponentials.next()


class _Lognormal:
    __slots__ = ("_high", "_low", "_mu", "_normals", "_sigma", "mean")

    def __init__(self, mean: float, cv: float, low: float, high: float, normals: Normals) -> None:
        self.mean = lognormal_mean(mean, cv, low, high)
        self._sigma = math.sqrt(math.log1p(cv * cv))
        self._mu = math.log(mean) - self._sigma * self._sigma / 2
        self._low = low
        self._high = high
        self._normals = normals

    def next(self) -> float:
        value = math.exp(self._mu + self._sigma * self._normals.next())
        return min(max(value, self._low), self._high)


class _Normal:
    __slots__ = ("_centre", "_high", "_low", "_normals", "_sd", "mean")

    def __init__(self, mean: float, sd: float, low: float, high: float, normals: Normals) -> None:
        self.mean = normal_mean(mean, sd, low, high)
        self._centre = mean
        self._sd = sd
        self._low = low
        self._high = high
        self._normals = normals

    def next(self) -> float:
        value = self._centre + self._sd * self._normals.next()
        return min(max(value, self._low), self._high)


class _Choice:
    __slots__ = ("_alternatives", "_uniforms", "mean")

    def __init__(self, alternatives: Alternatives[float], uniforms: Uniforms) -> None:
        pairs = zip(alternatives.values, alternatives.chances, strict=True)
        self.mean = math.fsum(value * chance for value, chance in pairs)
        self._alternatives = alternatives
        self._uniforms = uniforms

    def next(self) -> float:
        return self._alternatives.pick(self._uniforms.next())


class _Resampled:
    __slots__ = ("_uniforms", "_values", "mean")

    def __init__(self, values: array[float], uniforms: Uniforms) -> None:
        self.mean = math.fsum(values) / len(values)
        self._values = values
        self._uniforms = uniforms

    def next(self) -> float:
        return self._values[int(self._uniforms.next() * len(self._values))]


def _bounds(low: float | None, high: float | None, least: float) -> tuple[float, float]:
    bottom = least if low is None else max(low, least)
    return bottom, math.inf if high is None else max(high, bottom)


def _between(a: float, b: float) -> float:
    """P(a < Z < b) of a standard normal Z, from the tail in which both lie, so that small chances keep their digits."""
    if a > 0:
        a, b = -b, -a
    return (math.erfc(-b / _SQRT_2) - math.erfc(-a / _SQRT_2)) / 2


def _density(z: float) -> float:
    return math.exp(-z * z / 2) / _SQRT_2_PI


def _times(bound: float, chance: float) -> float:
    """A bound times its chance; 0 for a bound at infinity."""
    return bound * chance if math.isfinite(bound) else 0.0


def _column(source: Empirical) -> array[float]:
    state = os.stat(source.file)
    return _read_column(source.file, source.format, source.column, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=16)
def _read_column(file: str, format: str | None, column: str, changed_ns: int, size: int) -> array[float]:
    """A column of a request trace, read once however many samplers draw from it; the last two tell a changed file."""
    from ..traces import read_requests

    return array("d", getattr(read_requests(file, format), column))
