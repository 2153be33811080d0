"""Waiting lines: who is next when a server, a batch or a link falls free.

A line holds whatever waits (subtasks, transfers) and adds up their `work`, in s of service or in bytes. A `FifoLine`
keeps the order of entering; in a `PriorityLine` the smaller priority goes first, equal ones in the order of entering;
an `AskedLine` asks somebody each time a choice is open: that is how an agent orders at service start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, Protocol

Eligible = Callable[[Any], bool]


class Line(Protocol):
    """What a station asks of its waiting line."""

    work: float
    """Sum over the waiting jobs of `job.work`."""

    @property
    def by_priority(self) -> bool:
        """Whether a newcomer of small priority overtakes somebody who waits."""

    def push(self, job: Any, priority: float) -> None:
        """Let `job` wait."""

    def pop(self) -> Any:
        """Take the next job; the line must not be empty."""

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        """Take the next job if it is eligible; None when it is not (it then blocks those behind it)."""

    def pop_first(self, eligible: Eligible) -> Any | None:
        """Take the first eligible job, passing over the others; None when there is none."""

    def remove(self, job: Any) -> None:
        """Let a waiting job go; ValueError when it does not wait here."""

    def __len__(self) -> int: ...

    def in_order(self) -> Iterable[tuple[float, Any]]:
        """Priority and job of all that wait, in the order in which they would go if nobody else came."""


class _Waiting:
    """The sum that every line keeps."""

    __slots__ = ("work",)

    def __init__(self) -> None:
        self.work = 0.0

    def _taken(self, job: Any, left: int) -> Any:
        """The job, which is in the line no longer; `left` others are."""
        self.work = self.work - job.work if left else 0.0
        return job


class FifoLine(_Waiting):
    """First in, first out, whatever the priority."""

    __slots__ = ("_jobs",)

    by_priority = False

    def __init__(self) -> None:
        super().__init__()
        self._jobs: deque[Any] = deque()

    def push(self, job: Any, priority: float) -> None:
        self._jobs.append(job)
        self.work += job.work

    def pop(self) -> Any:
        job = self._jobs.popleft()
        return self._taken(job, len(self._jobs))

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        return self.pop() if self._jobs and eligible(self._jobs[0]) else None

    def pop_first(self, eligible: Eligible) -> Any | None:
        for place, job in enumerate(self._jobs):
            if eligible(job):
                del self._jobs[place]
                return self._taken(job, len(self._jobs))
        return None

    def remove(self, job: Any) -> None:
        self._jobs.remove(job)
        self._taken(job, len(self._jobs))

    def __len__(self) -> int:
        return len(self._jobs)

    def in_order(self) -> Iterable[tuple[float, Any]]:
        return ((0.0, job) for job in self._jobs)


class PriorityLine(_Waiting):
    """A line ordered by priority, then by order of entering."""

    __slots__ = ("_entered", "_heap", "_put_back", "_ranked")

    def __init__(self) -> None:
        super().__init__()
        self._heap: list[tuple[float, int, Any]] = []
        self._entered = 0
        self._put_back = 0
        self._ranked = 0
        """Waiting jobs with a priority other than 0."""

    @property
    def by_priority(self) -> bool:
        """Whether any that waits has a priority; where all have 0, it is first in, first out."""
        return self._ranked > 0

    def push(self, job: Any, priority: float) -> None:
        self._entered += 1
        if priority:
            self._ranked += 1
        heappush(self._heap, (priority, self._entered, job))
        self.work += job.work

    def put_back(self, job: Any, priority: float) -> None:
        """Let a job wait again, ahead of all that wait with the same priority."""
        self._put_back += 1
        if priority:
            self._ranked += 1
        heappush(self._heap, (priority, -self._put_back, job))
        self.work += job.work

    def pop(self) -> Any:
        priority, _, job = heappop(self._heap)
        if priority:
            self._ranked -= 1
        return self._taken(job, len(self._heap))

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        return self.pop() if self._heap and eligible(self._heap[0][2]) else None

    def pop_first(self, eligible: Eligible) -> Any | None:
        heap = self._heap
        if not heap or eligible(heap[0][2]):
            return self.pop() if heap else None
        chosen = min((entry for entry in heap if eligible(entry[2])), default=None, key=_by_rank)
        if chosen is None:
            return None
        return self._pulled(chosen)

    def remove(self, job: Any) -> None:
        entry = next((entry for entry in self._heap if entry[2] is job), None)
        if entry is None:
            raise ValueError(f"{job!r} does not wait here")
        self._pulled(entry)

    def _pulled(self, entry: tuple[float, int, Any]) -> Any:
        """The job of an entry from anywhere in the heap, which is taken out."""
        heap = self._heap
        heap.remove(entry)
        heapify(heap)
        if entry[0]:
            self._ranked -= 1
        return self._taken(entry[2], len(heap))

    def __len__(self) -> int:
        return len(self._heap)

    def in_order(self) -> Iterable[tuple[float, Any]]:
        return ((priority, job) for priority, _, job in sorted(self._heap, key=_by_rank))


class AskedLine(_Waiting):
    """A line whose next job is asked for: `choose(jobs)` gives its place in `jobs`, which are in order of entering."""

    __slots__ = ("_choose", "_jobs")

    by_priority = False

    def __init__(self, choose: Callable[[Sequence[Any]], int]) -> None:
        super().__init__()
        self._choose = choose
        self._jobs: list[Any] = []

    def push(self, job: Any, priority: float) -> None:
        self._jobs.append(job)
        self.work += job.work

    def pop(self) -> Any:
        jobs = self._jobs
        job = jobs.pop(self._choose(jobs) if len(jobs) > 1 else 0)
        return self._taken(job, len(jobs))

    def pop_head_if(self, eligible: Eligible) -> Any | None:
        jobs = self._jobs
        if not jobs:
            return None
        place = self._choose(jobs) if len(jobs) > 1 else 0
        return self._taken(jobs.pop(place), len(jobs)) if eligible(jobs[place]) else None

    def pop_first(self, eligible: Eligible) -> Any | None:
        places = [place for place, job in enumerate(self._jobs) if eligible(job)]
        if not places:
            return None
        among = [self._jobs[place] for place in places]
        job = self._jobs.pop(places[self._choose(among) if len(among) > 1 else 0])
        return self._taken(job, len(self._jobs))

    def remove(self, job: Any) -> None:
        self._jobs.remove(job)
        self._taken(job, len(self._jobs))

    def __len__(self) -> int:
        return len(self._jobs)

    def in_order(self) -> Iterable[tuple[float, Any]]:
        return ((0.0, job) for job in self._jobs)


def _by_rank(entry: tuple[float, int, Any]) -> tuple[float, int]:
    return entry[0], entry[1]
