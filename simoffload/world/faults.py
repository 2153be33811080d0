"""Faults: when they come, and what calls the thing that breaks and that is mended again.

Think of a lift: for long it runs, now and then it stands, and nobody's rides change when. Spells are drawn one at a
time from streams of their own, so that two policies on one seed live through the same faults.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

from ..random_streams import Exponentials, Streams
from ..schema.faults import ExponentialFaults, Faults, WeibullFaults, WrittenFaults
from .channel_path import Segments
from .kernel import FAULT, Call, Kernel

_BLOCK = 64
NEVER = math.inf, math.inf


class Spells(Protocol):
    """Spells in order, beginning and end as points in time; none begins before the one ahead of it is over."""

    def next(self) -> tuple[float, float]:
        """The next spell; `NEVER` when there is none left."""


class RandomSpells:
    """Weibull times between spells and of them, by inversion: scale E^(1/shape), E exponential with mean 1."""

    __slots__ = ("_down", "_now_s", "_up", "_variates")

    def __init__(self, faults: ExponentialFaults | WeibullFaults, streams: Streams, entity: str, purpose: str) -> None:
        shapes = (faults.shape, faults.down_shape) if isinstance(faults, WeibullFaults) else (1.0, 1.0)
        self._up, self._down = (
            (mean / math.gamma(1.0 + 1.0 / shape), 1.0 / shape)
            for mean, shape in zip((faults.mean_up, faults.mean_down), shapes, strict=True)
        )
        self._variates = Exponentials(streams.generator(entity, purpose))
        self._now_s = 0.0

    def next(self) -> tuple[float, float]:
        """Draw the next spell; there always is one."""
        up, down = self._variates.take(2)
        begin_s = self._now_s + self._up[0] * math.pow(up, self._up[1])
        self._now_s = end_s = begin_s + self._down[0] * math.pow(down, self._down[1])
        return begin_s, end_s


class WrittenSpells:
    """Spells of a timetable."""

    __slots__ = ("_left",)

    def __init__(self, faults: WrittenFaults) -> None:
        self._left = [(begin_s, end_s) for begin_s, end_s in reversed(faults.spells)]

    def next(self) -> tuple[float, float]:
        """The next one that is written."""
        return self._left.pop() if self._left else NEVER


def make_spells(faults: Faults, streams: Streams, entity: str, purpose: str) -> Spells:
    """The spells of `entity`, a node's or a link's name, from time 0 on."""
    if isinstance(faults, WrittenFaults):
        return WrittenSpells(faults)
    return RandomSpells(faults, streams, entity, purpose)


def availability(faults: Faults | None) -> float:
    """Share of the time without a fault in the long run, MTBF / (MTBF + MTTR); timetables are over some day."""
    if faults is None or isinstance(faults, WrittenFaults):
        return 1.0
    return faults.mean_up / (faults.mean_up + faults.mean_down)


def expected_end_s(faults: Faults, now_s: float) -> float:
    """When a fault that is there now is expected to be over: as the timetable says, else a mean repair from now."""
    if isinstance(faults, WrittenFaults):
        return next((end_s for begin_s, end_s in faults.spells if begin_s <= now_s < end_s), now_s)
    return now_s + faults.mean_down


class Recurring:
    """Calls `begins(item)` and `ends(item)` at either end of every spell; counts spells and their time."""

    __slots__ = ("_begins", "_ends", "_item", "_kernel", "_since_s", "_spells", "_spent_s", "_until_s", "count")

    def __init__(
        self,
        kernel: Kernel,
        spells: Spells,
        begins: Callable[[Any], None],
        ends: Callable[[Any], None],
        item: Any = None,
    ) -> None:
        self._kernel = kernel
        self._spells = spells
        self._begins = begins
        self._ends = ends
        self._item = item
        self._since_s: float | None = None
        """Beginning of the spell that is under way, as far as it counts."""
        self._until_s = math.inf
        self._spent_s = 0.0
        self.count = 0
        """Spells that have begun."""

    def start(self) -> None:
        """Let the first spell come."""
        begin_s, self._until_s = self._spells.next()
        if begin_s < math.inf:
            self._kernel.at(begin_s, FAULT, Call(self._begin))

    def reset(self, now_s: float) -> None:
        """Forget the past; a spell that is under way counts from now on."""
        self._spent_s, self.count = 0.0, 0
        if self._since_s is not None:
            self._since_s = now_s

    def spent_s(self, now_s: float) -> float:
        """Time in spells so far."""
        return self._spent_s + (0.0 if self._since_s is None else now_s - self._since_s)

    def _begin(self, item: None) -> None:
        self.count += 1
        self._since_s = self._kernel.now
        self._kernel.at(self._until_s, FAULT, Call(self._end))
        self._begins(self._item)

    def _end(self, item: None) -> None:
        self._spent_s = self.spent_s(self._kernel.now)
        self._since_s = None
        self.start()
        self._ends(self._item)


class Steady:
    """A path of one endless segment."""

    __slots__ = ("mean_bps",)

    def __init__(self, rate_bps: float) -> None:
        self.mean_bps = rate_bps

    def next_block(self) -> tuple[list[float], list[float]]:
        """The whole path; nothing is asked for after its end."""
        return [math.inf], [self.mean_bps]


class Interrupted:
    """A path whose rate is 0 in every spell, and goes on as it would have been."""

    __slots__ = ("_ends", "_now_s", "_path", "_place", "_rates", "_spell", "_spells", "mean_bps")

    def __init__(self, path: Segments, spells: Spells, available: float) -> None:
        """`available` is the share of the time without spells in the long run."""
        self.mean_bps = available * path.mean_bps
        self._path = path
        self._spells = spells
        self._spell = spells.next()
        self._ends: list[float] = []
        self._rates: list[float] = []
        self._place = 0
        self._now_s = 0.0

    def next_block(self) -> tuple[list[float], list[float]]:
        """The next pieces, each within one segment of the path and within or without a spell."""
        ends: list[float] = []
        rates: list[float] = []
        while len(ends) < _BLOCK and self._now_s < math.inf:
            if self._place == len(self._ends):
                self._ends, self._rates = self._path.next_block()
                self._place = 0
            segment_end_s = self._ends[self._place]
            begin_s, end_s = self._spell
            is_out = begin_s <= self._now_s
            self._now_s = min(segment_end_s, end_s if is_out else begin_s)
            ends.append(self._now_s)
            rates.append(0.0 if is_out else self._rates[self._place])
            if self._now_s == segment_end_s:
                self._place += 1
            if is_out and self._now_s == end_s:
                self._spell = self._spells.next()
        return ends, rates
