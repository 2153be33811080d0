"""Maximum likelihood for the laws that service and arrival times are described by.

Each law takes values to the distribution of its family under which they are likeliest; closed forms or one equation
in one unknown where there is one, and expectation maximisation for the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..runs import Floats

_STEPS = 200
_GAIN = 1e-9
"""Of log-likelihood per value and step, below which a mixture is no longer improved."""


class Distribution(Protocol):
    """What is asked of a fitted distribution; frozen ones of scipy.stats have it."""

    def logpdf(self, x: npt.ArrayLike) -> Any:
        """Log of the density."""

    def cdf(self, x: npt.ArrayLike) -> Any:
        """P(X <= x)."""

    def sf(self, x: npt.ArrayLike) -> Any:
        """P(X > x)."""

    def ppf(self, q: npt.ArrayLike) -> Any:
        """Quantiles."""

    def rvs(self, size: int, random_state: np.random.Generator) -> Any:
        """Random values."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The likeliest distribution of a law, and its parameters; times in the unit of the values."""

    parameters: Mapping[str, float]
    distribution: Distribution


class NotApplicableError(ValueError):
    """A law that cannot be that of these values; the message says why."""


Fitter = Callable[[Floats], Fitted]


def exponential(values: Floats) -> Fitted:
    """Of values that are at least 0."""
    from scipy.stats import expon  # type: ignore[import-untyped]

    if values.min() < 0:
        raise NotApplicableError("some values are below 0")
    mean = float(values.mean())
    return Fitted({"mean": mean}, expon(scale=mean))


def normal(values: Floats) -> Fitted:
    """Of any values."""
    from scipy.stats import norm

    mean, sd = float(values.mean()), float(values.std())
    return Fitted({"mean": mean, "sd": sd}, norm(mean, sd))


def lognormal(values: Floats) -> Fitted:
    """Of positive values, whose logs are normal: their mean and standard deviation are the parameters."""
    from scipy.stats import lognorm

    logs = _logs(values)
    mu, sigma = float(logs.mean()), float(logs.std())
    return Fitted({"mu": mu, "sigma": sigma}, lognorm(sigma, scale=math.exp(mu)))


def gamma(values: Floats) -> Fitted:
    """Of positive values; log k - digamma(k) = log mean - mean log, solved by Newton (Minka 2002)."""
    from scipy.stats import gamma as law

    shape, mean = _gamma_shape(values), float(values.mean())
    return Fitted({"shape": shape, "scale": mean / shape}, law(shape, scale=mean / shape))


def erlang(values: Floats) -> Fitted:
    """A gamma law whose shape is a whole number of phases: the likelier of the two next to the gamma's."""
    from scipy.stats import gamma as law

    shape, mean = _gamma_shape(values), float(values.mean())
    fits = [law(phases, scale=mean / phases) for phases in {max(math.floor(shape), 1), math.ceil(shape)}]
    best = max(fits, key=lambda each: float(each.logpdf(values).sum()))
    phases = float(best.args[0])
    return Fitted({"phases": phases, "scale": mean / phases}, best)


def weibull(values: Floats) -> Fitted:
    """Of positive values; sum(x^c log x) / sum(x^c) - 1/c = mean log x, solved by bracketing."""
    from scipy.optimize import brentq  # type: ignore[import-untyped]
    from scipy.stats import weibull_min

    logs = _logs(values)
    logs -= logs.max()

    def excess(shape: float) -> float:
        powers = np.exp(shape * logs)
        return float(powers @ logs / powers.sum() - 1 / shape - logs.mean())

    guess = 1.2 / float(logs.std())
    low, high = guess / 2, guess * 2
    while excess(low) > 0:
        low /= 2
    while excess(high) < 0:
        high *= 2
    shape = float(brentq(excess, low, high, xtol=1e-12 * guess))
    scale = float(values.max()) * float(np.exp(shape * logs).mean()) ** (1 / shape)
    return Fitted({"shape": shape, "scale": scale}, weibull_min(shape, scale=scale))


