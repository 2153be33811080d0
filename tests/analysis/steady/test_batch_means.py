"""Intervals of batch means are the textbook ones and cover the mean of processes where it is known."""

from __future__ import annotations

import math
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew, t
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.sandwich_covariance import cov_hac

from simoffload.analysis.steady.autocorrelation import lag1
from simoffload.analysis.steady.batch_means import adjusted, batches_of, few_batches, non_overlapping, overlapping

from .processes import autoregression, mm1_waits

MEANS = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).lognormal(0, 1, 24))


def test_batches_are_equal_and_leave_out_the_beginning() -> None:
    assert batches_of(np.arange(11.0), 3).tolist() == [3.0, 6.0, 9.0]
    assert batches_of(np.arange(3.0), 3).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("batches", [0, 11])
def test_more_batches_than_values_are_refused(batches: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 10 batches"):
        batches_of(np.arange(10.0), batches)


def test_without_overlap_the_interval_is_students() -> None:
    values = autoregression(1000, 0.5, 1)
    means = [fmean(values[i : i + 50]) for i in range(0, 1000, 50)]
    found = non_overlapping(values, 20, 0.9)
    half = t.ppf(0.95, 19) * stdev(means) / math.sqrt(20)
    assert (found.mean, found.low, found.high) == pytest.approx(
        (fmean(means), fmean(means) - half, fmean(means) + half)
    )


def test_overlapping_batches_are_all_that_there_are() -> None:
    values = autoregression(200, 0.5, 2)
    m = 20
    means = np.array([values[i : i + m].mean() for i in range(200 - m + 1)])
    variance = m / ((200 - m + 1) * (200 - m)) * ((means - values.mean()) ** 2).sum()
    found = overlapping(values, 10)
    assert found.se == pytest.approx(math.sqrt(variance))
    assert found.degrees == 1.5 * 9


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_overlapping_batches_agree_with_newey_and_west(phi: float) -> None:
    """The Bartlett window over m - 1 lags weighs the same products, but for ends."""
    values = autoregression(20_000, phi, 3)
    fitted = OLS(values, np.ones(len(values))).fit()
    newey_west = float(cov_hac(fitted, nlags=len(values) // 20 - 1, use_correction=False)[0, 0])
    assert overlapping(values, 20).se ** 2 == pytest.approx(newey_west, rel=0.1)


def test_the_long_run_variance_of_an_autoregression_is_found_on_average() -> None:
    phi, n = 0.8, 20_000
    runs = [autoregression(n, phi, seed) for seed in range(200)]
    truth = 1 / (1 - phi) ** 2
    plain, overlapped, few = (
        n * np.mean([estimate(run).se ** 2 for run in runs])
        for estimate in (non_overlapping, overlapping, lambda run: few_batches(batches_of(run, 32)))
    )
    assert (plain, overlapped) == pytest.approx((truth, truth), rel=0.08)
    assert truth < few < 1.25 * truth, "correlation by chance widens the interval, none narrows it"


@given(MEANS)
def test_few_batches_widen_by_what_correlation_is_left_and_bend_to_the_skewed_side(means: np.ndarray) -> None:
    found = few_batches(means)
    k, r = len(means), lag1(means)
    inflation = math.sqrt((1 + r) / (1 - r)) if r > 0 else 1.0
    assert found.se == pytest.approx(stdev(means) / math.sqrt(k) * inflation)
    beta = skew(means, bias=False) / (6 * math.sqrt(k))
    bent = [(np.cbrt(1 + 6 * beta * (z - beta)) - 1) / (2 * beta) for z in t.ppf([0.975, 0.025], k - 1)]
    assert (found.low, found.high) == pytest.approx(tuple(found.mean - z * found.se for z in bent))
    assert (found.high - found.mean > found.mean - found.low) == (beta > 0)


def test_symmetric_batches_give_students_interval() -> None:
    found = adjusted(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), 0.0, 0.95)
    half = t.ppf(0.975, 4) * math.sqrt(2.5 / 5)
    assert (found.low, found.high) == pytest.approx((3 - half, 3 + half))


@given(MEANS, st.floats(0.01, 100), st.floats(-100, 100))
def test_unit_origin_and_sign_carry_over(means: np.ndarray, scale: float, shift: float) -> None:
    plain, other, mirrored = few_batches(means), few_batches(means * scale + shift), few_batches(-means)
    expected = (plain.low * scale + shift, plain.high * scale + shift)
    assert (other.low, other.high) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert (mirrored.low, mirrored.high) == pytest.approx((-plain.high, -plain.low))


@pytest.mark.parametrize("means", [[], [2.0]])
def test_one_batch_tells_no_error(means: list[float]) -> None:
    found = few_batches(means)
    assert (found.low, found.high, found.se) == (-math.inf, math.inf, math.inf)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_is_a_probability(level: float) -> None:
    for estimate in (non_overlapping, overlapping, few_batches):
        with pytest.raises(ValueError, match="level"):
            estimate(np.arange(400.0) if estimate is not few_batches else np.arange(9.0), level=level)


def test_few_long_batches_cover_where_independence_is_far_off() -> None:
    rho, reps = 0.5, 400
    runs = [mm1_waits(20_000, rho, seed) for seed in range(reps)]
    few = [few_batches(batches_of(run, 32)) for run in runs]
    naive = [1.96 * run.std() / math.sqrt(len(run)) for run in runs]
    truth = rho / (1 - rho)
    assert 0.92 * reps <= sum(found.low <= truth <= found.high for found in few) <= 0.98 * reps
    assert sum(abs(run.mean() - truth) <= half for run, half in zip(runs, naive, strict=True)) < 0.6 * reps


def test_the_naive_interval_cannot_be_had() -> None:
    values = mm1_waits(10_000, 0.5, 1)
    for estimate in (non_overlapping, overlapping):
        with pytest.raises(ValueError, match="from 2 to 100"):
            estimate(values, len(values))
        with pytest.raises(ValueError, match="from 2 to 100"):
            estimate(values, 1)
    with pytest.raises(ValueError, match="at most 128"):
        few_batches(values)


@pytest.mark.parametrize("k", [3, 4])
def test_of_very_few_normal_means_the_interval_is_students(k: int) -> None:
    means = np.random.default_rng(k).standard_normal(k)
    found = adjusted(means, 0.0, 0.95)
    half = t.ppf(0.975, k - 1) * means.std(ddof=1) / math.sqrt(k)
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half))
