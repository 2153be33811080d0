"""Differences of schemes are those of all trainings that they might have had, as far as these can be known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.intervals import holm, paired_difference, paired_ratio
from simoffload.analysis.scheme_intervals import (
    Measured,
    adjusted_scheme_differences,
    scheme_difference,
    scheme_ratio,
)
from simoffload.estimates import t_quantile

VALUES = st.integers(-(10**6), 10**6).map(lambda k: k / 64)
PAIRS = st.integers(2, 12).flatmap(lambda n: st.tuples(*[st.lists(VALUES, min_size=n, max_size=n)] * 2))
MEANS = st.lists(VALUES, min_size=2, max_size=5)


@given(PAIRS)
def test_without_trainings_it_is_the_difference_of_the_pairs(pair: tuple[list[float], list[float]]) -> None:
    found, paired = scheme_difference(Measured(pair[0]), Measured(pair[1])), paired_difference(*pair)
    assert found.difference.mean == pytest.approx(paired.difference.mean, abs=1e-6)
    assert found.difference.half_width == pytest.approx(paired.difference.half_width)
    assert found.p_value == pytest.approx(paired.p_value, abs=1e-9)
    assert found.degrees == pytest.approx(len(pair[0]) - 1)


@given(PAIRS, VALUES, VALUES, st.integers(2, 5), st.integers(2, 5))
def test_trainings_that_do_not_differ_add_nothing(
    pair: tuple[list[float], list[float]], of_a: float, of_b: float, many_a: int, many_b: int
) -> None:
    a, b = Measured(pair[0], [of_a] * many_a), Measured(pair[1], [of_b] * many_b)
    assert scheme_difference(a, b) == scheme_difference(Measured(pair[0]), Measured(pair[1]))


@given(PAIRS, MEANS, MEANS, st.integers(1, 100))
def test_the_variance_is_the_sum_of_three(
    pair: tuple[list[float], list[float]], of_a: list[float], of_b: list[float], scale: int
) -> None:
    def error(of_a: list[float], of_b: list[float]) -> float:
        return scheme_difference(Measured(pair[0], of_a), Measured(pair[1], of_b)).standard_error

    alone = error([], [])
    terms = [alone**2, np.var(of_a, ddof=1) / len(of_a), np.var(of_b, ddof=1) / len(of_b)]
    assert error(of_a, of_b) == pytest.approx(math.sqrt(sum(terms)), abs=1e-6)
    further = [scale * each for each in of_a]
    assert error(further, of_b) >= error(of_a, of_b) * (1 - 1e-9) >= alone * (1 - 2e-9)


def test_the_interval_widens_as_trainings_differ() -> None:
    generator = np.random.default_rng(4)
    by_seed = generator.normal(0, 1, (2, 30)).tolist()
    widths = [
        scheme_difference(Measured(by_seed[0], [1 - apart, 1, 1 + apart]), Measured(by_seed[1])).difference.half_width
        for apart in (0, 0.01, 0.1, 0.3, 1, 10)
    ]
    assert widths == sorted(set(widths))


def test_degrees_of_freedom_are_those_of_welch_and_satterthwaite() -> None:
    """Variances over numbers are 4/12, 3/3 and 1/2: 1.8333^2 / (0.3333^2 / 11 + 1^2 / 2 + 0.5^2 / 1) = 4.4275."""
    a = Measured([x * math.sqrt(11 / 12) * 2 for x in [1.0, -1.0] * 6], [5 - math.sqrt(3), 5.0, 5 + math.sqrt(3)])
    b = Measured([0.0] * 12, [7 - math.sqrt(0.5), 7 + math.sqrt(0.5)])
    found = scheme_difference(a, b)
    assert found.standard_error == pytest.approx(math.sqrt(11 / 6))
    assert found.degrees == pytest.approx((11 / 6) ** 2 / ((1 / 3) ** 2 / 11 + 1 / 2 + 0.25))


@given(PAIRS, VALUES)
def test_a_scheme_that_was_trained_once_has_no_interval(pair: tuple[list[float], list[float]], mean: float) -> None:
    found = scheme_difference(Measured(pair[0], [mean]), Measured(pair[1], [1.0, 2.0]))
    assert all(map(math.isnan, (found.difference.half_width, found.p_value, found.standard_error, found.degrees)))
    assert not found.excludes_zero
    assert not math.isnan(found.difference.mean)


def test_a_ratio_without_trainings_is_that_of_the_pairs() -> None:
    a, b = [1.0, 2.0, 4.0], [2.0, 2.5, 3.0]
    assert scheme_ratio(Measured(a), Measured(b)) == paired_ratio(a, b)


def test_trainings_widen_a_ratio_by_their_share_of_its_variance() -> None:
    """Of seeds that do not vary, with a = 3 and b = 2: var = (s_a^2 + (3/2)^2 s_b^2) / 3 / 2^2."""
    found = scheme_ratio(Measured([3.0] * 9, [2.9, 3.0, 3.1]), Measured([2.0] * 9, [1.8, 2.0, 2.2]))
    of_a, of_b = 0.01 / 3 / 4, 2.25 * 0.04 / 3 / 4
    degrees = (of_a + of_b) ** 2 / (of_a**2 / 2 + of_b**2 / 2)
    assert found.mean == pytest.approx(0.5)
    assert found.half_width == pytest.approx(t_quantile(degrees, 0.95) * (of_a + of_b) ** 0.5)


def test_nothing_is_a_ratio_to_a_scheme_at_0() -> None:
    assert math.isnan(scheme_ratio(Measured([3.0, 4.0], [3.5, 3.5]), Measured([1.0, -1.0], [0.5, -0.5])).mean)


def test_a_scheme_trained_once_has_no_interval_of_a_ratio() -> None:
    assert math.isnan(scheme_ratio(Measured([3.0, 4.0], [3.5]), Measured([2.0, 2.5])).half_width)


def test_pairs_are_of_equal_length() -> None:
    with pytest.raises(ValueError, match="pairs need equally many values, not 2 and 1"):
        scheme_difference(Measured([1.0, 2.0]), Measured([1.0]))


@given(st.lists(st.tuples(PAIRS, MEANS), max_size=5), st.booleans())
def test_an_interval_excludes_zero_just_when_holm_rejects(
    rows: list[tuple[tuple[list[float], list[float]], list[float]]], with_one: bool
) -> None:
    pairs = [(Measured(a, means), Measured(b)) for (a, b), means in rows]
    if with_one:
        pairs.append((Measured([1.0, 1.1], [1.0]), Measured([2.0, 2.1])))
    alone = [scheme_difference(*pair).p_value for pair in pairs]
    found = adjusted_scheme_differences(pairs)
    wanted = holm([1.0 if math.isnan(p) else p for p in alone])
    for each, own, adjusted in zip(found, alone, wanted, strict=True):
        assert math.isnan(own) if math.isnan(each.p_value) else each.p_value == adjusted
        if abs(adjusted - 0.05) > 1e-9:
            assert each.excludes_zero == (each.p_value < 0.05)


@pytest.mark.parametrize("is_trained", [True, False], ids=["two schemes", "a scheme and a rule"])
def test_it_covers_the_difference_of_schemes_where_a_paired_one_does_not(is_trained: bool) -> None:
    """Three trainings of each scheme, which differ as much as seeds do, on 20 seeds."""
    generator = np.random.default_rng(11)
    trials, difference = 1000, 0.5
    wide = narrow = 0
    for _ in range(trials):
        seeds = generator.normal(0, 1, 20)
        a = difference + seeds + generator.normal(0, 0.3, (3, 1)) + generator.normal(0, 0.3, (3, 20))
        of_b = generator.normal(0, 0.3, (3, 1)) if is_trained else np.zeros((1, 1))
        b = seeds + of_b + generator.normal(0, 0.3, (len(of_b), 20))
        own = Measured(a.mean(0).tolist(), a.mean(1).tolist())
        other = Measured(b.mean(0).tolist(), b.mean(1).tolist() if is_trained else ())
        wide += scheme_difference(own, other).difference.holds(difference)
        narrow += paired_difference(own.by_seed, other.by_seed).difference.holds(difference)
    assert wide >= 0.93 * trials
    assert narrow <= 0.75 * trials
