"""The law that values came from is found, and where none fits that is said."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from simoffload.analysis.behaviour.fits import anderson_darling, fit_laws, kolmogorov_smirnov
from simoffload.analysis.behaviour.likelihood import Hyperexponential

Floats = NDArray[np.float64]


def drawn(law: Any, n: int = 800, seed: int = 3) -> Floats:
    return np.asarray(law.rvs(n, random_state=np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("lognormal", scipy.stats.lognorm(1.0)),
        ("normal", scipy.stats.norm(50, 2)),
        ("Weibull", scipy.stats.weibull_min(3.0)),
        ("hyperexponential", Hyperexponential(0.9, 1.0, 30.0)),
    ],
)
def test_the_law_behind_the_values_is_best_and_fits(name: str, law: Any) -> None:
    found = fit_laws(drawn(law), resamples=39)
    assert found.best.law == name
    assert found.best.fits
    assert found.words.startswith(f"{name} describes 800 values best, and fits")
    assert [fit.aic for fit in found.fits] == sorted(fit.aic for fit in found.fits)


def test_special_cases_of_a_law_are_as_good() -> None:
    found = {fit.law: fit for fit in fit_laws(drawn(scipy.stats.expon()), resamples=39).fits}
    assert found["exponential"].fits
    assert found["gamma"].fits
    assert found["exponential"].aic < found["gamma"].aic + 2
    assert not found["normal"].fits


def test_where_no_law_fits_that_is_said() -> None:
    generator = np.random.default_rng(5)
    values = np.concatenate([generator.normal(1, 0.01, 400), generator.normal(9, 0.01, 400)])
    found = fit_laws(values, resamples=39)
    assert not any(fit.fits for fit in found.fits)
    assert found.words.startswith("No law fits 800 values; ")


def test_a_law_that_is_likeliest_need_not_fit() -> None:
    found = fit_laws(drawn(scipy.stats.norm(50, 2)), ["exponential", "normal"], resamples=19)
    normal, exponential = found.fits
    assert (normal.fits, exponential.fits, normal.p) == (True, False, min(normal.ks_p, normal.ad_p))
    misfit = replace(normal, ad_p=0.01)
    assert replace(found, fits=(misfit, exponential)).words.startswith("No law fits 800 values; normal comes nearest")
    assert replace(found, fits=(misfit, replace(exponential, ks_p=0.5, ad_p=0.5))).words == (
        "normal describes 800 values best, but does not fit (p = 0.01); exponential would."
    )


def test_laws_that_cannot_be_are_named_with_the_reason() -> None:
    found = fit_laws(drawn(scipy.stats.norm(0, 1), 100), resamples=19)
    assert [fit.law for fit in found.fits] == ["normal"]
    assert found.left_out["lognormal"] == "some values are not above 0"
    assert set(found.left_out) == {"exponential", "gamma", "Erlang", "Weibull", "lognormal", "hyperexponential"}


def test_p_values_of_the_right_law_are_uniform() -> None:
    """As those of tables for known parameters are not: they would nearly all be near 1."""
    generator = np.random.default_rng(8)
    found = [
        fit_laws(generator.normal(3, 2, 40), ["normal"], resamples=39, seed=k).best for k in range(50)
    ]  # fmt: skip
    for p in ([fit.ks_p for fit in found], [fit.ad_p for fit in found]):
        assert scipy.stats.kstest(p, "uniform").pvalue > 0.001


def test_distances_are_those_of_scipy() -> None:
    values = np.sort(drawn(scipy.stats.norm(), 50))
    law = scipy.stats.norm(values.mean(), values.std(ddof=1))
    assert kolmogorov_smirnov(values, law) == pytest.approx(scipy.stats.kstest(values, law.cdf).statistic)
    expected = scipy.stats.goodness_of_fit(
        scipy.stats.norm, values, known_params={"loc": values.mean(), "scale": values.std(ddof=1)}, statistic="ad",
        n_mc_samples=9, rng=np.random.default_rng(0),
    ).statistic  # fmt: skip
    assert anderson_darling(values, law) == pytest.approx(expected)


def test_an_impossible_value_is_infinitely_far() -> None:
    assert anderson_darling(np.array([-1.0, 1.0]), scipy.stats.expon()) == math.inf


def test_many_values_are_thinned_and_the_answer_is_the_same_each_time() -> None:
    values = drawn(scipy.stats.expon(), 10_001)
    first, second = (fit_laws(values, ["exponential", "normal"], resamples=19) for _ in range(2))
    assert (len(first.values), first.of) == (1667, 10_001)
    assert [(fit.ks_p, fit.aic) for fit in first.fits] == [(fit.ks_p, fit.aic) for fit in second.fits]


def test_too_few_resamples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 19 resamples, not 18"):
        fit_laws([1.0, 2.0] * 20, resamples=18)


@pytest.mark.parametrize(
    ("values", "laws", "said"),
    [
        ([1.0, 2.0] * 20, ["gama"], "there is no law 'gama'; allowed: .*; did you mean 'gamma'"),
        ([1.0] * 40, ["gamma"], "at least 20 values that vary, not to 40"),
        ([1.0, 2.0], ["gamma"], "at least 20 values that vary, not to 2"),
        ([0.0, 2.0] * 20, ["gamma"], "none of these laws can be that of the values: some values are not above 0"),
        ([math.nan] * 40, ["gamma"], "number 0 is nan"),
    ],
)
def test_what_cannot_be_fitted_is_refused(values: list[float], laws: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_laws(values, laws)
