"""Which probability law describes values, and whether any does.

Laws are fitted by maximum likelihood and ordered by Akaike's criterion. That one fits best does not say that it fits:
the Kolmogorov-Smirnov and Anderson-Darling distances tell, held against those of random values of the very law, fitted
again each time (parametric bootstrap; Stute, Gonzales Manteiga and Presedo Quindimil 1993). Tables of these tests are
for laws that were known beforehand, and would find nearly everything to fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simoffload.schema.problems import nearest

from ..numbers import counted, listed
from ..runs import Floats
from ..steady.series import as_series, is_constant
from .likelihood import LAWS, Distribution, Fitted, NotApplicableError

MOST = 2000
"""As many values are used, at even distances: neighbours depend on each other, and no law of the world is exact."""
FEWEST = 20
RESAMPLES = 199
SIGNIFICANCE = 0.05
FEWEST_RESAMPLES = 19
"""With fewer no p-value is as small as the significance, and everything would fit."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A law with the parameters that make the values likeliest."""

    law: str
    parameters: Mapping[str, float]
    distribution: Distribution
    """For densities, quantiles and random values."""
    log_likelihood: float
    aic: float
    """2 parameters - 2 log-likelihood: the least is best."""
    ks: float
    """Largest distance of the distribution functions (Kolmogorov-Smirnov)."""
    ks_p: float
    """Chance of as large a distance, if the law were right."""
    ad: float
    """Distance with weight on both tails (Anderson-Darling); infinite where a value is impossible."""
    ad_p: float

    @property
    def fits(self) -> bool:
        """Whether neither test speaks against it, at 5 %."""
        return self.p > SIGNIFICANCE

    @property
    def p(self) -> float:
        """The smaller of the two chances."""
        return min(self.ks_p, self.ad_p)


@dataclass(frozen=True, slots=True)
class Fits:
    """Fits of several laws to the same values, the best first; `left_out` says why other laws cannot be theirs."""

    values: Floats
    """In rising order: those that were used."""
    of: int
    """Number of all values."""
    fits: tuple[Fit, ...]
    left_out: Mapping[str, str]

    @property
    def best(self) -> Fit:
        """The one of least AIC."""
        return self.fits[0]

    @property
    def words(self) -> str:
        """What came of it, in a sentence or two."""
        best = self.best
        fitting = [fit.law for fit in self.fits if fit.fits]
        used = counted(len(self.values), "value") + (f" out of {self.of}" if self.of > len(self.values) else "")
        if best.fits:
            others = fitting[1:]
            also = f" {listed(others)} would do as well." if others else ""
            return f"{best.law} describes {used} best, and fits (p = {best.p:.2g}).{also}"
        if fitting:
            return f"{best.law} describes {used} best, but does not fit (p = {best.p:.2g}); {listed(fitting)} would."
        return f"No law fits {used}; {best.law} comes nearest (distance {best.ks:.3f})."


def fit_laws(
    values: npt.ArrayLike, laws: Sequence[str] = tuple(LAWS), resamples: int = RESAMPLES, seed: int = 0
) -> Fits:
    """Fit laws to values in the order of time.

    p-values are (1 + resamples as far away) / (1 + resamples), a resample that the law cannot be fitted to left aside.
    They are for independent values: where those used still depend on each other, they are too small. ValueError when a
    value is not finite, fewer than 20 are given, they do not vary, a law is unknown, or
    resamples are fewer than 19.
    """
    series = as_series(values)
    for law in laws:
        if law not in LAWS:
            close = nearest(law, LAWS)
            hint = "" if close is None else f"; did you mean '{close}'?"
            raise ValueError(f"there is no law '{law}'; allowed: {', '.join(LAWS)}{hint}")
    if resamples < FEWEST_RESAMPLES:
        raise ValueError(f"a p-value takes at least {FEWEST_RESAMPLES} resamples, not {resamples}")
    if len(series) < FEWEST or is_constant(series):
        raise ValueError(f"laws are fitted to at least {FEWEST} values that vary, not to {len(series)}")
    used = np.sort(series[:: -(-len(series) // MOST)])
    fits, left_out = [], {}
    for number, law in enumerate(laws):
        try:
            fits.append(_fit(law, used, resamples, np.random.default_rng([seed, number])))
        except NotApplicableError as error:
            left_out[law] = str(error)
    if not fits:
        raise ValueError(f"none of these laws can be that of the values: {next(iter(left_out.values()))}")
    return Fits(used, len(series), tuple(sorted(fits, key=lambda fit: fit.aic)), left_out)


def kolmogorov_smirnov(ordered: Floats, distribution: Distribution) -> float:
    """D = max |F_n - F| over values in rising order."""
    n = len(ordered)
    below = np.asarray(distribution.cdf(ordered))
    return float(max((np.arange(1, n + 1) / n - below).max(), (below - np.arange(n) / n).max()))


def anderson_darling(ordered: Floats, distribution: Distribution) -> float:
    """A^2 = -n - sum (2i - 1) (log F(x_i) + log(1 - F(x_{n+1-i}))) / n over values in rising order."""
    n = len(ordered)
    below, above = np.asarray(distribution.cdf(ordered)), np.asarray(distribution.sf(ordered))
    if (below <= 0).any() or (above <= 0).any():
        return math.inf
    terms = (2 * np.arange(1, n + 1) - 1) * (np.log(below) + np.log(above[::-1]))
    return float(-n - terms.sum() / n)


def _fit(law: str, ordered: Floats, resamples: int, generator: np.random.Generator) -> Fit:
    fitter, parameters = LAWS[law]
    fitted = fitter(ordered)
    ks, ad = _distances(ordered, fitted)
    drawn = []
    for _ in range(resamples):
        values = np.sort(np.asarray(fitted.distribution.rvs(len(ordered), random_state=generator)))
        with suppress(NotApplicableError):
            drawn.append(_distances(values, fitter(values)))
    beyond = np.count_nonzero(np.reshape(drawn, (-1, 2)) >= (ks, ad), axis=0)
    ks_p, ad_p = ((1 + beyond) / (1 + len(drawn))).tolist()
    likelihood = float(np.asarray(fitted.distribution.logpdf(ordered)).sum())
    return Fit(
        law, fitted.parameters, fitted.distribution, likelihood, 2 * parameters - 2 * likelihood, ks, ks_p, ad, ad_p
    )


def _distances(ordered: Floats, fitted: Fitted) -> tuple[float, float]:
    return kolmogorov_smirnov(ordered, fitted.distribution), anderson_darling(ordered, fitted.distribution)
