"""Sectioning holds known quantiles; too few observations beyond a quantile are told, not hidden."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, t

from simoffload.analysis.steady.quantiles import sample_quantile, sectioning, sound_length, steady_quantile
from simoffload.analysis.steady.result import Flag

from .processes import autoregression, mm1_waits


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 99))
def test_a_sample_quantile_is_the_smallest_value_with_that_share_below(values: list[float], percent: int) -> None:
    p = percent / 100
    found = sample_quantile(np.array(values), p)
    share = sum(value <= found for value in values)
    assert share >= p * len(values) - 1e-9
    assert found in values
    assert sum(value < found for value in values) < p * len(values)


def test_sectioning_worked_out_by_hand() -> None:
    found = sectioning(10.0, np.array([9.0, 11.0, 13.0]), 0.0, 0.9)
    half = t.ppf(0.95, 2) * math.sqrt((1 + 1 + 9) / (3 * 2))
    assert (found.low, found.high) == pytest.approx((10 - half, 10 + half))
    assert sectioning(10.0, np.array([9.0, 11.0, 13.0]), 0.6, 0.9).high == pytest.approx(10 + 2 * half)


def test_sections_skewed_to_the_right_reach_further_to_the_right() -> None:
    found = sectioning(10.0, np.array([9.0, 9.5, 9.0, 9.5, 10.0, 16.0]), 0.0, 0.95)
    assert found.high - 10 > 10 - found.low > 0


@pytest.mark.parametrize("p", [0.5, 0.95])
def test_a_queue_long_enough_holds_its_quantile(p: float) -> None:
    truth = max(math.log(0.5 / (1 - p)) / 0.5, 0.0)
    found = [steady_quantile(mm1_waits(60_000, 0.5, seed), p) for seed in range(100)]
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 94
    assert sum(each.low <= truth <= each.high for each in clean) >= 0.9 * len(clean)


def test_autocorrelation_is_taken_into_account() -> None:
    truth = float(norm.ppf(0.9)) / math.sqrt(1 - 0.81)
    found = [steady_quantile(autoregression(60_000, 0.9, seed), 0.9) for seed in range(100)]
    assert all(each.batches == 20 and each.tau > 8 for each in found)
    assert 88 <= sum(each.low <= truth <= each.high for each in found) <= 99


def test_a_far_quantile_needs_a_longer_run_than_a_near_one() -> None:
    values = mm1_waits(60_000, 0.5, 1)
    near, far = steady_quantile(values, 0.9), steady_quantile(values, 0.999)
    assert math.isfinite(near.half_width)
    assert Flag.TOO_SHORT in far.flags
    assert math.isinf(far.half_width)
    assert far.needed_n is not None and near.needed_n is not None and far.needed_n > 5 * near.needed_n


def test_the_guard_counts_effective_observations_beyond_the_quantile() -> None:
    assert sound_length(0.5, 1.0, 20) == 1000
    assert sound_length(0.99, 3.0, 20) == pytest.approx(20 * 3 * 500)
    assert sound_length(0.01, 3.0, 20) == pytest.approx(20 * 3 * 500)
    assert sound_length(0.5, math.nan, 20) == math.inf


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(-8, 8))
def test_another_unit_gives_the_same_answer_in_that_unit(seed: int, power: int) -> None:
    values = mm1_waits(10_000, 0.4, seed)
    plain, other = steady_quantile(values, 0.8), steady_quantile(values * 2.0**power, 0.8)
    assert other.value == plain.value * 2.0**power
    assert (other.low, other.high) == pytest.approx((plain.low * 2.0**power, plain.high * 2.0**power))
    assert (other.flags, other.cut, other.needed_n) == (plain.flags, plain.cut, plain.needed_n)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([0.1, 0.5, 0.9]))
def test_a_growing_function_of_the_values_carries_the_quantile_along(seed: int, p: float) -> None:
    values = autoregression(5_000, 0.4, seed)
    plain, other = steady_quantile(values, p, cut=0), steady_quantile(np.exp(values), p, cut=0)
    assert other.value == math.exp(plain.value) or other.value == pytest.approx(math.exp(plain.value), rel=1e-15)
    assert other.tau == plain.tau


def test_an_unstable_queue_has_no_quantile() -> None:
    found = steady_quantile(mm1_waits(20_000, 1.2, 1), 0.5)
    assert Flag.UNSTABLE in found.flags
    assert (found.half_width, found.needed_n) == (math.inf, None)


def test_the_largest_value_may_be_common() -> None:
    values = (np.random.default_rng(1).random(50_000) < 0.4).astype(float)
    found = steady_quantile(values, 0.9)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert not found.flags


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 4000])
def test_where_nothing_is_known_there_is_no_interval(values: list[float]) -> None:
    found = steady_quantile(values, 0.5)
    assert math.isinf(found.half_width)
    assert found.flags & {Flag.TOO_SHORT, Flag.RARE_EVENT}


@pytest.mark.parametrize("p", [0.0, 1.0, 95.0, math.nan])
def test_a_share_is_within_0_and_1(p: float) -> None:
    with pytest.raises(ValueError, match="within"):
        steady_quantile([1.0, 2.0], p)
