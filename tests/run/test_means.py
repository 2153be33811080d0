"""Means agree with averages over quantiles, whatever the distribution, its bounds and the cap."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from scipy import stats

from simoffload.run.means import mean, mean_answer
from simoffload.schema.distributions import TokenDistribution

TOKENS: TypeAdapter[Any] = TypeAdapter(TokenDistribution)
CASES: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"kind": "uniform", "low": "50 tok", "high": "150 tok"}, stats.uniform(50, 100)),
    "exponential": ({"kind": "exponential", "mean": "80 tok"}, stats.expon(scale=80)),
    "lognormal": (
        {"kind": "lognormal", "mean": "100 tok", "cv": 0.8},
        stats.lognorm(math.sqrt(math.log(1.64)), scale=100 / math.sqrt(1.64)),
    ),
    "normal": ({"kind": "normal", "mean": "60 tok", "sd": "60 tok"}, stats.norm(60, 60)),
}


def quantiles(law: Any) -> np.ndarray:
    count = 200_000
    return np.asarray(law.ppf((np.arange(count) + 0.5) / count))


def read(spec: Any) -> Any:
    return TOKENS.validate_python(spec)


@pytest.mark.parametrize("most", [math.inf, 400.0, 110.0, 30.0])
@pytest.mark.parametrize("kind", CASES)
def test_the_mean_is_that_of_values_clipped_at_zero_and_at_the_cap(kind: str, most: float) -> None:
    spec, law = CASES[kind]
    assert mean(read(spec), most) == pytest.approx(np.clip(quantiles(law), 0, most).mean(), rel=1e-3)


@pytest.mark.parametrize("kind", ["lognormal", "normal"])
@pytest.mark.parametrize(("low", "high"), [(40, 120), (0, 90), (90, 90), (150, 1000)])
def test_values_beyond_the_bounds_count_as_the_bounds(kind: str, low: int, high: int) -> None:
    spec, law = CASES[kind]
    bounded = read({**spec, "min": f"{low} tok", "max": f"{high} tok"})
    assert mean(bounded) == pytest.approx(np.clip(quantiles(law), low, high).mean(), rel=1e-3)
    assert mean(bounded, 100.0) == pytest.approx(np.clip(np.clip(quantiles(law), low, high), 0, 100).mean(), rel=1e-3)


def test_constants_and_choices_are_exact() -> None:
    assert mean(read("120 tok")) == 120
    assert mean(read("120 tok"), 100) == 100
    choice = read({"kind": "choice", "values": ["10 tok", "40 tok"], "weights": [1, 2]})
    assert mean(choice) == 30
    assert mean(choice, 25) == 20
    assert mean(read({"kind": "choice", "values": ["10 tok", "40 tok"]})) == 25


def test_an_empirical_distribution_has_no_closed_form() -> None:
    with pytest.raises(TypeError, match="empirical"):
        mean(read({"kind": "empirical", "file": "requests.csv", "column": "prompt_tokens"}))


def test_nothing_varies_without_spread() -> None:
    assert mean(read({"kind": "normal", "mean": "60 tok", "sd": "0 tok"})) == 60
    assert mean(read({"kind": "uniform", "low": "60 tok", "high": "60 tok"}), 60) == 60
    assert mean(read({"kind": "exponential", "mean": "0 tok"})) == 0


@pytest.mark.parametrize("noise", [0.3, 1.0])
@pytest.mark.parametrize("most", [4096.0, 150.0])
def test_an_answer_is_its_expectation_times_noise_up_to_the_longest_allowed(noise: float, most: float) -> None:
    factor = stats.lognorm(noise, scale=math.exp(-noise * noise / 2))
    true = np.minimum(100 * quantiles(factor), most).mean()
    assert mean_answer(read("100 tok"), noise, most) == pytest.approx(true, rel=3e-3)


@settings(max_examples=50)
@given(st.sampled_from(sorted(CASES)), st.floats(0, 2), st.floats(1, 1e4))
def test_noise_keeps_the_mean_but_for_the_cap(kind: str, noise: float, most: float) -> None:
    distribution = read(CASES[kind][0])
    answer = mean_answer(distribution, noise, most)
    assert 0 <= answer <= min(mean(distribution), most) * (1 + 1e-9)
    assert mean_answer(distribution, noise, math.inf) == pytest.approx(mean(distribution), rel=1e-9)
