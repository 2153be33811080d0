"""Heavy tails are told from exponential and bounded ones, and too little is said to be too little."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simoffload.analysis.behaviour.tails import Weight, hill, mean_excess, pareto_shape, tail

Floats = NDArray[np.float64]
N = 40_000


def uniform(seed: int) -> Floats:
    return np.random.default_rng(seed).random(N)


def pareto(alpha: float, seed: int = 1) -> Floats:
    return uniform(seed) ** (-1 / alpha)


@pytest.mark.parametrize("alpha", [1.5, 3.0])
def test_a_power_tail_is_heavy_with_its_index(alpha: float) -> None:
    found = tail(pareto(alpha))
    assert found.weight is Weight.HEAVY
    assert abs(found.shape - 1 / alpha) < found.shape_half_width
    assert found.hill_alpha == pytest.approx(alpha, rel=0.1)
    assert found.log_slope == pytest.approx(-alpha, rel=0.15)
    assert f"looks heavy (shape {found.shape:.2f}" in found.words
    assert ("variance may be infinite" in found.words) == (alpha < 2)


def test_an_exponential_tail_is_not() -> None:
    found = tail(-np.log(uniform(2)))
    assert found.weight is Weight.EXPONENTIAL
    assert abs(found.shape) < 0.1
    assert found.threshold == pytest.approx(-math.log(0.05), rel=0.03)
    assert "looks exponential" in found.words


def test_a_tail_that_ends_is_light() -> None:
    found = tail(uniform(3))
    assert found.weight is Weight.LIGHT
    assert found.shape == pytest.approx(-1.0, abs=0.1)
    assert "lighter than an exponential one" in found.words


def test_a_few_values_are_too_little() -> None:
    found = tail(pareto(1.5)[:500])
    assert found.weight is Weight.UNKNOWN
    assert found.words.startswith("Too little is known of the tail beyond")


def test_large_values_in_clusters_are_worth_less() -> None:
    alone = tail(pareto(3.0))
    clustered = tail(np.repeat(pareto(3.0)[: N // 50], 50))
    assert clustered.effective < alone.effective / 25
    assert clustered.weight is Weight.UNKNOWN


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.4, 0.9])
def test_the_shape_is_that_of_maximum_likelihood(shape: float) -> None:
    from scipy.stats import genpareto

    excesses = np.sort(genpareto.rvs(shape, size=3000, random_state=4))
    likely, _, _ = genpareto.fit(excesses, floc=0)
    assert pareto_shape(excesses) == pytest.approx(likely, abs=0.02)


def test_the_interval_of_the_shape_covers_as_it_says() -> None:
    shape = 0.3
    hits = 0
    for seed in range(200):
        uniforms = np.random.default_rng(seed).random(4000)
        found = tail((uniforms**-shape - 1) / shape)
        hits += abs(found.shape - shape) < found.shape_half_width
    assert 180 <= hits <= 199


@given(st.floats(0.01, 1000.0))
def test_the_verdict_does_not_depend_on_the_unit(unit: float) -> None:
    values = pareto(2.0)[:4000]
    plain, scaled = tail(values), tail(unit * values)
    assert scaled.shape == pytest.approx(plain.shape, abs=1e-6)
    assert scaled.hill_alpha == pytest.approx(plain.hill_alpha)
    assert scaled.threshold == pytest.approx(unit * plain.threshold)


def test_hills_estimate_of_four_values_is_that_of_the_formula() -> None:
    found = hill([math.e, 1.0, math.e**3, -5.0], points=10)
    assert found.k.tolist() == [1, 2]
    assert found.alpha == pytest.approx([1 / 2, 1 / ((3 + 1) / 2 - 0)])
    assert found.se == pytest.approx(found.alpha / np.sqrt([1, 2]))


def test_hills_plot_is_level_for_a_power() -> None:
    found = hill(pareto(2.0))
    assert len(found.k) <= 200
    wide = found.k > 300
    assert (np.abs(found.alpha[wide] - 2.0) < 3 * found.se[wide]).all()


def test_the_mean_excess_is_level_for_an_exponential_and_rises_for_a_power() -> None:
    level = mean_excess(-np.log(uniform(5)))
    assert level.excess[level.beyond > 500] == pytest.approx(1.0, abs=0.15)
    rising = mean_excess(pareto(3.0))
    assert rising.excess[rising.beyond > 500] == pytest.approx(rising.threshold[rising.beyond > 500] / 2, rel=0.2)
    assert mean_excess([3.0, 1.0]).threshold.tolist() == []


def test_the_mean_excess_of_given_values() -> None:
    found = mean_excess(np.arange(21.0))
    assert (found.threshold.tolist(), found.excess.tolist(), found.beyond.tolist()) == ([10.0], [5.5], [10])


def test_tails_at_or_below_zero_have_no_index() -> None:
    found = tail(np.log(uniform(6)))
    assert math.isnan(found.hill_alpha)
    assert math.isnan(found.log_slope)
    assert found.weight is Weight.LIGHT


@pytest.mark.parametrize(
    ("values", "share", "said"),
    [
        ([1.0] * 100, 0.05, "do not vary"),
        ([1.0, 2.0, 2.0, 2.0], 0.5, "no value is beyond the threshold 2.0"),
        ([1.0, math.nan], 0.05, "number 1 is nan"),
        ([1.0, 2.0], 1.0, "within \\(0, 1\\)"),
    ],
)
def test_what_has_no_tail_is_refused(values: list[float], share: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        tail(values, share)
    with pytest.raises(ValueError, match="0 values above 0"):
        hill([-1.0, 0.0])
