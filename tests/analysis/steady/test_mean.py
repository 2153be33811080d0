"""The recommended procedure: an interval that holds the truth, or flags and the length that is needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.steady.mean import steady_mean
from simoffload.analysis.steady.result import Flag
from simoffload.analysis.steady.stationarity import settling

from .processes import autoregression, mm1_time, mm1_waits


def test_a_long_run_of_a_queue_holds_the_truth_and_nothing_speaks_against_it() -> None:
    found = [steady_mean(mm1_waits(60_000, 0.5, seed)) for seed in range(60)]
    clean = [each for each in found if not each.flags - {Flag.CORRELATED_BATCHES}]
    assert len(clean) >= 56
    assert sum(each.low <= 1.0 <= each.high for each in clean) >= 53
    assert all(each.half_width == (each.high - each.low) / 2 < 0.15 for each in clean)
    assert {each.batches for each in found} == {32}
    assert all(each.effective_n == each.n / each.tau for each in found)


def test_too_short_a_run_gets_no_interval_and_a_forecast_near_what_is_needed() -> None:
    found = [steady_mean(mm1_waits(20_000, 0.8, seed)) for seed in range(40)]
    assert all(Flag.TOO_SHORT in each.flags and math.isinf(each.half_width) for each in found)
    assert {(each.low, each.high) for each in found} == {(-math.inf, math.inf)}
    constant = mm1_time(0.8) * 24
    needed = (1.96 / (0.05 * 4)) ** 2 * constant
    forecasts = [each.needed_n for each in found if each.needed_n is not None]
    assert len(forecasts) >= 38
    assert needed / 2.5 < np.median(forecasts) < 2.5 * needed


def test_a_wider_wish_needs_a_shorter_run_down_to_what_is_sound() -> None:
    values = autoregression(50_000, 0.9, 1, mean=20.0)
    fine, coarse, coarsest = (steady_mean(values, wanted=wanted).needed_n for wanted in (0.0005, 0.001, 0.5))
    assert fine is not None and coarse is not None
    assert fine == pytest.approx(4 * coarse, rel=0.01)
    assert coarsest == pytest.approx(1200 * steady_mean(values).tau, rel=0.01)


def test_dependence_makes_the_interval_wider_than_that_of_independent_values() -> None:
    values = autoregression(100_000, 0.95, 1, mean=3.0)
    naive = 1.96 * values.std() / math.sqrt(len(values))
    assert steady_mean(values).half_width > 4 * naive


def test_a_full_start_is_cut() -> None:
    found = [steady_mean(mm1_waits(60_000, 0.5, seed, jobs=100)) for seed in range(40)]
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 36
    assert all(50 <= each.cut <= 20_000 for each in clean)
    assert sum(each.low <= 1.0 <= each.high for each in clean) >= 0.9 * len(clean)


def test_an_unstable_queue_has_neither_interval_nor_forecast() -> None:
    found = steady_mean(mm1_waits(20_000, 1.2, 1))
    assert Flag.UNSTABLE in found.flags
    assert math.isinf(found.half_width)
    assert found.needed_n is None


def test_what_has_not_settled_needs_twice_the_length_at_least() -> None:
    values = autoregression(50_000, 0.0, 1, mean=100.0) - np.linspace(0, 1, 50_000)
    found = steady_mean(values)
    assert Flag.NON_STATIONARY in found.flags
    assert math.isinf(found.half_width)
    assert found.needed_n is not None and found.needed_n >= 2 * found.n


def test_a_mean_of_rare_events_gets_no_interval() -> None:
    misses = (np.random.default_rng(1).random(20_000) < 0.0005).astype(float)
    found = steady_mean(misses)
    assert 0 < misses.sum() < 30
    assert found.flags >= {Flag.RARE_EVENT}
    assert math.isinf(found.half_width)
    assert found.needed_n is not None and found.needed_n > 30 / 0.0005 / 2


def test_an_event_that_was_never_seen_has_no_forecast() -> None:
    found = steady_mean([0.0] * 5000)
    assert found.flags == {Flag.RARE_EVENT}
    assert (found.value, found.needed_n) == (0.0, None)
    assert math.isinf(found.half_width)


def test_many_waits_of_zero_are_no_rare_event() -> None:
    values = mm1_waits(100_000, 0.3, 1)
    assert (values == 0).mean() > 0.6
    assert not steady_mean(values).flags & {Flag.RARE_EVENT, Flag.TOO_SHORT}


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], list(range(20))])
def test_a_handful_of_values_is_too_short(values: list[float]) -> None:
    found = steady_mean(values)
    assert Flag.TOO_SHORT in found.flags
    assert math.isinf(found.half_width)
    assert found.n <= len(values)
    assert math.isnan(found.value) == (not values)


def test_a_known_cut_is_taken_instead() -> None:
    values = mm1_waits(60_000, 0.5, 1)
    found = steady_mean(values, cut=1_000)
    assert (found.cut, found.n) == (1_000, 58_976)
    assert found.value == pytest.approx(values[-58_976:].mean(), rel=1e-12)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.integers(-10, 10))
def test_another_unit_gives_the_same_answer_in_that_unit(seed: int, power: int) -> None:
    values = mm1_waits(12_000, 0.4, seed)
    plain, other = steady_mean(values), steady_mean(values * 2.0**power)
    assert other.value == plain.value * 2.0**power
    assert (other.low, other.high) == pytest.approx((plain.low * 2.0**power, plain.high * 2.0**power))
    assert (other.flags, other.cut, other.needed_n) == (plain.flags, plain.cut, plain.needed_n)


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(-50, 50))
def test_another_origin_moves_the_interval_along(seed: int, shift: float) -> None:
    values = autoregression(12_000, 0.4, seed)
    plain, other = steady_mean(values, cut=0), steady_mean(values + shift, cut=0)
    assert (other.low, other.high) == pytest.approx((plain.low + shift, plain.high + shift), abs=1e-8)
    assert other.flags == plain.flags


def test_the_cut_is_that_of_the_settling() -> None:
    values = mm1_waits(5_000, 0.7, 3, jobs=50)
    assert steady_mean(values).cut == settling(values).cut.n


@pytest.mark.parametrize(("level", "wanted"), [(95.0, 0.05), (0.95, 0.0), (0.95, math.inf), (0.95, math.nan)])
def test_impossible_wishes_are_refused(level: float, wanted: float) -> None:
    with pytest.raises(ValueError, match=r"level|wanted"):
        steady_mean([1.0, 2.0], level, wanted)