def hyperexponential(values: Floats) -> Fitted:
    """Of values that vary more than exponential ones do: each from one of two exponential laws, by chance."""
    mean, sd = float(values.mean()), float(values.std())
    if values.min() < 0:
        raise NotApplicableError("some values are below 0")
    if sd <= mean:
        raise NotApplicableError("they vary no more than an exponential law")
    share, rates = _balanced(mean, sd)
    before = -math.inf
    for _ in range(_STEPS):
        densities = np.array([share, 1 - share])[:, None] * rates[:, None] * np.exp(-rates[:, None] * values)
        whole = densities.sum(axis=0)
        likelihood = float(np.log(whole).mean())
        if likelihood - before < _GAIN:
            break
        before = likelihood
        first = densities[0] / whole
        share = float(first.mean())
        rates = np.array([first.sum() / (first @ values), (1 - first).sum() / ((1 - first) @ values)])
    means = 1 / rates
    return Fitted(
        {"share": share, "mean 1": float(means[0]), "mean 2": float(means[1])},
        Hyperexponential(share, float(means[0]), float(means[1])),
    )


LAWS: Mapping[str, tuple[Fitter, int]] = {
    "exponential": (exponential, 1),
    "gamma": (gamma, 2),
    "Erlang": (erlang, 2),
    "Weibull": (weibull, 2),
    "lognormal": (lognormal, 2),
    "normal": (normal, 2),
    "hyperexponential": (hyperexponential, 3),
}
"""How each is fitted, and the number of its parameters."""


@dataclass(frozen=True, slots=True)
class Hyperexponential:
    """Exponential with mean `first` for a share of all values, with mean `second` for the others."""

    share: float
    first: float
    second: float

    def logpdf(self, x: npt.ArrayLike) -> Floats:
        """Log of the density."""
        values = np.asarray(x, dtype=np.float64)
        return np.logaddexp(
            math.log(self.share / self.first) - values / self.first,
            math.log1p(-self.share) - math.log(self.second) - values / self.second,
        )

    def sf(self, x: npt.ArrayLike) -> Floats:
        """P(X > x)."""
        values = np.asarray(x, dtype=np.float64)
        found: Floats = self.share * np.exp(-values / self.first) + (1 - self.share) * np.exp(-values / self.second)
        return found

    def cdf(self, x: npt.ArrayLike) -> Floats:
        """P(X <= x)."""
        values = np.asarray(x, dtype=np.float64)
        found: Floats = -self.share * np.expm1(-values / self.first) - (1 - self.share) * np.expm1(
            -values / self.second
        )
        return found

    def ppf(self, q: npt.ArrayLike) -> Floats:
        """Quantiles, by halving the stretch between those of the two laws."""
        shares = np.asarray(q, dtype=np.float64)
        with np.errstate(divide="ignore"):
            unit = -np.log1p(-shares)
        low, high = (scale * unit for scale in sorted((self.first, self.second)))
        for _ in range(100):
            middle = (low + high) / 2
            below = self.cdf(middle) < shares
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return np.asarray(high)

    def rvs(self, size: int, random_state: np.random.Generator) -> Floats:
        """Random values."""
        scales = np.where(random_state.random(size) < self.share, self.first, self.second)
        found: Floats = scales * random_state.standard_exponential(size)
        return found


def _logs(values: Floats) -> Floats:
    if values.min() <= 0:
        raise NotApplicableError("some values are not above 0")
    logs: Floats = np.log(values)
    return logs


def _gamma_shape(values: Floats) -> float:
    from scipy.special import digamma, polygamma  # type: ignore[import-untyped]

    logs = _logs(values)
    s = math.log(float(values.mean())) - float(logs.mean())
    shape = (3 - s + math.sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    for _ in range(30):
        slope = 1 / shape - float(polygamma(1, shape))
        step = (math.log(shape) - float(digamma(shape)) - s) / (shape**2 * slope)
        shape, before = 1 / (1 / shape + step), shape
        if abs(shape - before) <= 1e-13 * shape:
            break
    return shape


def _balanced(mean: float, sd: float) -> tuple[float, Floats]:
    """Share of the first phase and rates of both, of given mean and sd, when both phases give half of the mean."""
    squared = (sd / mean) ** 2
    share = (1 + math.sqrt((squared - 1) / (squared + 1))) / 2
    return share, np.array([2 * share, 2 * (1 - share)]) / mean
