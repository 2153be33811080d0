"""Independent runs are treated as such, their common warm-up is cut, and too few or short ones are told."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.steady.batch_means import adjusted
from simoffload.analysis.steady.replications import (
    common_settling,
    pooled_mean,
    pooled_quantile,
    replicated_mean,
    replicated_quantile,
)
from simoffload.analysis.steady.result import Flag

from .processes import autoregression, mm1_waits


def full_starts(first: int, runs: int, n: int = 4_000) -> list[np.ndarray]:
    return [mm1_waits(n, 0.5, first + k, jobs=30) for k in range(runs)]


@pytest.mark.parametrize("estimate", [replicated_mean, pooled_mean])
def test_the_truth_is_held_though_each_run_starts_full(estimate) -> None:  # type: ignore[no-untyped-def]
    found = [estimate(full_starts(100 * k, 10)) for k in range(60)]
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 54
    assert all(each.cut >= 10 * 20 for each in clean)
    assert sum(each.low <= 1.0 <= each.high for each in clean) >= 0.88 * len(clean)


def test_the_mean_is_that_of_the_runs_means_and_the_interval_students() -> None:
    runs = [autoregression(4_000, 0.5, seed, mean=5.0) for seed in range(8)]
    found = replicated_mean(runs, cut=100)
    means = np.array([run[100:].mean() for run in runs])
    expected = adjusted(means, 0.0, 0.95)
    assert found.value == pytest.approx(fmean(means))
    assert (found.low, found.high) == (expected.low, expected.high)
    assert (found.batches, found.n, found.cut) == (8, 8 * 3_900, 800)
    assert math.isnan(found.lag1)


def test_the_order_of_the_runs_does_not_matter() -> None:
    runs = full_starts(1, 6)
    one, other = replicated_mean(runs), replicated_mean(runs[::-1])
    assert (one.low, one.high) == pytest.approx((other.low, other.high))
    assert (one.cut, one.flags) == (other.cut, other.flags)


def test_pooled_batches_are_equally_many_of_each_run() -> None:
    found = pooled_mean([autoregression(8_000, 0.3, seed) for seed in range(5)], cut=0)
    assert found.batches == 5 * 7
    assert abs(found.lag1) < 0.5


def test_neighbours_are_only_in_the_same_run() -> None:
    levels = [np.full(400, level) + 0.001 * autoregression(400, 0.0, k) for k, level in enumerate((0.0, 5.0))]
    assert pooled_mean(levels, cut=0).lag1 == pytest.approx(30 / 32, rel=0.01)


def test_one_run_alone_has_no_interval() -> None:
    found = replicated_mean([autoregression(50_000, 0.0, 1)])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert math.isfinite(pooled_mean([autoregression(50_000, 0.0, 1)]).half_width)


def test_short_runs_are_told_whatever_their_number() -> None:
    found = replicated_mean([mm1_waits(200, 0.9, seed) for seed in range(50)])
    assert Flag.TOO_SHORT in found.flags
    assert math.isinf(found.half_width)


def test_learning_runs_are_not_stationary() -> None:
    runs = [autoregression(4_000, 0.5, seed) - np.linspace(0, 3, 4_000) for seed in range(6)]
    found = replicated_mean(runs)
    assert Flag.NON_STATIONARY in found.flags
    assert math.isinf(found.half_width)


def test_quantiles_over_runs_hold_the_truth() -> None:
    truth = math.log(0.5 / 0.1) / 0.5
    found = [replicated_quantile(full_starts(1000 + 100 * k, 10), 0.9) for k in range(60)]
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 54
    assert sum(each.low <= truth <= each.high for each in clean) >= 0.85 * len(clean)


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(-8, 8))
def test_another_unit_gives_the_same_answer_in_that_unit(seed: int, power: int) -> None:
    runs = [mm1_waits(3_000, 0.4, 10 * seed + k) for k in range(5)]
    for estimate in (replicated_mean, pooled_mean):
        plain, other = estimate(runs), estimate([run * 2.0**power for run in runs])
        assert (other.low, other.high) == pytest.approx((plain.low * 2.0**power, plain.high * 2.0**power))
        assert (other.flags, other.cut) == (plain.flags, plain.cut)


@pytest.mark.parametrize("runs", [[], [[]], [[1.0, 2.0], []]])
def test_no_run_and_no_observation_are_refused(runs: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        replicated_mean(runs)


def test_a_cut_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves nothing"):
        replicated_mean([[1.0, 2.0], [3.0, 4.0, 5.0]], cut=2)


def test_few_long_runs_give_quantiles_by_sections_of_each() -> None:
    truth = math.log(0.5 / 0.1) / 0.5
    runs = [[mm1_waits(20_000, 0.5, 50 * k + seed) for seed in range(3)] for k in range(60)]
    pooled = [pooled_quantile(three, 0.9) for three in runs]
    clean = [each for each in pooled if math.isfinite(each.half_width)]
    assert len(clean) >= 54
    assert all(each.batches >= 3 * 7 for each in clean)
    fewest = 0.95 - 4 * math.sqrt(0.95 * 0.05 / len(clean))  # 4 standard errors below what they promise
    assert sum(each.low <= truth <= each.high for each in clean) >= fewest * len(clean)
    by_run = [replicated_quantile(three, 0.9) for three in runs]
    assert np.median([each.half_width for each in pooled]) < 0.7 * np.median([each.half_width for each in by_run])


def test_pooled_quantiles_of_one_level_have_no_interval() -> None:
    found = pooled_quantile([np.ones(1000), np.ones(900)], 0.5)
    assert (found.value, found.flags) == (1.0, frozenset({Flag.RARE_EVENT}))


def test_the_verdict_on_runs_says_why() -> None:
    rising = [autoregression(4_000, 0.5, seed) + np.linspace(0, 5, 4_000) for seed in range(3)]
    assert common_settling(rising).reason.startswith("the level goes on rising")
    assert common_settling([autoregression(4_000, 0.5, seed) for seed in range(3)]).reason == ""
