"""Trends are found where there are some, seldom where there are none; "no steady state" is an answer with a reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.steady.autocorrelation import LONGEST
from simoffload.analysis.steady.result import Flag
from simoffload.analysis.steady.stationarity import drift_test, initial_transient, settling

from .processes import autoregression, mm1_waits


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_alarms_without_a_trend_are_as_rare_as_they_should_be(phi: float) -> None:
    runs = [autoregression(4000, phi, seed) for seed in range(1500)]
    for test in (initial_transient, drift_test):
        assert sum(test(run).p_value < 0.05 for run in runs) / len(runs) <= 0.065


def test_schrubens_statistic_has_variance_1_where_the_variance_is_known_well() -> None:
    found = [initial_transient(autoregression(4000, 0.0, seed)).statistic for seed in range(1500)]
    assert np.mean(found) == pytest.approx(0, abs=0.1)
    assert np.var(found) == pytest.approx(15 / 13, rel=0.25)


def test_schrubens_statistic_worked_out_from_its_definition() -> None:
    values = autoregression(320, 0.5, 4)
    n, mean = 320, values.mean()
    sums = [(1 - k / n) * k * (values[:k].mean() - mean) for k in range(1, n + 1)]
    from simoffload.analysis.steady.batch_means import batches_of, few_batches

    sigma = few_batches(batches_of(values[160:], 16)).se * math.sqrt(160)
    expected = math.sqrt(45) / (n**1.5 * sigma) * math.fsum(sums)
    assert initial_transient(values).statistic == pytest.approx(expected)


@pytest.mark.parametrize("side", [1, -1])
def test_a_beginning_at_another_level_is_found_with_its_side(side: int) -> None:
    values = autoregression(4000, 0.5, 1)
    values[:400] += 5.0 * side
    found = initial_transient(values)
    assert found.p_value < 1e-4
    assert found.statistic * side > 0


@pytest.mark.parametrize("side", [1, -1])
def test_a_slope_is_found_with_its_side(side: int) -> None:
    found = drift_test(autoregression(4000, 0.5, 1) + side * np.linspace(0, 2, 4000))
    assert found.p_value < 1e-4
    assert found.statistic * side > 0


def test_long_series_are_tested_as_groups() -> None:
    values = autoregression(4 * LONGEST, 0.5, 1)
    assert abs(initial_transient(values).statistic) < 4
    values[: LONGEST // 2] += 0.1
    assert initial_transient(values).p_value < 1e-3


def test_an_overloaded_queue_has_no_steady_state() -> None:
    for seed in range(20):
        settled = settling(mm1_waits(20_000, 1.2, seed))
        assert Flag.UNSTABLE in settled.flags
        assert not settled.found
        assert "goes on rising" in settled.reason


def test_a_level_that_goes_on_falling_is_not_steady() -> None:
    settled = settling(autoregression(4000, 0.5, 1) - np.linspace(0, 5, 4000))
    assert Flag.NON_STATIONARY in settled.flags
    assert Flag.UNSTABLE not in settled.flags
    assert "goes on falling" in settled.reason


def test_a_known_cut_that_is_too_small_shows() -> None:
    values = mm1_waits(20_000, 0.5, 1, jobs=400)
    assert "begins above" in settling(values, cut=0).reason
    assert settling(values).found


def test_a_stable_queue_settles() -> None:
    found = [settling(mm1_waits(50_000, 0.5, seed)) for seed in range(40)]
    assert sum(settled.found for settled in found) >= 38
    assert all(settled.found == (settled.reason == "") for settled in found)


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 500, list(range(7))])
def test_where_nothing_can_be_tested_nothing_is_found(values: list[float]) -> None:
    settled = settling(values)
    assert math.isnan(settled.drift.p_value)
    assert math.isnan(settled.transient.p_value)
    assert settled.found


def test_a_straight_line_is_a_trend_without_noise() -> None:
    assert drift_test(np.arange(160.0)).p_value == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("cut", [-1, 101])
def test_a_cut_beyond_the_run_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 100"):
        settling(np.arange(100.0), cut)
