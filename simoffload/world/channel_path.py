"""A rate that changes over time, and when a transfer under way will have gone through.

Think of a road whose speed limit changes while one drives: the time of arrival follows every change, it is not the
distance over the speed at the start. Nobody's driving changes the limits, so a `PathChannel` draws its path of
(segment, rate) ahead, a block at a time, as far as a transfer looks, and forgets what lies behind. The path is the
same whenever and however often it is asked about.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Protocol

_MOST_PAST = 512
"""Segments behind the present that may pile up before they are dropped."""


class ChannelError(ValueError):
    """A channel that cannot be: one that never carries anything, or whose long run depends on how it starts."""


class Channel(Protocol):
    """What a link asks of its channel; times in s never decrease from one call to the next."""

    @property
    def mean_bps(self) -> float:
        """Mean rate in the long run."""

    def rate_bps(self, now_s: float) -> float:
        """Rate at this moment (just after a change, the new one)."""

    def finish(self, start_s: float, bits: float) -> float:
        """Time t at which the rate's integral from `start_s` to t reaches `bits`; `start_s` for no bits."""

    def bits(self, begin_s: float, end_s: float) -> float:
        """The rate's integral from `begin_s` to `end_s`, which is not before it."""


class Segments(Protocol):
    """A piecewise constant path from time 0 on, handed out in order."""

    @property
    def mean_bps(self) -> float:
        """Mean rate in the long run; more than 0."""

    def next_block(self) -> tuple[list[float], list[float]]:
        """Ends in s, non-decreasing, and rates in bit/s of the segments that follow; at least one."""


@dataclass(frozen=True, slots=True)
class ConstantChannel:
    """A rate that never changes."""

    mean_bps: float

    def rate_bps(self, now_s: float) -> float:
        """The rate."""
        return self.mean_bps

    def finish(self, start_s: float, bits: float) -> float:
        """start + bits / rate."""
        return start_s + bits / self.mean_bps if bits > 0 else start_s

    def bits(self, begin_s: float, end_s: float) -> float:
        """Rate times duration."""
        return self.mean_bps * (end_s - begin_s)


class PathChannel:
    """A channel along a lazily drawn path of segments."""

    __slots__ = ("_breaks", "_here", "_latest_s", "_rates", "_segments")

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._breaks = [0.0]
        self._rates: list[float] = []
        self._here = 0
        self._latest_s = 0.0
        self._draw()

    @property
    def mean_bps(self) -> float:
        """Mean rate in the long run."""
        return self._segments.mean_bps

    def rate_bps(self, now_s: float) -> float:
        """Rate at this moment; ValueError when time goes backwards."""
        return self._rates[self._reach(now_s)]

    def finish(self, start_s: float, bits: float) -> float:
        """Time at which `bits` that begin to flow at `start_s` have gone through; ValueError when time goes backwards.

        What is left after each segment is kept as a sum of two floats, the second holding the rounding errors of the
        first (Dekker 1971), so that the answer does not suffer from the number of segments.
        """
        here = self._reach(start_s)
        if bits <= 0:
            return start_s
        if bits == math.inf:
            return math.inf
        breaks, rates = self._breaks, self._rates
        begin, end = start_s, breaks[here + 1]
        room = rates[here] * (end - begin)
        left, error = bits, 0.0
        while left + error > room:
            rest = left - room
            error += (left - rest) - room
            left = rest
            here += 1
            if here == len(rates):
                self._draw()
            begin, end = end, breaks[here + 1]
            room = rates[here] * (end - begin)
        left += error
        return min(begin + left / rates[here], end) if left > 0 else begin

    def bits(self, begin_s: float, end_s: float) -> float:
        """The rate's integral from `begin_s` to `end_s`; ValueError when time goes backwards."""
        here = self._reach(begin_s)
        begin, total = begin_s, 0.0
        while self._breaks[here + 1] < end_s:
            total += self._rates[here] * (self._breaks[here + 1] - begin)
            here += 1
            if here == len(self._rates):
                self._draw()
            begin = self._breaks[here]
        return total + self._rates[here] * (end_s - begin)

    def _reach(self, now_s: float) -> int:
        """The segment that holds at `now_s`, after drawing up to it and dropping what is behind it."""
        if now_s < self._latest_s:
            raise ValueError(f"a channel was asked about {now_s} s after {self._latest_s} s; its past is gone")
        self._latest_s = now_s
        breaks = self._breaks
        if now_s < breaks[self._here + 1]:
            return self._here
        while now_s >= breaks[-1]:
            del breaks[:-1]
            self._rates.clear()
            self._draw()
        here = bisect_right(breaks, now_s) - 1
        if here > _MOST_PAST:
            del breaks[:here]
            del self._rates[:here]
            here = 0
        self._here = here
        return here

    def _draw(self) -> None:
        ends, rates = self._segments.next_block()
        self._breaks += ends
        self._rates += rates
