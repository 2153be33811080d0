"""Measured quantiles are set beside those of a law, as far out as there are values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.figures_theory import FEWEST_BEYOND, qq_figure, quantile_pairs

from .pictures import assert_readable, texts


def exponential(share: float) -> float:
    return -math.log(1.0 - share)


def test_values_of_the_law_lie_on_the_line() -> None:
    values = np.array([exponential((k + 0.5) / 20_000) for k in range(20_000)])
    pairs = quantile_pairs(values, exponential)
    assert pairs.measured == pytest.approx(pairs.theory, rel=0.06)
    assert pairs.shares[-1] == pytest.approx(1 - FEWEST_BEYOND / 20_000)


def test_those_who_need_not_wait_are_passed_over() -> None:
    values = np.array([max(0.0, exponential((k + 0.5) / 1000) - 1.0) for k in range(1000)])
    pairs = quantile_pairs(values, lambda share: max(0.0, exponential(share) - 1.0))
    assert pairs.shares[0] > 0.6
    assert (pairs.theory >= 0).all()


def test_too_few_values_are_refused() -> None:
    with pytest.raises(ValueError, match="20 values are too few"):
        quantile_pairs(np.ones(20), exponential)


def test_the_picture_names_what_is_compared_and_the_quantiles() -> None:
    values = np.random.default_rng(1).exponential(1.2, 30_000)
    figure = qq_figure(quantile_pairs(values, exponential), "waiting (s)", "M/M/1")
    assert_readable(figure)
    assert texts(figure.axes[0]) == ["p50", "p90", "p99", "p99.9"]
    assert figure.axes[0].get_xlabel() == "waiting (s) by M/M/1"
