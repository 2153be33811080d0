"""Fields are read exactly and within what can be; the others are told apart by what is wrong with them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.traces.fields import CALENDAR, MILLISECONDS, SECONDS, clock_for, find_column, finite, key_of, whole
from simoffload.traces.lines import FieldError


@given(st.integers(0, 10**9))
def test_whole_numbers_are_read_with_and_without_a_point(value: int) -> None:
    assert whole(str(value), "tokens", 10**9) == whole(f" {value}.0 ", "tokens", 10**9) == value


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-3", "tokens '-3' is negative; allowed: 0 to 1e+09"),
        ("nan", "tokens 'nan' is not a number"),
        ("inf", "tokens 'inf' is above 1e+09"),
        ("1000000001", "tokens '1000000001' is above 1e+09"),
        ("9" * 400, "is above 1e"),
        ("1.5", "tokens '1.5' is not a whole number"),
        ("1_000", "tokens '1_000' is not a number"),
        ("many", "tokens 'many' is not a number"),
        ("0x10", "tokens '0x10' is not a number"),
        ("1,5", "tokens '1,5' is not a number"),
    ],
)
def test_what_is_no_number_of_tokens_is_refused(text: str, fault: str) -> None:
    with pytest.raises(FieldError) as refused:
        whole(text, "tokens", 10**9)
    assert fault in str(refused.value)


@given(st.floats(0, 1e11))
def test_seconds_are_read_as_they_are_written(value: float) -> None:
    assert SECONDS.read(repr(value)) == value


@given(st.text(max_size=12))
def test_any_text_is_a_number_within_bounds_or_refused(text: str) -> None:
    try:
        assert 0 <= finite(text, "x", 100.0) <= 100
    except FieldError as refused:
        assert str(refused).startswith(f"x {text!a} is ")


MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(MOMENTS, OFFSETS, st.integers(0, 999), st.sampled_from("T "))
def test_a_calendar_time_is_exact_to_the_nanosecond(
    moment: datetime, offset: timezone, nanoseconds: int, separator: str
) -> None:
    local = moment.replace(tzinfo=offset)
    text = local.isoformat(separator, "microseconds")
    exact = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert CALENDAR.read(text) == exact
    assert CALENDAR.read(f"{text[:26]}{nanoseconds:03}{text[26:]}") == exact + nanoseconds
    assert CALENDAR.read(f"{text[:19]}{text[26:]}") == exact // 10**9 * 10**9


def test_a_time_without_an_offset_is_utc_like_z() -> None:
    times = ["2024-05-10 12:00:00", "2024-05-10T12:00:00Z", "2024-05-10 12:00:00.0 +00:00", "2024-05-10 05:00:00-0700"]
    assert len({CALENDAR.read(time) for time in times}) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("2023-02-30 00:00:00", "does not exist"),
        ("2023-11-16 24:00:01.5", "does not exist"),
        ("2023-11-16 10:00:00+25:00", "does not exist"),
        ("2023-11-16", "is not a date and time such as"),
        ("16.11.2023 10:00:00", "is not a date and time"),
        ("2023-11-16 10:00:00.", "0 digits after the point"),
        ("2023-11-16 10:00:00.1234567890", "10 digits after the point"),
        ("2023-11-16 10:00:00.5PST", "is not a date and time"),
        ("12.5", "is not a date and time"),
    ],
)
def test_what_is_no_calendar_time_is_refused(text: str, fault: str) -> None:
    with pytest.raises(FieldError, match=fault):
        CALENDAR.read(text)


def test_the_clock_follows_from_the_first_time() -> None:
    assert clock_for("2023-11-16 10:00:00.5") is CALENDAR
    assert clock_for("12.5") is clock_for("what?") is SECONDS
    assert (CALENDAR.ticks_per_s, SECONDS.ticks_per_s, MILLISECONDS.ticks_per_s) == (10**9, 1, 1000)


def test_milliseconds_since_1970_are_not_taken_for_seconds() -> None:
    with pytest.raises(FieldError, match=r"time '1700000000000' is above 1e\+11"):
        SECONDS.read("1700000000000")


def test_columns_are_found_by_any_of_their_names_the_earlier_first() -> None:
    assert key_of("Request tokens") == key_of("request_tokens") == key_of("RequestTokens")
    assert find_column(["Output-Tokens", " TIME "], ["time_s", "time"]) == 1
    assert find_column(["time", "time_s"], ["time_s", "time"]) == 1
    with pytest.raises(FieldError, match="the header 'a,b' has no column 'time_s' \\(or time\\)"):
        find_column(["a", "b"], ["time_s", "time"])
    with pytest.raises(FieldError, match="the header has 2 columns 'time'"):
        find_column(["time", "Time"], ["time_s", "time"])
