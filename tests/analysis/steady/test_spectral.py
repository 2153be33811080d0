"""The spectrum at frequency 0 gives the variance of a mean, whatever the memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.steady.spectral import spectral

from .processes import autoregression


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, -0.5])
def test_the_variance_of_the_mean_is_found_on_average_and_the_interval_covers(phi: float) -> None:
    n, reps = 10_000, 400
    found = [spectral(autoregression(n, phi, seed, mean=7.0)) for seed in range(reps)]
    assert n * np.mean([each.se**2 for each in found]) == pytest.approx(1 / (1 - phi) ** 2, rel=0.15)
    assert 0.91 * reps <= sum(each.low <= 7.0 <= each.high for each in found) <= 0.98 * reps


@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-100, 100))
def test_unit_and_origin_carry_over(seed: int, scale: float, shift: float) -> None:
    values = autoregression(400, 0.5, seed)
    plain, other = spectral(values), spectral(values * scale + shift)
    expected = (plain.low * scale + shift, plain.high * scale + shift)
    assert (other.low, other.high) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_too_short_a_series_has_no_interval() -> None:
    found = spectral(np.arange(101.0))
    assert (found.mean, found.low, found.high) == (50.0, -math.inf, math.inf)
    assert math.isfinite(spectral(autoregression(102, 0.0, 1)).high)


def test_what_does_not_vary_has_no_width() -> None:
    found = spectral([3.0] * 200)
    assert (found.low, found.high) == (3.0, 3.0)
