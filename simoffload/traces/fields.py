"""Fields of a trace: numbers and moments, each within what can be, or a `FieldError` that says why not.

Moments are whole nanoseconds where a file gives dates, so that 100 ns digits survive; the difference of two such
numbers is exact, that of two floats that count seconds since 1970 is not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from .lines import FieldError, shown

MOST_TOKENS = 10_000_000
"""Of a request, as of prompts and answers in scenarios: more than any model reads."""
LONGEST_TIME_S = 1e11
"""3,000 years; what lies beyond was not given in seconds."""

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?: ?(Z|[+-]\d\d:?\d\d))?", re.ASCII)


def key_of(name: str) -> str:
    """A column's name without case, spaces and punctuation: `Request tokens` and `request_tokens` are the same."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def find_column(header: Sequence[str], spellings: Sequence[str]) -> int:
    """The place of the column that has one of these names, the earlier ones first; FieldError when none has."""
    keys = [key_of(name) for name in header]
    for spelling in spellings:
        if (count := keys.count(key_of(spelling))) > 1:
            raise FieldError(f"the header has {count} columns '{spelling}'")
        if count:
            return keys.index(key_of(spelling))
    others = f" (or {', '.join(spellings[1:])})" if spellings[1:] else ""
    raise FieldError(f"the header {shown(','.join(header))} has no column '{spellings[0]}'{others}")


def whole(text: str, name: str, most: int) -> int:
    """A whole number from 0 to `most`, such as `12` or `12.0`."""
    if text.isdecimal() and len(text) <= 18:
        value = int(text)
        if value <= most:
            return value
    number = finite(text, name, most)
    if not number.is_integer():
        raise FieldError(f"{name} {shown(text)} is not a whole number")
    return int(number)


def finite(text: str, name: str, most: float) -> float:
    """A number from 0 to `most`."""
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        raise FieldError(f"{name} {shown(text)} is not a number") from None
    return within(value, text, name, most)


def within(value: float, text: str, name: str, most: float) -> float:
    """The value, if it is from 0 to `most`."""
    if not 0 <= value <= most:
        fault = "is negative" if value < 0 else f"is above {most:g}" if value > most else "is not a number"
        raise FieldError(f"{name} {shown(text)} {fault}; allowed: 0 to {most:g}")
    return value


@dataclass(frozen=True, slots=True)
class Clock:
    """How a file tells time: a moment as a number of ticks."""

    read: Callable[[str], float]
    ticks_per_s: int


def clock_for(text: str) -> Clock:
    """The clock that reads a moment such as this one: a date and time, else seconds."""
    return CALENDAR if _DATE.match(text) else SECONDS


def _seconds(text: str) -> float:
    return finite(text, "time", LONGEST_TIME_S)


def _calendar(text: str) -> int:
    """Nanoseconds since 1970 of a moment such as `2023-11-16 18:15:46.6805900`; without an offset it is UTC."""
    second, point, rest = text.partition(".")
    if not point:
        return _second(text) * 1_000_000_000
    offset = rest.lstrip("0123456789")
    digits = rest[: len(rest) - len(offset)]
    if not 1 <= len(digits) <= 9:
        raise FieldError(f"time {shown(text)} has {len(digits)} digits after the point; allowed: 1 to 9")
    return _second(second + offset) * 1_000_000_000 + int(digits.ljust(9, "0"))


@lru_cache(maxsize=64)
def _second(text: str) -> int:
    """Whole seconds since 1970; requests of one second come one after the other, so that most are read only once."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise FieldError(f"time {shown(text)} is not a date and time such as 2023-11-16 18:15:46.6805900")
    date, time, offset = found.groups()
    try:
        moment = datetime.fromisoformat(f"{date}T{time}{offset or 'Z'}")
    except ValueError as error:
        raise FieldError(f"time {shown(text)} does not exist: {error}") from None
    return int((moment - _EPOCH).total_seconds())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

CALENDAR = Clock(_calendar, 1_000_000_000)
SECONDS = Clock(_seconds, 1)
MILLISECONDS = Clock(lambda text: finite(text, "time", 1000 * LONGEST_TIME_S), 1000)
