"""Piecewise constant rate paths, walked segment by segment."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Segment = tuple[float, float]
"""(duration in s, rate in bit/s); the first segment of a path begins at time 0."""


def finish_time(path: Sequence[Segment], start_s: float, bits: float) -> float:
    """Time at which `bits` that begin to flow at `start_s` have all gone through; inf if the path ends before."""
    if bits <= 0:
        return start_s
    begin = 0.0
    left = bits
    for duration, rate in path:
        end = begin + duration
        if end > start_s and rate > 0:
            now = max(begin, start_s)
            carried = rate * (end - now)
            if carried >= left:
                return now + left / rate
            left -= carried
        begin = end
    return math.inf


def carried_between(path: Sequence[Segment], start_s: float, end_s: float) -> float:
    """Bits that go through from one time to another."""
    begin = carried = 0.0
    for duration, rate in path:
        end = begin + duration
        carried += rate * max(min(end, end_s) - max(begin, start_s), 0.0)
        begin = end
    return carried


def known_until(path: Sequence[Segment]) -> float:
    """Until when the path is known, s."""
    return sum(duration for duration, _ in path)


def interrupted(path: Sequence[Segment], spells: Iterable[tuple[float, float]], end_s: float) -> list[Segment]:
    """The path up to `end_s`, with a rate of 0 in each of the spells, (beginning, end) in s, in order."""
    coming = iter(spells)
    never = (math.inf, math.inf)
    spell = next(coming, never)
    cut: list[Segment] = []
    begin = 0.0
    for duration, rate in path:
        end = min(begin + duration, end_s)
        while begin < end:
            while spell[1] <= begin:
                spell = next(coming, never)
            is_out = spell[0] <= begin
            until = min(end, spell[1] if is_out else spell[0])
            cut.append((until - begin, 0.0 if is_out else rate))
            begin = until
    return cut
