"""Intervals are those of Student, differences those of pairs, and many claims at once are made with Holm's care."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from simoffload.analysis.intervals import (
    Interval,
    adjusted_differences,
    all_differences,
    holm,
    holm_levels,
    paired_difference,
    paired_ratio,
    t_interval,
)

VALUES = st.integers(-(10**6), 10**6).map(lambda k: k / 64)
SAMPLES = st.lists(VALUES, min_size=2, max_size=20).filter(lambda values: min(values) < max(values))
LEVELS = st.sampled_from([0.5, 0.9, 0.95, 0.99])
P_VALUES = st.lists(st.integers(0, 1000).map(lambda k: k / 1000), max_size=12)


@given(SAMPLES, LEVELS)
def test_the_interval_is_that_of_scipy(values: list[float], level: float) -> None:
    low, high = stats.t.interval(level, len(values) - 1, np.mean(values), stats.sem(values))
    found = t_interval(values, level)
    size = max(map(abs, values))
    assert found.low == pytest.approx(low, abs=1e-9 * size)
    assert found.high == pytest.approx(high, abs=1e-9 * size)
    assert (found.level, found.n) == (level, len(values))


def test_two_values_are_hardly_enough() -> None:
    assert t_interval([1.0, 3.0]).half_width == pytest.approx(math.tan(math.pi / 2 * 0.95))


def test_one_value_says_nothing_of_its_spread() -> None:
    alone = t_interval([4.0])
    assert (alone.mean, alone.half_width) == (4, math.inf)
    assert alone.holds(1e300)
    assert alone.holds(-1e300)


def test_no_value_has_no_mean() -> None:
    nothing = t_interval([])
    assert math.isnan(nothing.mean)
    assert nothing.half_width == math.inf


@given(VALUES, st.integers(2, 9))
def test_equal_values_have_no_width(value: float, count: int) -> None:
    assert t_interval([value] * count) == Interval(value, 0.0, 0.95, count)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        t_interval([1.0, value])


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        t_interval([1.0, 2.0], level)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    samples = np.random.default_rng(20251).normal(3.0, 2.0, (2000, 5))
    covered = sum(t_interval(sample.tolist()).holds(3.0) for sample in samples)
    assert covered == pytest.approx(1900, abs=4 * math.sqrt(2000 * 0.95 * 0.05))


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=20), LEVELS)
def test_a_paired_difference_is_that_of_scipy(pairs: list[tuple[float, float]], level: float) -> None:
    a, b = map(list, zip(*pairs, strict=True))
    if len({x - y for x, y in pairs}) < 2:
        return
    expected = stats.ttest_rel(a, b)
    low, high = expected.confidence_interval(level)
    found = paired_difference(a, b, level)
    size = max(map(abs, a + b))
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high), abs=1e-9 * size)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=9))
def test_differences_do_not_depend_on_who_is_taken_from_whom(pairs: list[tuple[float, float]]) -> None:
    a, b = map(list, zip(*pairs, strict=True))
    one, other = paired_difference(a, b), paired_difference(b, a)
    assert one.difference.mean == -other.difference.mean
    assert one.difference.half_width == pytest.approx(other.difference.half_width, rel=1e-12)
    assert one.is_tie == other.is_tie


def test_what_is_common_to_both_does_not_widen_a_difference() -> None:
    common = [100.0, 300.0, 200.0, 500.0]
    found = paired_difference(
        [value + 1 + noise for value, noise in zip(common, [0, 0.25, 0, 0.25], strict=True)], common
    )
    assert not found.is_tie
    assert found.variance_reduction > 1e5


def test_independent_values_gain_nothing_from_pairing() -> None:
    a, b = [1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0]
    assert paired_difference(a, b).variance_reduction == pytest.approx(1.0)


def test_the_same_results_are_a_tie() -> None:
    found = paired_difference([1.0, 2.0, 4.0], [1.0, 2.0, 4.0])
    assert found.is_tie
    assert found.p_value == 1


def test_a_difference_that_is_always_the_same_is_one() -> None:
    found = paired_difference([2.0, 3.0, 5.0], [1.0, 2.0, 4.0])
    assert not found.is_tie
    assert found.p_value == 0


def test_one_pair_tells_nothing() -> None:
    found = paired_difference([5.0], [1.0])
    assert found.is_tie
    assert found.p_value == 1
    assert math.isnan(found.variance_reduction)


def test_pairs_need_partners() -> None:
    with pytest.raises(ValueError, match="not 1 and 2"):
        paired_difference([1.0], [1.0, 2.0])


@pytest.mark.parametrize(("mean", "spread"), [(3.0, (0.05, 0.1)), (0.9, (0.04, 0.04)), (0.03, (0.04, 0.1))])
def test_the_interval_of_a_ratio_covers_it_as_often_as_it_says(mean: float, spread: tuple[float, float]) -> None:
    """Of means 1 and `mean` with these coefficients of variation, paired with a correlation of 0.3."""
    generator, held, times = np.random.default_rng(5), 0, 2000
    for _ in range(times):
        common, own, other = generator.normal(size=(3, 30))
        a = mean * (1 + spread[0] * (0.3**0.5 * common + 0.7**0.5 * own))
        b = 1 + spread[1] * (0.3**0.5 * common + 0.7**0.5 * other)
        held += paired_ratio(a.tolist(), b.tolist()).holds(mean - 1)
    assert held / times == pytest.approx(0.95, abs=0.02)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=9), st.floats(0.01, 100))
def test_a_ratio_does_not_depend_on_the_unit(pairs: list[tuple[float, float]], unit: float) -> None:
    a, b = ([abs(each) + 1 for each in column] for column in zip(*pairs, strict=True))
    found, other = paired_ratio(a, b), paired_ratio([unit * x for x in a], [unit * x for x in b])
    assert other.mean == pytest.approx(found.mean, abs=1e-9)
    assert other.half_width == pytest.approx(found.half_width, rel=1e-6, abs=1e-9)


def test_a_ratio_to_what_does_not_vary_is_the_difference_in_its_unit() -> None:
    a, b = [1.0, 2.0, 4.0], [2.0, 2.0, 2.0]
    found, difference = paired_ratio(a, b), paired_difference(a, b).difference
    assert (found.mean, found.half_width) == pytest.approx((difference.mean / 2, difference.half_width / 2))


def test_nothing_is_a_ratio_to_0() -> None:
    assert math.isnan(paired_ratio([1.0, 2.0], [0.0, 0.0]).mean)


def test_holm_adjusts_as_published_software_does() -> None:
    assert holm([0.04, 0.01, 0.05, 0.02, 0.03]) == pytest.approx([0.09, 0.05, 0.09, 0.08, 0.09])
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(P_VALUES)
def test_holm_is_between_no_adjustment_and_that_of_bonferroni(p_values: list[float]) -> None:
    for p, adjusted in zip(p_values, holm(p_values), strict=True):
        assert p <= adjusted <= min(1.0, p * len(p_values)) + 1e-12


@given(P_VALUES, LEVELS)
def test_a_test_at_its_own_level_decides_as_holm_does(p_values: list[float], level: float) -> None:
    alpha = 1 - level
    for p, adjusted, own in zip(p_values, holm(p_values), holm_levels(p_values, level), strict=True):
        if abs(adjusted - alpha) > 1e-9:
            assert (p <= 1 - own + 1e-12) == (adjusted <= alpha)
        assert own >= level


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_a_p_value_is_a_probability(p: float) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm([0.5, p])


ROWS = st.integers(2, 5).flatmap(
    lambda seeds: st.lists(st.lists(VALUES, min_size=seeds, max_size=seeds), min_size=1, max_size=5)
)


@given(ROWS)
def test_an_interval_excludes_zero_just_when_holm_rejects(rows: list[list[float]]) -> None:
    found = all_differences(rows)
    assert sorted(found) == [(i, j) for i in range(len(rows)) for j in range(i + 1, len(rows))]
    for pair in found.values():
        if abs(pair.p_value - 0.05) > 1e-9:
            assert pair.is_tie == (pair.p_value > 0.05)


@given(ROWS)
def test_all_differences_are_the_pairs_own_but_for_their_width(rows: list[list[float]]) -> None:
    for (i, j), pair in all_differences(rows).items():
        alone = paired_difference(rows[j], rows[i])
        assert pair.difference.mean == alone.difference.mean
        assert pair.difference.half_width >= alone.difference.half_width
        assert pair.p_value >= alone.p_value


def test_agents_that_do_not_differ_are_rarely_told_apart() -> None:
    generator = np.random.default_rng(7)
    trials = 400
    false_claims = 0
    for _ in range(trials):
        common = generator.normal(10, 3, 5)
        rows = [(common + generator.normal(0, 1, 5)).tolist() for _ in range(5)]
        false_claims += any(not pair.is_tie for pair in all_differences(rows).values())
    assert false_claims <= 0.05 * trials + 4 * math.sqrt(trials * 0.05 * 0.95)


def test_agents_that_differ_much_are_told_apart() -> None:
    generator = np.random.default_rng(8)
    common = generator.normal(10, 3, 5)
    rows = [(common + 10 * k + generator.normal(0, 0.1, 5)).tolist() for k in range(4)]
    found = all_differences(rows)
    assert not any(pair.is_tie for pair in found.values())
    assert all(pair.difference.mean > 0 for pair in found.values())


@given(st.lists(st.tuples(*[st.lists(VALUES, min_size=4, max_size=4)] * 2), max_size=6))
def test_pairs_are_adjusted_for_those_that_are_given(pairs: list[tuple[list[float], list[float]]]) -> None:
    alone = [paired_difference(a, b) for a, b in pairs]
    found = adjusted_differences(pairs)
    assert [pair.p_value for pair in found] == holm([pair.p_value for pair in alone])
    for pair, own in zip(found, alone, strict=True):
        assert pair.difference.mean == own.difference.mean
        assert pair.difference.half_width >= own.difference.half_width
        assert pair.is_tie == (pair.p_value > 0.05)
