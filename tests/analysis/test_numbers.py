"""Numbers are written with the digits that they deserve, and read back as what they were."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.numbers import (
    MINUS,
    UNKNOWN,
    brief,
    counted,
    decimals,
    listed,
    percent,
    plain,
    plus_minus,
    rounded,
    with_ends,
)

SIZES = st.floats(1e-6, 1e9) | st.floats(-1e9, -1e-6)


def read(text: str) -> float:
    return float(text.replace(MINUS, "-"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123456, "0.0123"), (1.234, "1.23"), (1234.5, "1234"), (99.96, "100.0"), (1e15, "1e+15"),
     (-2.5, f"{MINUS}2.50"), (math.inf, "infinite"), (-math.inf, f"{MINUS}infinite"), (math.nan, UNKNOWN)],
)  # fmt: skip
def test_a_number_has_three_significant_digits_and_its_whole_part(value: float, text: str) -> None:
    assert rounded(value) == text


@given(SIZES, st.integers(1, 6))
def test_rounding_is_within_half_a_unit_of_the_last_digit(value: float, digits: int) -> None:
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - digits + 1)
    assert abs(read(rounded(value, digits)) - value) <= 0.5000001 * min(unit, 1.0)


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (0.000999, "<0.001"), (0.001, "0.00100"), (12.34, "12.3"), (-0.0001, "−0.000100")]
)
def test_what_is_small_is_told_as_that(value: float, text: str) -> None:
    assert brief(value) == text


def test_zero_has_no_sign() -> None:
    assert decimals(-0.001, 2) == "0.00"


def test_places_beyond_reason_become_an_exponent() -> None:
    assert decimals(1.5e-20, 22) == "1.5e-20"


@pytest.mark.parametrize(
    ("mean", "half_width", "text"),
    [(9.7412, 0.1713, "9.74 ± 0.17"), (0.98765, 0.0041, "0.9877 ± 0.0041"), (1234.4, 56.2, "1234 ± 56"),
     (2.0, 0.0, "2.00 ± 0"), (1.5, math.inf, "1.50 ± ?"), (math.nan, 1.0, UNKNOWN),
     (-1.25, 0.11, f"{MINUS}1.25 ± 0.11"), (1.0, 1e-15, "1.000 ± 1.0e-15"), (0.0, 0.25, "0.00 ± 0.25")],
)  # fmt: skip
def test_an_interval_is_written_to_the_second_digit_of_its_width(mean: float, half_width: float, text: str) -> None:
    assert plus_minus(mean, half_width) == text


@given(SIZES, st.floats(1e-6, 1e6))
def test_what_is_lost_of_an_interval_is_small_beside_its_width(mean: float, half_width: float) -> None:
    middle, width = plus_minus(mean, half_width).split(" ± ")
    step = max(half_width / 18, 0.5 if half_width > 9 else 0.0) + abs(mean) * 1e-15
    assert abs(read(middle) - mean) <= step
    assert abs(read(width) - half_width) <= step


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.3, "0.3"), (10.0, "10"), (1500.0, "1500"), (123456.0, "123456"), (2e6, "2e+06"), (0.00005, "5e-05"),
     (0.0001, "0.0001"), (12.345, "12.35"), (1200.0, "1200")],
)  # fmt: skip
def test_ticks_are_written_plainly(value: float, text: str) -> None:
    assert plain(value) == text


@given(st.floats(1e-12, 1e12))
def test_a_plain_number_is_right_to_four_digits(value: float) -> None:
    assert float(plain(value)) == pytest.approx(value, rel=0.006 if not 1e-4 <= value < 1e6 else 6e-4)


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (2.58, 2.48, 2.68, "2.58 ± 0.10"),
        (2.58, 2.48, 2.69, "2.58 ± 0.11"),
        (2.58, 2.50, 2.72, "2.58 −0.08 +0.14"),
        (0.0043, 0.0013, 0.0208, "0.0043 −0.0030 +0.0165"),
        (5.0, 5.0, 5.0, "5.00 ± 0"),
        (5.0, 5.5, 6.5, "5.00 +0.50 +1.50"),
        (5.0, -math.inf, math.inf, "5.00 ± ?"),
        (math.nan, -math.inf, math.inf, "–"),
    ],
)
def test_an_interval_is_told_by_both_ends_where_they_are_not_equally_far(
    value: float, low: float, high: float, text: str
) -> None:
    assert with_ends(value, low, high) == text


def test_shares_are_percentages() -> None:
    assert (percent(0.256), percent(0.2564, 1), percent(math.nan)) == ("26 %", "25.6 %", UNKNOWN)


def test_nouns_agree_with_their_number() -> None:
    assert [counted(number, "seed") for number in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]


def test_lists_end_in_and() -> None:
    assert [listed(list(names)) for names in ("a", "ab", "abc")] == ["a", "a and b", "a, b and c"]
