"""Piecewise constant rate paths, walked segment by segment."""

from __future__ import annotations

import math
from collections.abc import Sequence

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


def covers(path: Sequence[Segment], time_s: float) -> bool:
    """Whether the path is known up to `time_s`."""
    return sum(duration for duration, _ in path) >= time_s
