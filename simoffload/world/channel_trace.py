"""Playback of a rate trace, over and over."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from .channel_path import ChannelError

_BLOCK = 1024


class TraceSegments:
    """Segments that repeat; ends within the loop in s, increasing, the last one its length; rates in bit/s.

    Time 0 is `offset_s` into the loop. ChannelError when all rates are 0.
    """

    __slots__ = ("_ends", "_loop", "_next", "_rates", "_start_s", "mean_bps")

    def __init__(self, ends_s: Sequence[float], rates_bps: Sequence[float], offset_s: float = 0.0) -> None:
        self._ends = list(ends_s)
        self._rates = list(rates_bps)
        begins = [0.0, *self._ends]
        bits = [rate * (end - begin) for rate, begin, end in zip(self._rates, begins, self._ends, strict=False)]
        self.mean_bps = math.fsum(bits) / self._ends[-1]
        if self.mean_bps <= 0:
            raise ChannelError("every rate of the trace is 0, so nothing would ever get through")
        self._start_s = math.fmod(offset_s, self._ends[-1])
        self._next = bisect_right(self._ends, self._start_s)
        self._loop = 0

    def next_block(self) -> tuple[list[float], list[float]]:
        """The next segments, at most up to the end of the loop."""
        chunk = slice(self._next, self._next + _BLOCK)
        base = self._loop * self._ends[-1] - self._start_s
        ends = [base + end for end in self._ends[chunk]]
        self._next += _BLOCK
        if self._next >= len(self._ends):
            self._next = 0
            self._loop += 1
        return ends, self._rates[chunk]
