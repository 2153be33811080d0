"""Units are read exactly, from a closed table, and written back as the same float."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload import units
from simoffload.units import Dimension, UnitError

DIMENSIONS = [value for value in vars(units).values() if isinstance(value, Dimension)]
dimensions = st.sampled_from(DIMENSIONS)


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("40 Mbit/s", units.BIT_RATE, 40e6),
        ("5 MB/s", units.BIT_RATE, 40e6),
        ("204.8 GB/s", units.BYTE_RATE, 204.8e9),
        ("20 ms", units.TIME, 0.02),
        ("3 us", units.TIME, 3e-6),
        ("3 µs", units.TIME, 3e-6),
        ("90 min", units.TIME, 5400.0),
        ("24 h", units.TIME, 86400.0),
        ("3 d", units.TIME, 259200.0),
        ("2 MB", units.DATA, 2e6),
        ("4 GiB", units.DATA, 4.0 * 2**30),
        ("8 Mbit", units.DATA, 1e6),
        ("42 TFLOP/s", units.COMPUTE_RATE, 42e12),
        ("40 W", units.POWER, 40.0),
        ("0.36 J/tok", units.ENERGY_PER_TOKEN, 0.36),
        ("2 kWh", units.ENERGY, 7.2e6),
        ("0.53 USD/Mtok", units.PRICE_PER_TOKEN, 0.53e-6),
        ("0.167 USD/kWh", units.PRICE_OF_ENERGY, float(Fraction(167, 3600 * 1000 * 1000))),
        ("36 USD/h", units.COST_RATE, 0.01),
        ("73 USD/month", units.COST_RATE, float(Fraction(73, 730 * 3600))),
        ("120 tok", units.TOKENS, 120.0),
        ("2 ktok", units.TOKENS, 2000.0),
        ("42 tok/s", units.TOKEN_RATE, 42.0),
        ("22 ms/tok", units.TIME_PER_TOKEN, 0.022),
        ("0.5 /s", units.FREQUENCY_OF_EVENTS, 0.5),
        ("12 /min", units.FREQUENCY_OF_EVENTS, 0.2),
        ("36/h", units.FREQUENCY_OF_EVENTS, 0.01),
        ("3.7 GHz", units.FREQUENCY, 3.7e9),
        ("150 m", units.LENGTH, 150.0),
        ("-3 dB", units.RATIO_IN_DECIBELS, -3.0),
        ("23 dBm", units.POWER_IN_DECIBELS, 23.0),
        ("128 KiB/tok", units.DATA_PER_TOKEN, 131072.0),
        ("1e-3 s", units.TIME, 0.001),
        ("  .5   s ", units.TIME, 0.5),
        ("0", units.TIME, 0.0),
        ("-0", units.TIME, 0.0),
    ],
)
def test_a_number_and_a_unit_become_the_nearest_float_in_si(text: str, dimension: Dimension, value: float) -> None:
    assert units.parse(text, dimension) == value
    assert math.copysign(1, units.parse(text, dimension)) == math.copysign(1, value)


def test_factors_are_exact_so_that_no_second_rounding_happens() -> None:
    assert units.parse("0.2 ns", units.TIME) == 2e-10
    assert 0.2 * 1e-9 != 2e-10


@pytest.mark.parametrize(
    ("text", "dimension", "suggestion"),
    [
        ("40 Mbps", units.BIT_RATE, "Mbit/s"),
        ("40 mbps", units.BIT_RATE, "Mbit/s"),
        ("40 Mb/s", units.BIT_RATE, "Mbit/s"),
        ("40 MBps", units.BIT_RATE, "MB/s"),
        ("40 mbit/s", units.BIT_RATE, "Mbit/s"),
        ("2 Mb", units.DATA, "Mbit"),
        ("2 mb", units.DATA, "MB"),
        ("2 gib", units.DATA, "GiB"),
        ("2 KB", units.DATA, "kB"),
        ("20 msec", units.TIME, "ms"),
        ("20 seconds", units.TIME, "s"),
        ("3 m", units.TIME, "min"),
        ("42 GFLOPS", units.COMPUTE_RATE, "GFLOP/s"),
        ("42 TOPS", units.COMPUTE_RATE, "TFLOP/s"),
        ("42 tokens/sec", units.TOKEN_RATE, "tok/s"),
        ("120 tokens", units.TOKENS, "tok"),
        ("0.5 1/s", units.FREQUENCY_OF_EVENTS, "/s"),
        ("5 req/min", units.FREQUENCY_OF_EVENTS, "/min"),
        ("0.5 $/Mtok", units.PRICE_PER_TOKEN, "USD/Mtok"),
        ("0.5 USD/MTok", units.PRICE_PER_TOKEN, "USD/Mtok"),
        ("40 kw", units.POWER, "kW"),
        ("40 nonsense", units.POWER, None),
    ],
)
def test_a_misspelt_unit_is_an_error_that_names_the_right_one(
    text: str, dimension: Dimension, suggestion: str | None
) -> None:
    with pytest.raises(UnitError, match="unknown unit") as caught:
        units.parse(text, dimension)
    assert caught.value.suggestion == suggestion
    assert caught.value.allowed == tuple(dimension.units)


@pytest.mark.parametrize(
    ("text", "dimension", "message"),
    [
        ("20", units.TIME, "20 has no unit; write a time such as '20 ms' or '24 h'"),
        ("-20 ms", units.TIME, "-20 ms is negative; a time must be 0 or more"),
        ("fast", units.BIT_RATE, "cannot read 'fast' as a data rate; write '40 Mbit/s' or '1 Gbit/s'"),
        ("1,000 tok", units.TOKENS, "unknown unit ',000 tok' for a number of tokens"),
        ("nan s", units.TIME, "cannot read 'nan s' as a time; write '20 ms' or '24 h'"),
        ("inf s", units.TIME, "cannot read 'inf s' as a time; write '20 ms' or '24 h'"),
        ("\u0663 s", units.TIME, "cannot read '\u0663 s' as a time; write '20 ms' or '24 h'"),
        ("1e99 s", units.TIME, "1e99 s is too large for a time; at most 10000000000 s"),
        ("1e999999999 s", units.TIME, "1e999999999 is far too large for a time"),
        ("1e-999 s", units.TIME, "1e-999 is far too small for a time"),
        ("1e-40 s", units.TIME, "1e-40 s is too small for a time; write 0 if you mean none"),
        ("2000 dB", units.RATIO_IN_DECIBELS, "2000 dB is too large for a ratio in decibels; at most 1000 dB"),
        ("", units.TIME, "cannot read '' as a time; write '20 ms' or '24 h'"),
    ],
)
def test_what_is_no_quantity_is_an_error_in_plain_words(text: str, dimension: Dimension, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        units.parse(text, dimension)
    assert caught.value.message == message


def test_a_very_long_text_is_refused_unread() -> None:
    with pytest.raises(UnitError, match="1000002 characters"):
        units.parse("9" * 1_000_000 + " s", units.TIME)


def test_zero_needs_no_unit_and_other_bare_numbers_do() -> None:
    assert units.bare(0, units.TIME) == 0.0
    with pytest.raises(UnitError, match="5 has no unit; write a time such as '20 ms' or '24 h'"):
        units.bare(5, units.TIME)
    with pytest.raises(UnitError, match="nan has no unit"):
        units.bare(math.nan, units.TIME)


@given(dimensions, st.floats(min_value=units.SMALLEST, max_value=1e24), st.booleans())
def test_what_is_written_reads_as_the_same_float(dimension: Dimension, magnitude: float, negative: bool) -> None:
    value = min(magnitude, dimension.limit) * (-1 if negative and dimension.signed else 1)
    assert units.parse(units.write(value, dimension), dimension) == value


@given(dimensions, st.decimals(min_value=0, max_value=1000, places=3), st.data())
def test_round_numbers_are_written_as_short_as_they_came(
    dimension: Dimension, number: object, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from([unit for unit in dimension.units if unit not in dimension.foreign]))
    text = f"{number} {unit}"
    value = units.parse(text, dimension) if float(str(number)) * dimension.units[unit] <= dimension.limit else 0.0
    assert len(units.write(value, dimension)) <= max(len(text) + 6, len(f"0 {dimension.si}"))


@given(dimensions, st.text(max_size=30))
def test_any_text_is_either_a_sensible_number_or_a_unit_error(dimension: Dimension, text: str) -> None:
    try:
        value = units.parse(text, dimension)
    except UnitError:
        return
    assert abs(value) <= dimension.limit
    assert dimension.signed or value >= 0


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
def test_every_dimension_has_an_si_unit_and_examples_that_can_be_read(dimension: Dimension) -> None:
    assert dimension.units[dimension.si] == 1
    assert dimension.foreign <= set(dimension.units)
    for example in dimension.examples:
        assert units.parse(example, dimension) > 0


def test_a_quantity_is_written_in_the_unit_people_use() -> None:
    assert units.write(0.02, units.TIME) == "20 ms"
    assert units.write(40e6, units.BIT_RATE) == "40 Mbit/s"
    assert units.write(2.0**32, units.DATA) == "4 GiB"
    assert units.write(0.53e-6, units.PRICE_PER_TOKEN) == "0.53 USD/Mtok"
    assert units.write(0.0, units.TIME) == "0 s"
