"""Waiting lines: who is next when a server, a batch or a link falls free.

A line holds whatever waits (subtasks, transfers) under a priority: smaller goes first, equal ones in the order of
entering. `AskedLine` instead asks somebody each time a choice is open: that is how an agent orders at service start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

Eligible = Callable[[Any], bool]


class Line(Protocol):
    """What a station asks of its waiting line."""

    def push(self, job: Any, priority: float) -> None:
        """Let `job` wait."""

    def pop(self) -> Any:
        """Take the next job; the line must not be empty."""

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        """Take the next job if it is eligible; None when it is not (it then blocks those behind it)."""

    def pop_first(self, eligible: Eligible) -> Any | None:
        """Take the first eligible job, passing over the others; None when there is none."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]:
        """The waiting jobs, in no promised order."""

    def ahead_of(self, priority: float) -> Iterator[Any]:
        """The jobs that a newcomer with this priority would wait for."""


class PriorityLine:
    """A line ordered by priority, then by order of entering."""

    __slots__ = ("_entered", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Any]] = []
        self._entered = 0

    def push(self, job: Any, priority: float) -> None:
        self._entered += 1
        heappush(self._heap, (priority, self._entered, job))

    def pop(self) -> Any:
        return heappop(self._heap)[2]

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        if self._heap and eligible(self._heap[0][2]):
            return heappop(self._heap)[2]
        return None

    def pop_first(self, eligible: Eligible) -> Any | None:
        heap = self._heap
        if not heap or eligible(heap[0][2]):
            return heappop(heap)[2] if heap else None
        chosen = min((entry for entry in heap if eligible(entry[2])), default=None, key=_by_rank)
        if chosen is None:
            return None
        heap.remove(chosen)
        heapify(heap)
        return chosen[2]

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[Any]:
        return (entry[2] for entry in self._heap)

    def ahead_of(self, priority: float) -> Iterator[Any]:
        return (entry[2] for entry in self._heap if entry[0] <= priority)


class AskedLine:
    """A line whose next job is asked for: `choose(jobs)` gives its place in `jobs`, which are in order of entering."""

    __slots__ = ("_choose", "_jobs")

    def __init__(self, choose: Callable[[Sequence[Any]], int]) -> None:
        self._choose = choose
        self._jobs: list[Any] = []

    def push(self, job: Any, priority: float) -> None:
        self._jobs.append(job)

    def pop(self) -> Any:
        jobs = self._jobs
        return jobs.pop(self._choose(jobs) if len(jobs) > 1 else 0)

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        jobs = self._jobs
        if not jobs:
            return None
        place = self._choose(jobs) if len(jobs) > 1 else 0
        return jobs.pop(place) if eligible(jobs[place]) else None

    def pop_first(self, eligible: Eligible) -> Any | None:
        places = [place for place, job in enumerate(self._jobs) if eligible(job)]
        if not places:
            return None
        among = [self._jobs[place] for place in places]
        return self._jobs.pop(places[self._choose(among) if len(among) > 1 else 0])

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._jobs)

    def ahead_of(self, priority: float) -> Iterator[Any]:
        return iter(self._jobs)


def _by_rank(entry: tuple[float, int, Any]) -> tuple[float, int]:
    return entry[0], entry[1]
