"""A quantile is the least time at which a distribution comes to a share."""

from __future__ import annotations

import math

import pytest

from simoffload.analysis.theory.quantiles import quantile


def exponential(time_s: float) -> float:
    return -math.expm1(-time_s)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_the_scale_makes_no_difference(scale: float) -> None:
    assert quantile(exponential, 0.95, scale) == pytest.approx(-math.log(0.05), rel=1e-9)


def test_a_jump_is_found() -> None:
    assert quantile(lambda t: float(t >= 2.5), 0.5, 1.0) == pytest.approx(2.5)


def test_what_is_there_at_once_takes_no_time() -> None:
    assert quantile(lambda t: 0.4 + 0.6 * exponential(t), 0.3, 1.0) == 0.0


def test_a_distribution_that_ends_below_the_share_is_refused() -> None:
    with pytest.raises(ValueError, match="does not come up to"):
        quantile(lambda t: 0.5, 0.9, 1.0)
