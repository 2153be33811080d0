"""Every line hands out its jobs as a plain sorted list would, and knows the work that waits."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.line import AskedLine, FifoLine, Line, PriorityLine


@dataclass(frozen=True)
class Waiting:
    number: int
    work: float


def shortest(jobs: Sequence[Waiting]) -> int:
    """Place of the least work, of equal ones the first."""
    return min(range(len(jobs)), key=lambda place: jobs[place].work)


@dataclass(frozen=True)
class Entry:
    job: Waiting
    priority: float


class PlainList:
    """Entries in order of entering; `rank` says what is looked for first."""

    def __init__(self, rank: Callable[[Entry], float]) -> None:
        self.rank = rank
        self.entries: list[Entry] = []

    def order(self) -> list[Entry]:
        return sorted(self.entries, key=self.rank)

    def take(self, entry: Entry) -> Waiting:
        self.entries.remove(entry)
        return entry.job

    def pop(self) -> Waiting:
        return self.take(self.order()[0])

    def pop_head_if(self, eligible: Callable[[Waiting], bool]) -> Waiting | None:
        first = self.order()[:1]
        return self.take(first[0]) if first and eligible(first[0].job) else None

    def pop_first(self, eligible: Callable[[Waiting], bool]) -> Waiting | None:
        found = [entry for entry in self.order() if eligible(entry.job)]
        return self.take(found[0]) if found else None


KINDS: dict[str, tuple[Callable[[], Line], Callable[[Entry], float]]] = {
    "fifo": (FifoLine, lambda entry: 0.0),
    "priority": (PriorityLine, lambda entry: entry.priority),
    "asked": (lambda: AskedLine(shortest), lambda entry: entry.job.work),
}
PUSHES = st.tuples(st.just("push"), st.sampled_from([0.0, 0.0, -1.0, 2.0, 2.5]), st.integers(0, 5))
POPS = st.tuples(st.sampled_from(["pop", "pop_head_if", "pop_first"]), st.just(0.0), st.integers(0, 5))
STEPS = st.lists(st.one_of(PUSHES, PUSHES, POPS), max_size=60)


def push(line: Line, plain: PlainList, number: int, priority: float, work: float) -> None:
    job = Waiting(number, work)
    line.push(job, priority)
    plain.entries.append(Entry(job, priority))


def pop(line: Line, plain: PlainList, how: str, least: float) -> None:
    def eligible(job: Waiting) -> bool:
        return job.work >= least

    if how != "pop":
        assert getattr(line, how)(eligible) == getattr(plain, how)(eligible)
    elif plain.entries:
        assert line.pop() == plain.pop()


@pytest.mark.parametrize("kind", KINDS)
@given(STEPS)
def test_a_line_hands_out_what_a_sorted_list_would(kind: str, steps: list[tuple[str, float, int]]) -> None:
    make, rank = KINDS[kind]
    line, plain = make(), PlainList(rank)
    for number, (how, priority, work) in enumerate(steps):
        if how == "push":
            push(line, plain, number, priority, float(work))
        else:
            pop(line, plain, how, float(work))
        assert len(line) == len(plain.entries)
        assert line.work == sum(entry.job.work for entry in plain.entries)
    assert pickle.loads(pickle.dumps(line)).work == line.work
    left = []
    while len(line):
        left.append(line.pop())
    assert left == [entry.job for entry in plain.order()]
    assert line.work == 0.0


@pytest.mark.parametrize("kind", ["fifo", "priority"])
@given(STEPS)
def test_the_order_told_is_the_order_kept(kind: str, steps: list[tuple[str, float, int]]) -> None:
    line, plain = KINDS[kind][0](), PlainList(KINDS[kind][1])
    for number, (how, priority, work) in enumerate(steps):
        if how == "push":
            push(line, plain, number, priority, float(work))
        else:
            pop(line, plain, how, float(work))
    told = list(line.in_order())
    assert [job for _, job in told] == [entry.job for entry in plain.order()]
    assert [priority for priority, _ in told] == [plain.rank(entry) for entry in plain.order()]
    assert [line.pop() for _ in told] == [job for _, job in told], "telling takes nobody out"


@given(STEPS)
def test_a_line_goes_by_priority_while_somebody_with_one_waits(steps: list[tuple[str, float, int]]) -> None:
    line, plain = PriorityLine(), PlainList(KINDS["priority"][1])
    for number, (how, priority, work) in enumerate(steps):
        if how == "push":
            push(line, plain, number, priority, float(work))
        else:
            pop(line, plain, how, float(work))
        assert line.by_priority == any(entry.priority != 0 for entry in plain.entries)


def test_only_an_open_choice_is_asked_about() -> None:
    asked: list[list[int]] = []

    def last(jobs: Sequence[Waiting]) -> int:
        asked.append([job.number for job in jobs])
        return len(jobs) - 1

    line = AskedLine(last)
    for number in range(3):
        line.push(Waiting(number, 1.0), 0.0)
    assert line.pop().number == 2
    assert line.pop_first(lambda job: job.number == 0).number == 0  # type: ignore[union-attr]
    assert line.pop().number == 1
    assert asked == [[0, 1, 2]]


def test_an_asked_line_does_not_go_round_a_chosen_head_that_cannot_start() -> None:
    line = AskedLine(shortest)
    for number, work in enumerate([2.0, 1.0]):
        line.push(Waiting(number, work), 0.0)
    assert line.pop_head_if(lambda job: job.work > 1) is None
    assert line.pop_first(lambda job: job.work > 1) == Waiting(0, 2.0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rounding_of_work_does_not_outlive_the_line(kind: str) -> None:
    line: Any = KINDS[kind][0]()
    for number in range(1000):
        line.push(Waiting(number, 0.1), 0.0)
    for _ in range(1000):
        line.pop()
    assert line.work == 0.0
