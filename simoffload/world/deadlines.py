"""Deadlines of attempts that may all take equally long: whoever begins first is due first.

However many attempts there are, one event lies ahead, and an attempt that has ended in time is held no longer.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from .job import Job
from .kernel import FAULT, Call, Kernel


class Deadlines:
    """Calls `expired(jobs)` with the attempts that were due at an instant, in the order in which they began."""

    __slots__ = ("_allowed_s", "_call", "_due_s", "_expired", "_is_set", "_kernel")

    def __init__(self, kernel: Kernel, allowed_s: float, expired: Callable[[list[Job]], None]) -> None:
        self._kernel = kernel
        self._allowed_s = allowed_s
        self._expired = expired
        self._due_s: dict[Job, float] = {}
        """By attempt, in the order in which they are due."""
        self._call = Call(self._ring)
        self._is_set = False
        """Whether the event lies ahead."""

    def watch(self, job: Job) -> None:
        """An attempt begins now."""
        self._due_s[job] = due_s = self._kernel.now + self._allowed_s
        if not self._is_set:
            self._set(due_s)

    def forget(self, job: Job) -> None:
        """An attempt has ended."""
        self._due_s.pop(job, None)

    def due(self) -> list[Job]:
        """Those that are due by now, which are held no longer."""
        now = self._kernel.now
        over = [job for job, _ in takewhile(lambda entry: entry[1] <= now, self._due_s.items())]
        for job in over:
            del self._due_s[job]
        return over

    def _set(self, due_s: float) -> None:
        self._is_set = True
        self._kernel.at(due_s, FAULT, self._call)

    def _ring(self, item: None) -> None:
        over = self.due()
        self._is_set = False
        for due_s in self._due_s.values():
            self._set(due_s)
            break
        if over:
            self._expired(over)
