"""The clock and the event list: a SimPy environment with a lean kind of event beside SimPy's own.

Think of a kitchen timer: a `Call` is a timer that rings once and runs one bound method. It carries no list of
callbacks and no value, may be set again once it has rung, and pickles, so that a world built from calls alone
can be saved and continued. SimPy's processes, timeouts and resources run beside calls in the same event list.

What is used of SimPy's private side (`_queue`, `_eid`, `_now`) is used in this file only; a contract test holds it
against the installed SimPy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import simpy

WARM_UP, COMPLETION, FAULT, RETRY, TELEMETRY, ARRIVAL = 5, 10, 900_000_000, 900_000_001, 1_000_000_000, 2_000_000_000
"""Ranks of simultaneous events: SimPy's own first, then the end of the warm-up, completions (plus the number of the
node or link), faults and timeouts, what is tried again, telemetry, arrivals (plus the number of the source)."""

_MOST_CANCELLED = 256
"""Calls that are cancelled before the event list is looked through."""


class Call:
    """An event that runs `act(item)` when its time comes.

    `item` is free for the owner: what the action is about. A call may be scheduled again after it has run.
    """

    __slots__ = ("act", "item")

    def __init__(self, act: Callable[[Any], None], item: Any = None) -> None:
        self.act = act
        self.item = item

    def cancel(self) -> None:
        """Let nothing happen when its time comes; it must not be used again."""
        self.act = _nothing
        self.item = None


def _nothing(item: Any) -> None:
    """What a cancelled call does."""


class Kernel(simpy.Environment):
    """A SimPy environment whose event list also takes calls, at absolute times and with a rank for ties."""

    events: int
    rank: int
    """Rank of the event under way."""
    halted: bool
    """Whether somebody has called for an end."""
    if not TYPE_CHECKING:
        now = property(attrgetter("_now"))
        """The time in s: what SimPy's own property says, read without a call of Python."""

    def __init__(self, initial_time: float = 0.0) -> None:
        super().__init__(initial_time)
        self.events = 0
        self.rank = 0
        self.halted = False
        self._cancelled = 0
        """Calls since those that were cancelled were last taken out of the event list."""

    def at(self, time_s: float, rank: int, call: Call) -> None:
        """Schedule `call` at `time_s`; of simultaneous events the lower `rank` runs first, then the first scheduled."""
        heappush(self._queue, (time_s, rank, next(self._eid), call))  # type: ignore[misc]

    def cancel(self, call: Call) -> None:
        """Cancel a scheduled call. The event list is rid of cancelled ones before they are the greater part of it."""
        call.cancel()
        self._cancelled += 1
        queue: list[Any] = self._queue
        if self._cancelled >= _MOST_CANCELLED and 2 * self._cancelled > len(queue):
            queue[:] = [event for event in queue if not (type(event[3]) is Call and event[3].act is _nothing)]
            heapify(queue)
            self._cancelled = 0

    def step(self) -> None:
        """Run the next event, SimPy's or a call; `EmptySchedule` when there is none."""
        queue: list[Any] = self._queue
        if queue and type(queue[0][3]) is Call:
            self._now, self.rank, _, event = heappop(queue)
            self.events += 1
            event.act(event.item)
        else:
            self.rank = queue[0][1] if queue else 0
            super().step()
            self.events += 1

    def advance(self, until_s: float, most: float = math.inf) -> bool:
        """Run all events up to and including `until_s`, at most `most` of them; False when none is left by then.

        An event that calls for an end is the last. The clock stands at the last event run; `rest_at` moves it on over
        a stretch without events.
        """
        queue: list[Any] = self._queue
        left = most
        while queue and not self.halted:
            time_s, rank, _, event = queue[0]
            if time_s > until_s:
                break
            if left <= 0:
                return True
            left -= 1
            if type(event) is Call:
                heappop(queue)
                self._now = time_s
                self.rank = rank
                self.events += 1
                event.act(event.item)
            else:
                self.step()
        return False

    def halt(self) -> None:
        """Let the event under way be the last one that `advance` runs."""
        self.halted = True

    def rest_at(self, time_s: float) -> None:
        """Move the clock forward to `time_s`, before which no event is left."""
        if self._queue and self._queue[0][0] < time_s:
            raise ValueError(f"an event is waiting at {self._queue[0][0]} s, before {time_s} s")
        self._now = max(self._now, time_s)

    def __getstate__(self) -> dict[str, Any]:
        following = next(self._eid)
        self._eid = count(following)
        return {name: value for name, value in self.__dict__.items() if name != "_eid"} | {"following": following}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._eid = count(state.pop("following"))
        self.__dict__.update(state)
