"""Rate traces: what a link could carry over time, as rates that hold until the next one and a loop that starts again.

Two columns hold the time (s) and the rate (Mbit/s) from then on; the last rate lasts as long as the median step, unless
a time alone follows that ends it. Mahimahi holds, in ms and one to a line, the moments at which a packet of 1500 bytes
may pass; they are counted in bins of 100 ms, so that every byte counts, and the last moment is the length of the loop.
G-NetTrack logs kbit/s about once a second: rows of the same second are averaged, and those without a rate (`-`) are
left out and counted, so that the rate before holds on.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Literal, cast

from .fields import LONGEST_TIME_S, find_column, finite, whole
from .formats import BITRATES, RATE_FORMATS, RateFormat, resolve_format
from .lines import MOST_ROWS, NOTHING_SKIPPED, FieldError, Place, Skipped, TraceError, lines_of, rows_of, shown

Direction = Literal["up", "down"]

HIGHEST_RATE_BPS = 1e13
PACKET_BITS = 12_000
"""1500 bytes."""
BIN_MS = 100
LONGEST_LOOP_MS = 30 * 86_400_000
"""Of packet times, which take a bin for every 100 ms."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of a link, one segment after the other; the arrays are of one length, at least 1."""

    ends_s: array[float]
    """Where segments end, increasing from above 0; the last one is the length of the loop."""
    rates_bps: array[float]
    format: RateFormat
    skipped: Skipped = NOTHING_SKIPPED


def read_rates(file: str | os.PathLike[str], format: str | None = None, column: Direction = "down") -> Rates:
    """The rates of a file; the format is found out if not given, and `column` counts where a file has both directions.

    TraceError when there are none, the format is unknown or not that of the file, or a line cannot be read.
    """
    path = os.fspath(file)
    found = cast(RateFormat, resolve_format(path, format, RATE_FORMATS, "rates"))
    if found == "two-column":
        return _two_column(path)
    if found == "mahimahi":
        return _mahimahi(path)
    return _g_nettrack(path, column)


def loop_end(begins_s: array[float]) -> float:
    """Where the last of segments ends whose beginnings are known: after the median step. At least two are needed."""
    steps = [later - earlier for earlier, later in pairwise(begins_s)]
    return begins_s[-1] + median(steps)


def _data_lines(path: str) -> Iterator[tuple[int, str]]:
    """Lines that are neither blank nor comments, stripped, with their numbers."""
    for number, line in enumerate(lines_of(path), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield number, stripped


def _two_column(path: str) -> Rates:
    begins, rates = array("d"), array("d")
    first, end_s = 0.0, None
    with Place(path) as at:
        for at.line, text in _data_lines(path):
            fields = text.replace(",", " ").split()
            if end_s is not None or not (len(fields) == 2 or (len(fields) == 1 and begins)):
                raise FieldError(f"{shown(text)} is not a time and a rate")
            time = finite(fields[0], "time", LONGEST_TIME_S)
            if not begins:
                first = time
            time_s = time - first
            if begins and time_s <= begins[-1]:
                raise FieldError(f"time {shown(fields[0])} is not after the one above")
            if len(fields) == 1:
                end_s = time_s
            else:
                begins.append(time_s)
                rates.append(_megabits(fields[1]))
            _check_number(begins)
    return Rates(_ends(path, begins, end_s), rates, "two-column")


def _megabits(text: str) -> float:
    """Mbit/s as bit/s, rounded once."""
    finite(text, "rate", HIGHEST_RATE_BPS / 1e6)
    return float(Decimal(text).scaleb(6))


def _check_number(begins: array[float]) -> None:
    if len(begins) > MOST_ROWS:
        raise FieldError(f"there are more than {MOST_ROWS} rates; cut the file into pieces")


def _ends(path: str, begins: array[float], end_s: float | None = None) -> array[float]:
    """The ends of segments that begin at these times."""
    if not begins:
        raise TraceError(f"{path}: no rates in it")
    if end_s is None:
        if len(begins) < 2:
            raise TraceError(f"{path}: a single rate, and nothing says how long it lasts")
        end_s = loop_end(begins)
    return array("d", [*begins[1:], end_s])


def _mahimahi(path: str) -> Rates:
    """Packet times; one at `t` belongs to the millisecond that ends at `t`, one at 0 to the first."""
    packets = array("q")
    length = 0
    with Place(path) as at:
        for at.line, text in _data_lines(path):
            time = whole(text, "time", LONGEST_LOOP_MS)
            if time < length:
                raise FieldError(f"time {shown(text)} is before the one above")
            length = time
            place = max(time - 1, 0) // BIN_MS
            packets.extend([0] * (place + 1 - len(packets)))
            packets[place] += 1
    if not length:
        raise TraceError(f"{path}: no packet after 0 ms, so the loop has no length")
    ends_ms = [min(BIN_MS * (place + 1), length) for place in range(len(packets))]
    rates = [
        number * PACKET_BITS * 1000 / (end - BIN_MS * place)
        for place, (number, end) in enumerate(zip(packets, ends_ms, strict=True))
    ]
    return Rates(array("d", [end / 1000 for end in ends_ms]), array("d", rates), "mahimahi")


def _g_nettrack(path: str, column: Direction) -> Rates:
    begins, rates = array("d"), array("d")
    skipped = NOTHING_SKIPPED
    first, same_second = 0.0, 1
    with Place(path) as at:
        rows = rows_of(path)
        at.line, header = next(rows, (0, []))
        time_column, rate_column = find_column(header, ["Timestamp"]), find_column(header, [BITRATES[column]])
        for at.line, row in rows:
            if len(row) != len(header):
                raise FieldError(f"{len(row)} fields, but the header has {len(header)}")
            if row[rate_column].strip() in ("", "-"):
                skipped = skipped.and_line(at.line)
                continue
            rate = 1000 * finite(row[rate_column], BITRATES[column], HIGHEST_RATE_BPS / 1000)
            time = _second(row[time_column])
            if not begins:
                first = time
            time_s = time - first
            if begins and time_s < begins[-1]:
                raise FieldError(f"time {shown(row[time_column])} is before the one above")
            if begins and time_s == begins[-1]:
                same_second += 1
                rates[-1] += (rate - rates[-1]) / same_second
            else:
                same_second = 1
                begins.append(time_s)
                rates.append(rate)
            _check_number(begins)
    return Rates(_ends(path, begins), rates, "g-nettrack", skipped)


def _second(text: str) -> float:
    """Seconds since 1970 of a moment such as `2019.12.14_10.16.30`."""
    try:
        return datetime.strptime(text.strip(), "%Y.%m.%d_%H.%M.%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise FieldError(f"time {shown(text)} is not a moment such as 2019.12.14_10.16.30") from None
