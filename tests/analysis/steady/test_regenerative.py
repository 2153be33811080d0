"""Cycles between empty systems give the ratio estimate, and too few of them no interval."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.steady.regenerative import ratio_interval, regenerative_mean
from simoffload.analysis.steady.result import Flag

from .processes import mm1_waits


def test_a_ratio_worked_out_by_hand() -> None:
    found = ratio_interval([1.0, 4.0, 1.0], [1.0, 2.0, 3.0], 0.95)
    offsets = [1.0 - 1.0, 4.0 - 2.0, 1.0 - 3.0]
    se = math.sqrt(sum(offset**2 for offset in offsets) / 2 / 3) / 2
    assert found.mean == 1
    assert found.se == pytest.approx(se)
    assert found.high - 1 == pytest.approx(1.959964 * se, rel=1e-6)


def test_the_variance_is_that_of_the_textbook() -> None:
    generator = np.random.default_rng(1)
    lengths, sums = generator.integers(1, 9, 300).astype(float), generator.random(300) * 5
    r = sums.sum() / lengths.sum()
    covariance = np.cov(sums, lengths)
    s2 = covariance[0, 0] - 2 * r * covariance[0, 1] + r**2 * covariance[1, 1]
    assert ratio_interval(sums, lengths).se == pytest.approx(math.sqrt(s2 / 300) / lengths.mean(), rel=1e-9)


def test_cycles_are_whole_and_the_rest_is_left_out() -> None:
    values = np.concatenate(([9.0, 9.0], np.resize([0.0, 3.0, 3.0], 3000), [0.0, 50.0]))
    begins = np.zeros(len(values), dtype=bool)
    begins[2:3002:3] = begins[3002] = True
    found = regenerative_mean(values, begins)
    assert (found.value, found.cut, found.n, found.batches) == (2.0, 2, 3000, 1000)


def test_the_waits_of_mm1_are_held() -> None:
    found = []
    for seed in range(100):
        waits = mm1_waits(40_000, 0.5, seed)
        found.append(regenerative_mean(waits, waits == 0))
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 96
    assert sum(each.low <= 1.0 <= each.high for each in clean) >= 0.9 * len(clean)
    assert found[0].batches == pytest.approx(20_000, rel=0.05)


def test_few_cycles_are_refused_and_more_are_asked_for() -> None:
    values = np.random.default_rng(1).random(5_000)
    begins = np.arange(5_000) % 60 == 0
    found = regenerative_mean(values, begins)
    assert found.batches == 83
    assert Flag.TOO_SHORT in found.flags
    assert math.isinf(found.half_width)
    assert found.needed_n is not None and found.needed_n >= 6_000


def test_cycles_that_remember_each_other_are_none() -> None:
    waits = mm1_waits(40_000, 0.5, 1)
    found = regenerative_mean(waits, np.ones(len(waits), dtype=bool))
    assert found.flags == {Flag.CORRELATED_BATCHES}
    assert math.isinf(found.half_width)


@pytest.mark.parametrize("begins", [[False] * 50, [True] + [False] * 49])
def test_without_a_whole_cycle_nothing_is_known(begins: list[bool]) -> None:
    found = regenerative_mean(np.arange(50.0), begins)
    assert math.isnan(found.value)
    assert math.isinf(found.half_width)
    assert found.flags == {Flag.TOO_SHORT}


def test_what_is_no_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="positive length"):
        ratio_interval([1.0], [0.0])
    with pytest.raises(ValueError, match="each observation"):
        regenerative_mean([1.0, 2.0], [True])
