"""Samplers draw from the laws they are made of, and know their means."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from statistics import NormalDist, fmean, stdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simoffload.random_streams import Streams
from simoffload.schema.distributions import NumberDistribution, TokenDistribution
from simoffload.world.lengths import Sampler, lognormal_mean, make_sampler, normal_mean

_NUMBER: TypeAdapter[Any] = TypeAdapter(NumberDistribution)
COUNT = 20_000


def sampler(spec: Any, least: float = -math.inf, purpose: str = "test") -> Sampler:
    return make_sampler(_NUMBER.validate_python(spec), Streams(3), "task", purpose, least=least)


def values(spec: Any, least: float = -math.inf, count: int = COUNT) -> list[float]:
    drawn = sampler(spec, least)
    return [drawn.next() for _ in range(count)]


LAWS: list[tuple[Any, float]] = [
    (2.5, 2.5),
    ({"kind": "uniform", "low": -1, "high": 3}, 1.0),
    ({"kind": "exponential", "mean": 7}, 7.0),
    ({"kind": "exponential", "mean": 0}, 0.0),
    ({"kind": "lognormal", "mean": 200, "cv": 0.6}, 200.0),
    ({"kind": "normal", "mean": 0.5, "sd": 2}, 0.5),
    ({"kind": "choice", "values": [1, 10, 4], "weights": [2, 0, 1]}, 2.0),
    ({"kind": "choice", "values": [1, 10, 4]}, 5.0),
]


@pytest.mark.parametrize(("spec", "mean"), LAWS)
def test_the_mean_is_known_and_drawn(spec: Any, mean: float) -> None:
    assert sampler(spec).mean == pytest.approx(mean)
    drawn = values(spec)
    assert fmean(drawn) == pytest.approx(mean, abs=4 * stdev(drawn) / math.sqrt(COUNT))


CLIPPED: list[tuple[Any, float]] = [
    ({"kind": "lognormal", "mean": 500, "cv": 0.8, "min": 50, "max": 4000}, -math.inf),
    ({"kind": "lognormal", "mean": 100, "cv": 2, "max": 90}, 0.0),
    ({"kind": "lognormal", "mean": 100, "cv": 2, "min": 400}, 0.0),
    ({"kind": "normal", "mean": 3, "sd": 5}, 0.0),
    ({"kind": "normal", "mean": -3, "sd": 2}, 0.0),
    ({"kind": "normal", "mean": 10, "sd": 5, "min": 8, "max": 11}, 0.0),
    ({"kind": "normal", "mean": 10, "sd": 5, "max": -4}, 0.0),
]


@pytest.mark.parametrize(("spec", "least"), CLIPPED)
def test_the_mean_of_a_clipped_law_is_that_of_what_is_drawn(spec: Any, least: float) -> None:
    drawn = values(spec, least)
    low, high = max(spec.get("min", least), least), max(spec.get("max", math.inf), least)
    assert all(low <= value <= high for value in drawn)
    assert fmean(drawn) == pytest.approx(sampler(spec, least).mean, abs=4 * stdev(drawn) / math.sqrt(COUNT) + 1e-12)


@pytest.mark.parametrize("cv", [0.3, 1.0, 2.0])
def test_a_lognormal_law_has_its_coefficient_of_variation(cv: float) -> None:
    logarithms = [math.log(value) for value in values({"kind": "lognormal", "mean": 20, "cv": cv})]
    assert stdev(logarithms) == pytest.approx(math.sqrt(math.log1p(cv * cv)), rel=4 / math.sqrt(2 * COUNT))


@given(
    mean=st.floats(1e-3, 1e6),
    cv=st.floats(0.01, 5),
    low=st.floats(0, 2),
    width=st.floats(0, 5) | st.just(math.inf),
)
def test_clipped_lognormal_means_agree_with_quadrature(mean: float, cv: float, low: float, width: float) -> None:
    low, high = low * mean, (low + width) * mean
    sigma = math.sqrt(math.log1p(cv * cv))
    mu = math.log(mean) - sigma * sigma / 2
    if math.isfinite(high):
        points = [min(max(math.exp(mu + sigma * z), low), high) for z in QUANTILES]
        assert lognormal_mean(mean, cv, low, high) == pytest.approx(fmean(points), rel=2e-3)
    else:
        assert lognormal_mean(mean, cv, low, high) >= max(mean, low) * (1 - 1e-12)


@given(mean=st.floats(-5, 5), sd=st.floats(0, 3), low=st.floats(-6, 6), width=st.floats(0, 8))
def test_clipped_normal_means_agree_with_quadrature(mean: float, sd: float, low: float, width: float) -> None:
    points = [min(max(mean + sd * z, low), low + width) for z in QUANTILES]
    assert normal_mean(mean, sd, low, low + width) == pytest.approx(fmean(points), abs=3e-3)


QUANTILES = [NormalDist().inv_cdf((k + 0.5) / 4000) for k in range(4000)]


def test_far_tails_keep_their_digits() -> None:
    assert normal_mean(-10, 1, 0) == pytest.approx(7.474e-25, rel=1e-3)
    assert lognormal_mean(1.0, 0.1, 0.0, math.inf) == pytest.approx(1.0, rel=1e-14)
    assert lognormal_mean(1.0, 0.1, 5.0, 5.0) == 5.0
    assert lognormal_mean(1.0, 0.1, 0.0, 0.0) == 0.0


def test_laws_without_chance_draw_nothing() -> None:
    class Forbidden:
        def generator(self, entity: str, purpose: str) -> None:
            raise AssertionError

    forbidden: Any = Forbidden()
    for spec in (4, {"kind": "exponential", "mean": 0}):
        assert make_sampler(_NUMBER.validate_python(spec), forbidden, "task", "test").next() in (0, 4)


@pytest.mark.parametrize("spec", [spec for spec, _ in LAWS])
def test_a_pickled_sampler_goes_on_where_it_was(spec: Any) -> None:
    drawn = sampler(spec)
    for _ in range(30):
        drawn.next()
    copy = pickle.loads(pickle.dumps(drawn))
    assert [copy.next() for _ in range(100)] == [drawn.next() for _ in range(100)]
    assert copy.mean == drawn.mean


def test_each_purpose_has_its_own_draws() -> None:
    one, other = (
        sampler({"kind": "exponential", "mean": 1}),
        sampler({"kind": "exponential", "mean": 1}, purpose="else"),
    )
    assert one.next() != other.next()


def test_an_empirical_law_resamples_its_column(tmp_path: Path) -> None:
    file = tmp_path / "requests.csv"
    file.write_text("time_s,prompt_tokens,output_tokens\n1,100,7\n2,300,9\n4,300,0\n")
    tokens: TypeAdapter[Any] = TypeAdapter(TokenDistribution)
    spec = tokens.validate_python({"kind": "empirical", "file": str(file), "column": "prompt_tokens"})
    drawn = make_sampler(spec, Streams(3), "task", "test")
    assert drawn.mean == pytest.approx(700 / 3)
    found = [drawn.next() for _ in range(3000)]
    assert set(found) == {100, 300}
    assert found.count(100) == pytest.approx(1000, abs=4 * math.sqrt(3000 * 2 / 9))
    copy = pickle.loads(pickle.dumps(drawn))
    assert [copy.next() for _ in range(100)] == [drawn.next() for _ in range(100)]
    file.write_text("time_s,prompt_tokens,output_tokens\n1,55,7\n")
    assert make_sampler(spec, Streams(3), "task", "test").mean == 55
