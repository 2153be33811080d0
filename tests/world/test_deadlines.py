"""Deadlines: whoever is not done in time is told of at that instant, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.deadlines import Deadlines
from simoffload.world.kernel import ARRIVAL, Call, Kernel


@dataclass(eq=False)
class Attempt:
    number: int


ATTEMPTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=12)
"""When each attempt begins, and how long after that it would end, in s."""


@given(ATTEMPTS)
def test_those_that_last_longer_than_allowed_expire_when_that_time_is_over(attempts: list[tuple[int, int]]) -> None:
    kernel = Kernel()
    expired: list[tuple[float, Any]] = []
    deadlines = Deadlines(kernel, 5.0, lambda jobs: expired.extend((kernel.now, job) for job in jobs))
    for number, (begins_s, lasts_s) in enumerate(attempts):
        job: Any = Attempt(number)
        kernel.at(begins_s, ARRIVAL, Call(deadlines.watch, job))
        if lasts_s < 5:
            kernel.at(begins_s + lasts_s, ARRIVAL + 1, Call(deadlines.forget, job))
    kernel.advance(100.0)
    assert sorted((now_s, job.number) for now_s, job in expired) == sorted(
        (begins_s + 5.0, number) for number, (begins_s, lasts_s) in enumerate(attempts) if lasts_s >= 5
    )


def test_those_that_are_due_at_one_instant_expire_together() -> None:
    kernel = Kernel()
    told: list[list[Any]] = []
    deadlines = Deadlines(kernel, 5.0, told.append)
    first, second, third = object(), object(), object()
    deadlines.watch(first)  # type: ignore[arg-type]
    deadlines.watch(second)  # type: ignore[arg-type]
    kernel.at(1.0, ARRIVAL, Call(deadlines.watch, third))
    kernel.advance(10.0)
    assert told == [[first, second], [third]]


def test_however_many_are_watched_one_event_lies_ahead() -> None:
    kernel = Kernel()
    deadlines = Deadlines(kernel, 5.0, lambda jobs: None)
    for _ in range(100):
        deadlines.watch(object())  # type: ignore[arg-type]
    assert len(kernel._queue) == 1
