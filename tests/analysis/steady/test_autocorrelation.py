"""Autocorrelations are the textbook sums; the autocorrelation time is that of processes where it is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.stattools import acf as statsmodels_acf

from simoffload.analysis.steady.autocorrelation import (
    LONGEST,
    acf,
    autocorrelation_time,
    effective_size,
    lag1,
    von_neumann,
)

from .processes import autoregression, mm1_time, mm1_waits

SERIES = st.integers(0, 10_000).map(lambda seed: autoregression(300, 0.7, seed))


@given(SERIES)
def test_autocorrelations_are_sums_of_products_of_offsets(values: np.ndarray) -> None:
    offsets = values - values.mean()
    expected = [offsets[k:] @ offsets[: len(offsets) - k] / (offsets @ offsets) for k in range(20)]
    assert acf(values, 19) == pytest.approx(np.array(expected), abs=1e-12)
    assert lag1(values) == pytest.approx(expected[1], abs=1e-12)


def test_statsmodels_finds_the_same_autocorrelations() -> None:
    values = mm1_waits(5000, 0.8, 3)
    assert acf(values, 400) == pytest.approx(statsmodels_acf(values, nlags=400, fft=True), abs=1e-10)


@given(SERIES, st.floats(0.01, 100), st.floats(-1000, 1000))
def test_unit_and_origin_do_not_matter(values: np.ndarray, scale: float, shift: float) -> None:
    other = values * scale + shift
    assert acf(other, 30) == pytest.approx(acf(values, 30), abs=1e-7)
    assert autocorrelation_time(other) == pytest.approx(autocorrelation_time(values), rel=1e-6)


@pytest.mark.parametrize("lags", [-1, 10])
def test_lags_beyond_the_series_are_refused(lags: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 9"):
        acf(np.arange(10.0), lags)


@pytest.mark.parametrize(("phi", "n"), [(0.5, 100_000), (0.9, 100_000), (0.9, 4 * LONGEST)])
def test_the_autocorrelation_time_of_an_autoregression_is_found(phi: float, n: int) -> None:
    assert autocorrelation_time(autoregression(n, phi, 2)) == pytest.approx((1 + phi) / (1 - phi), rel=0.06)


def test_the_autocorrelation_time_of_mm1_is_found_on_average() -> None:
    found = [autocorrelation_time(mm1_waits(200_000, 0.8, seed)) for seed in range(20)]
    assert np.mean(found) == pytest.approx(mm1_time(0.8), rel=0.1)


def test_averaging_a_long_series_in_groups_changes_its_time_little(monkeypatch: pytest.MonkeyPatch) -> None:
    values = autoregression(LONGEST, 0.99, 8)
    plain = autocorrelation_time(values)
    monkeypatch.setattr("simoffload.analysis.steady.autocorrelation.LONGEST", LONGEST // 8)
    assert autocorrelation_time(values) == pytest.approx(plain, rel=0.01)


def test_independent_values_count_each() -> None:
    values = np.random.default_rng(1).standard_normal(100_000)
    assert effective_size(values) == pytest.approx(len(values), rel=0.03)


def test_negative_dependence_does_not_make_more_of_few_values() -> None:
    assert autocorrelation_time(autoregression(20_000, -0.5, 1)) == 1
    assert autocorrelation_time([1.0, -1.0] * 50) == 1


@pytest.mark.parametrize("values", [[], [1.0], [0.3] * 100])
def test_what_does_not_vary_has_no_autocorrelation(values: list[float]) -> None:
    assert math.isnan(autocorrelation_time(values))
    assert math.isnan(von_neumann(values).p_value)
    if values:
        assert math.isnan(acf(values, 0)[0])


def test_von_neumanns_ratio_worked_out_by_hand() -> None:
    found = von_neumann([1.0, 2.0, 4.0, 5.0])
    assert found.lag1 == pytest.approx(1 - (1 + 4 + 1) / (2 * (4 + 1 + 1 + 4)))
    z = found.lag1 / math.sqrt(2 / 15)
    assert found.p_value == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)))


def test_independent_values_are_seldom_called_correlated() -> None:
    generator = np.random.default_rng(4)
    alarms = sum(von_neumann(generator.standard_normal(32)).p_value < 0.05 for _ in range(4000))
    assert 160 <= alarms <= 240


def test_neighbours_that_resemble_each_other_are_seen() -> None:
    assert von_neumann(autoregression(200, 0.6, 1)).p_value < 1e-6
    assert von_neumann(autoregression(200, -0.6, 1)).p_value > 0.99
