"""How fast a node works from moment to moment, where it slows down now and then, and when its work will be done.

Think of a colleague who is called to the telephone: the clock goes on, the work hardly does. A node's pace is a path
like the rate of a channel, drawn ahead as far as somebody looks: seconds of work per second, 1 or 1/factor. What is
begun ends when the path's integral has reached its work, whatever changes on the way.
"""

from __future__ import annotations

import math

from ..random_streams import Streams
from ..schema.nodes import RandomSlowdown, Slowdown, WrittenSlowdown
from .channel_markov import MarkovSegments
from .channel_path import PathChannel, Segments


class Pace:
    """The pace along a path of segments; beginnings never decrease from one call to the next."""

    __slots__ = ("_path",)

    def __init__(self, segments: Segments) -> None:
        self._path = PathChannel(segments)

    def end_s(self, begin_s: float, work_s: float) -> float:
        """When work that takes `work_s` at full pace and begins at `begin_s` is done."""
        return self._path.finish(begin_s, work_s)

    def end_after_s(self, begin_s: float, pause_s: float, work_s: float) -> float:
        """The same for work that begins a pause after `begin_s`."""
        if pause_s <= 0.0:
            return self._path.finish(begin_s, work_s)
        return self._path.finish(begin_s, self._path.bits(begin_s, begin_s + pause_s) + work_s)

    def work_s(self, begin_s: float, end_s: float) -> float:
        """Work that is done from `begin_s` to `end_s`, in seconds at full pace."""
        return self._path.bits(begin_s, end_s)


class _Timetable:
    """Spells that are written down, full pace before, between and after them."""

    __slots__ = ("_ends", "_paces", "mean_bps")

    def __init__(self, slowdown: WrittenSlowdown) -> None:
        self._ends = [*(instant for spell in slowdown.spells for instant in spell), math.inf]
        self._paces = [*(1.0, 1.0 / slowdown.factor) * len(slowdown.spells), 1.0]
        self.mean_bps = 1.0
        """In the long run."""

    def next_block(self) -> tuple[list[float], list[float]]:
        """The whole path; nothing is asked for after its end."""
        return self._ends, self._paces


def mean_pace(slowdown: Slowdown | None) -> float:
    """Mean pace in the long run; spells by a timetable are over some day."""
    if not isinstance(slowdown, RandomSlowdown):
        return 1.0
    between, lasting = slowdown.mean_between, slowdown.mean_lasting
    return (between + lasting / slowdown.factor) / (between + lasting)


def make_pace(slowdown: Slowdown | None, streams: Streams, entity: str) -> Pace | None:
    """The pace of a node at time 0; None where it never changes. `entity`, its name, picks its random streams."""
    if slowdown is None:
        return None
    if isinstance(slowdown, RandomSlowdown):
        paces, sojourns = (1.0, 1.0 / slowdown.factor), (slowdown.mean_between, slowdown.mean_lasting)
        return Pace(MarkovSegments(paces, sojourns, None, streams, entity))
    return Pace(_Timetable(slowdown))
