"""Fitted parameters are the likeliest, and those of the law that the values came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simoffload.analysis.behaviour.likelihood import LAWS, Hyperexponential, NotApplicableError, hyperexponential

Floats = NDArray[np.float64]

POSITIVE = st.lists(st.floats(0.01, 100), min_size=5, max_size=40, unique=True).map(np.array)


def drawn(law: Any, n: int = 4000, seed: int = 3) -> Floats:
    return np.asarray(law.rvs(n, random_state=np.random.default_rng(seed)))


@pytest.mark.parametrize(
    ("name", "law", "parameters"),
    [
        ("exponential", scipy.stats.expon(scale=3), {"mean": 3.0}),
        ("normal", scipy.stats.norm(5, 2), {"mean": 5.0, "sd": 2.0}),
        ("lognormal", scipy.stats.lognorm(0.8, scale=2), {"mu": np.log(2), "sigma": 0.8}),
        ("gamma", scipy.stats.gamma(2.5, scale=2), {"shape": 2.5, "scale": 2.0}),
        ("Erlang", scipy.stats.gamma(4, scale=2), {"phases": 4.0, "scale": 2.0}),
        ("Weibull", scipy.stats.weibull_min(1.7, scale=2), {"shape": 1.7, "scale": 2.0}),
        ("hyperexponential", Hyperexponential(0.8, 1.0, 9.0), {"mean 1": 1.0, "mean 2": 9.0, "share": 0.8}),
    ],
)
def test_the_parameters_are_found_again(name: str, law: Any, parameters: dict[str, float]) -> None:
    found = LAWS[name][0](drawn(law)).parameters
    assert found == pytest.approx(parameters, rel=0.1)
    assert len(found) == LAWS[name][1]


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("gamma", scipy.stats.gamma), ("Weibull", scipy.stats.weibull_min), ("lognormal", scipy.stats.lognorm),
    ],
)  # fmt: skip
def test_no_other_parameters_are_likelier(name: str, law: Any) -> None:
    values = drawn(scipy.stats.gamma(0.7, scale=5), 500)
    own = LAWS[name][0](values).distribution
    searched = law(*law.fit(values, floc=0))
    assert own.logpdf(values).sum() >= searched.logpdf(values).sum() - 1e-6
    assert own.logpdf(values).sum() == pytest.approx(searched.logpdf(values).sum(), abs=0.01)


@settings(max_examples=50)
@given(POSITIVE, st.floats(0.01, 100))
def test_a_change_of_unit_changes_only_scales(values: Floats, unit: float) -> None:
    for name in ("exponential", "gamma", "Weibull", "lognormal", "normal"):
        fitter = LAWS[name][0]
        plain, scaled = fitter(values).distribution, fitter(unit * values).distribution
        assert scaled.ppf([0.1, 0.5, 0.9]) == pytest.approx(unit * plain.ppf([0.1, 0.5, 0.9]), rel=1e-6)


@pytest.mark.parametrize("law", ["gamma", "Erlang", "Weibull", "lognormal"])
def test_laws_of_positive_values_take_no_others(law: str) -> None:
    with pytest.raises(NotApplicableError, match="not above 0"):
        LAWS[law][0](np.array([0.0, 1.0, 2.0]))


def test_a_shape_far_from_the_first_guess_is_found_all_the_same() -> None:
    for values in (np.array([1e-9, 1.0, 1.001, 1.002]), np.array([1.0, 1.001, 1.002, 1e9])):
        found = LAWS["Weibull"][0](values).distribution
        searched = scipy.stats.weibull_min(*scipy.stats.weibull_min.fit(values, floc=0))
        assert found.logpdf(values).sum() >= searched.logpdf(values).sum() - 1e-6


def test_laws_that_begin_at_zero_take_nothing_below() -> None:
    for law in ("exponential", "hyperexponential"):
        with pytest.raises(NotApplicableError, match="below 0"):
            LAWS[law][0](np.array([-1.0, 1.0, 20.0]))
    assert LAWS["exponential"][0](np.array([0.0, 1.0])).parameters == {"mean": 0.5}


def test_a_mixture_needs_values_that_vary_more_than_exponential_ones() -> None:
    with pytest.raises(NotApplicableError, match="vary no more than an exponential law"):
        hyperexponential(drawn(scipy.stats.gamma(3)))


def test_a_mixture_is_a_distribution() -> None:
    law = Hyperexponential(0.7, 0.5, 8.0)
    shares = np.array([0.0, 0.01, 0.5, 0.99, 1.0])
    quantiles = law.ppf(shares)
    assert quantiles[[0, -1]].tolist() == [0.0, np.inf]
    assert law.cdf(quantiles[:-1]) == pytest.approx(shares[:-1], abs=1e-12)
    assert law.cdf(quantiles[:-1]) + law.sf(quantiles[:-1]) == pytest.approx(np.ones(4))
    x = np.linspace(0, 100, 200_001)
    assert np.trapezoid(np.exp(law.logpdf(x)), x) == pytest.approx(float(law.cdf(100.0)), abs=1e-5)
    assert drawn(law, 50_000).mean() == pytest.approx(0.7 * 0.5 + 0.3 * 8.0, rel=0.03)
