"""Laws of service times as queues need them: three moments, and the distribution where it is known.

What a queue needs of the distribution is F(x) = P(S <= x), and E[min(S, x)], the integral of 1 - F up to x: over E[S]
it is the distribution of what is left of a service when somebody comes at random.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simoffload.world.lengths import lognormal_mean

from . import arguments

Floats = NDArray[np.float64]
Function = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Distribution:
    """Functions of arrays of times x >= 0, s."""

    cdf: Function
    limited_mean: Function
    """E[min(S, x)], s."""


@dataclass(frozen=True, slots=True)
class ServiceLaw:
    """Moments of a service time, and its distribution where it is known; make one with the functions below.

    ValueError for moments that no time has. `third_s3` is nan where it is not known, and it or `second_s2` may be
    infinite.
    """

    mean_s: float
    second_s2: float
    third_s3: float = math.nan
    distribution: Distribution | None = None

    def __post_init__(self) -> None:
        arguments.positive(mean_s=self.mean_s)
        if not self.second_s2 >= self.mean_s**2 * (1 - 1e-9):
            raise ValueError(f"no time of mean {self.mean_s:g} s has a second moment of {self.second_s2:g} s^2")
        if self.third_s3 < self.second_s2**2 / self.mean_s * (1 - 1e-9):
            raise ValueError(f"no time with these two moments has a third moment of {self.third_s3:g} s^3")

    @property
    def squared_cv(self) -> float:
        """Variance over the square of the mean: 1 for exponential times, 0 for constant ones."""
        return max(self.second_s2 / self.mean_s**2 - 1, 0.0)

    @property
    def residual_s(self) -> float:
        """Mean of what is left of a service when somebody comes at random: E[S^2] / (2 E[S])."""
        return self.second_s2 / (2 * self.mean_s)


def exponential(mean_s: float) -> ServiceLaw:
    """Exponential times."""
    arguments.positive(mean_s=mean_s)

    def cdf(x: Floats) -> Floats:
        return -np.expm1(-x / mean_s)

    return ServiceLaw(mean_s, 2 * mean_s**2, 6 * mean_s**3, Distribution(cdf, lambda x: mean_s * cdf(x)))


def constant(time_s: float) -> ServiceLaw:
    """Always the same time."""
    known = Distribution(lambda x: np.where(x >= time_s, 1.0, 0.0), lambda x: np.minimum(x, time_s))
    return ServiceLaw(time_s, time_s**2, time_s**3, known)


def uniform(low_s: float, high_s: float) -> ServiceLaw:
    """Uniform between two times."""
    arguments.not_negative(low_s=low_s)
    if not high_s > low_s:
        raise ValueError(f"high_s must be above low_s, not {high_s!r} above {low_s!r}")
    width = high_s - low_s

    def cdf(x: Floats) -> Floats:
        return np.clip((x - low_s) / width, 0.0, 1.0)

    def limited_mean(x: Floats) -> Floats:
        inside = np.clip(x, low_s, high_s)
        return np.asarray(np.minimum(x, inside) - (inside - low_s) ** 2 / (2 * width))

    second = (high_s**3 - low_s**3) / (3 * width)
    third = (high_s**4 - low_s**4) / (4 * width)
    return ServiceLaw((low_s + high_s) / 2, second, third, Distribution(cdf, limited_mean))


def gamma(mean_s: float, cv: float) -> ServiceLaw:
    """Gamma times of a coefficient of variation `cv`; cv = 1/sqrt(k) are Erlang-k, cv = 1 exponential times."""
    arguments.positive(mean_s=mean_s, cv=cv)
    shape, scale = cv**-2, mean_s * cv**2

    def cdf(x: Floats) -> Floats:
        from scipy.special import gammainc  # type: ignore[import-untyped]

        return np.asarray(gammainc(shape, x / scale))

    def limited_mean(x: Floats) -> Floats:
        from scipy.special import gammainc, gammaincc

        return np.asarray(mean_s * gammainc(shape + 1, x / scale) + x * gammaincc(shape, x / scale))

    second = mean_s**2 * (1 + cv**2)
    return ServiceLaw(mean_s, second, second * mean_s * (1 + 2 * cv**2), Distribution(cdf, limited_mean))


def lognormal(mean_s: float, cv: float) -> ServiceLaw:
    """Lognormal times of a coefficient of variation `cv`."""
    arguments.positive(mean_s=mean_s, cv=cv)
    spread = math.log1p(cv * cv)

    def cdf(x: Floats) -> Floats:
        from scipy.special import ndtr

        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((np.log(x / mean_s) + spread / 2) / math.sqrt(spread)))

    limited = np.vectorize(lambda x: lognormal_mean(mean_s, cv, 0.0, x) if x > 0 else 0.0, otypes=[np.float64])
    grown = 1 + cv * cv
    return ServiceLaw(mean_s, mean_s**2 * grown, mean_s**3 * grown**3, Distribution(cdf, limited))


def discrete(times_s: ArrayLike, weights: ArrayLike | None = None) -> ServiceLaw:
    """One of these times, with chances in proportion to `weights` (equal where left out): also the law of a sample.

    ValueError for no times, or what are no times or no weights.
    """
    times = np.asarray(times_s, dtype=np.float64)
    chances = np.ones(len(times)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(times) or not np.isfinite(times).all() or times.min() < 0:
        raise ValueError("service times must be finite and at least 0, and there must be one at least")
    if chances.shape != times.shape or not np.isfinite(chances).all() or chances.min() < 0 or chances.sum() <= 0:
        raise ValueError("weights must be finite and at least 0, one for each time, and not all 0")
    order = np.argsort(times, kind="stable")
    times, chances = times[order], chances[order] / chances.sum()
    masses = np.concatenate([[0.0], np.cumsum(chances)])
    sums = np.concatenate([[0.0], np.cumsum(chances * times)])

    def cdf(x: Floats) -> Floats:
        return np.asarray(masses[np.searchsorted(times, x, side="right")])

    def limited_mean(x: Floats) -> Floats:
        below = np.searchsorted(times, x, side="right")
        return np.asarray(sums[below] + (1 - masses[below]) * x)

    first, second, third = (float(chances @ times**k) for k in (1, 2, 3))
    return ServiceLaw(first, second, third, Distribution(cdf, limited_mean))


def scaled(law: ServiceLaw, factor: float) -> ServiceLaw:
    """The law of a time that is `factor` times as long."""
    known = law.distribution
    moments = (factor * law.mean_s, factor**2 * law.second_s2, factor**3 * law.third_s3)
    if known is None:
        return ServiceLaw(*moments)
    return ServiceLaw(
        *moments, Distribution(lambda x: known.cdf(x / factor), lambda x: factor * known.limited_mean(x / factor))
    )


def mixture(laws: Sequence[ServiceLaw], weights: Sequence[float]) -> ServiceLaw:
    """The law of a service that is of one of `laws`, with chances in proportion to `weights`."""
    arguments.at_least(1, laws=len(laws))
    arguments.not_negative(**{f"weights[{place}]": weight for place, weight in enumerate(weights)})
    total = math.fsum(weights)
    arguments.positive(sum_of_weights=total)
    pairs = [(law, weight / total) for law, weight in zip(laws, weights, strict=True) if weight > 0]
    if len(pairs) == 1:
        return pairs[0][0]
    known = [(law.distribution, chance) for law, chance in pairs if law.distribution is not None]
    return ServiceLaw(
        math.fsum(chance * law.mean_s for law, chance in pairs),
        math.fsum(chance * law.second_s2 for law, chance in pairs),
        math.fsum(chance * law.third_s3 for law, chance in pairs),
        _mixed(known) if len(known) == len(pairs) else None,
    )


def _mixed(parts: Sequence[tuple[Distribution, float]]) -> Distribution:
    def cdf(x: Floats) -> Floats:
        return np.asarray(sum(chance * each.cdf(x) for each, chance in parts))

    def limited_mean(x: Floats) -> Floats:
        return np.asarray(sum(chance * each.limited_mean(x) for each, chance in parts))

    return Distribution(cdf, limited_mean)
