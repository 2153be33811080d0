"""Calls and SimPy's own events share one list, in the order of time, rank and scheduling."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from typing import Any

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st
from simpy.core import EmptySchedule

from simoffload.world.kernel import ARRIVAL, COMPLETION, FAULT, RETRY, TELEMETRY, WARM_UP, Call, Kernel

PLANS = st.lists(st.tuples(st.sampled_from([0.0, 1.0, 1.5, 2.0]), st.integers(5, 8)), max_size=30)


class Log:
    """Notes what it is called with, and when."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.seen: list[tuple[float, Any]] = []

    def note(self, item: Any) -> None:
        self.seen.append((self.kernel.now, item))

    def at(self, time_s: float, rank: int, item: Any) -> None:
        self.kernel.at(time_s, rank, Call(self.note, item))

    def names(self) -> list[Any]:
        return [item for _, item in self.seen]


def planned(plan: list[tuple[float, int]]) -> Log:
    log = Log()
    for number, (time_s, rank) in enumerate(plan):
        log.at(time_s, rank, number)
    return log


def in_order(plan: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """When each is due, and its number: by time, rank, number."""
    numbered = sorted((time_s, rank, number) for number, (time_s, rank) in enumerate(plan))
    return [(time_s, number) for time_s, _, number in numbered]


@given(PLANS)
def test_calls_run_by_time_then_rank_then_as_they_were_scheduled(plan: list[tuple[float, int]]) -> None:
    log = planned(plan)
    assert log.kernel.advance(math.inf) is False
    assert log.seen == in_order(plan)
    assert log.kernel.events == len(plan)


@given(PLANS)
def test_stepping_is_advancing(plan: list[tuple[float, int]]) -> None:
    log = planned(plan)
    for _ in plan:
        log.kernel.step()
    assert log.seen == in_order(plan)
    assert log.kernel.events == len(plan)
    with pytest.raises(EmptySchedule):
        log.kernel.step()


@given(PLANS, st.integers(0, 30))
def test_a_pickled_kernel_goes_on_in_the_same_order(plan: list[tuple[float, int]], events: int) -> None:
    log = planned(plan)
    log.kernel.advance(math.inf, most=events)
    copy = pickle.loads(pickle.dumps(log))
    for each in (log, copy):
        each.at(2.0, 5, "late")
        each.kernel.advance(math.inf)
    assert copy.seen == log.seen
    assert copy.kernel.events == log.kernel.events == len(plan) + 1
    assert copy.kernel.now == log.kernel.now == 2.0


def test_of_simultaneous_events_completions_come_before_telemetry_and_that_before_arrivals() -> None:
    log = Log()
    for rank, name in [
        (ARRIVAL + 1, "second source"), (ARRIVAL, "first source"), (TELEMETRY, "telemetry"),
        (COMPLETION + 3, "node 3"), (COMPLETION, "node 0"), (WARM_UP, "end of the warm-up"),
    ]:  # fmt: skip
        log.at(1.0, rank, name)
    log.kernel.advance(1.0)
    assert log.names() == [
        "end of the warm-up", "node 0", "node 3", "telemetry", "first source", "second source",
    ]  # fmt: skip


def test_a_call_scheduled_for_this_instant_runs_in_it_if_its_rank_is_still_to_come() -> None:
    log = Log()

    def spawn(item: Any) -> None:
        log.note(item)
        log.at(log.kernel.now, COMPLETION, "completion")
        log.at(log.kernel.now, ARRIVAL, "arrival")

    log.kernel.at(1.0, COMPLETION + 1, Call(spawn, "first"))
    log.at(1.0, TELEMETRY, "telemetry")
    log.kernel.advance(1.0)
    assert log.seen == [(1.0, "first"), (1.0, "completion"), (1.0, "telemetry"), (1.0, "arrival")]


def test_an_event_under_way_can_tell_its_rank() -> None:
    kernel = Kernel()
    ranks: list[int] = []

    def look(item: Any) -> None:
        ranks.append(kernel.rank)

    def process() -> Iterator[simpy.Event]:
        yield kernel.timeout(1.0)
        look(None)

    kernel.process(process())
    for rank in (COMPLETION + 2, ARRIVAL):
        kernel.at(1.0, rank, Call(look))
    kernel.advance(1.0)
    kernel.at(2.0, TELEMETRY, Call(look))
    kernel.step()
    assert ranks == [simpy.core.NORMAL, COMPLETION + 2, ARRIVAL, TELEMETRY]


def test_a_call_may_be_scheduled_again_once_it_has_run() -> None:
    log = Log()

    def tick(left: int) -> None:
        log.note(left)
        if left:
            call.item = left - 1
            log.kernel.at(log.kernel.now + 0.5, ARRIVAL, call)

    call = Call(tick, 3)
    log.kernel.at(1.0, ARRIVAL, call)
    log.kernel.advance(math.inf)
    assert log.seen == [(1.0, 3), (1.5, 2), (2.0, 1), (2.5, 0)]


def test_advancing_takes_in_its_end_and_leaves_the_clock_at_the_last_event() -> None:
    log = planned([(1.0, 5), (2.0, 5), (2.5, 5)])
    assert log.kernel.advance(2.0) is False
    assert (log.names(), log.kernel.now) == ([0, 1], 2.0)
    assert log.kernel.advance(2.25) is False
    assert log.kernel.now == 2.0
    assert log.kernel.advance(9.0) is False
    assert (log.names(), log.kernel.now) == ([0, 1, 2], 2.5)


def test_advancing_by_a_number_of_events_says_whether_any_are_left() -> None:
    log = planned([(1.0, 5), (2.0, 5), (3.0, 5)])
    assert log.kernel.advance(math.inf, most=2) is True
    assert log.names() == [0, 1]
    assert log.kernel.advance(math.inf, most=1) is False
    assert log.names() == [0, 1, 2]


def test_an_event_that_calls_for_an_end_is_the_last() -> None:
    log = planned([(1.0, 5), (3.0, 5)])

    def halt(item: None) -> None:
        log.kernel.halt()

    log.kernel.at(1.0, 6, Call(halt))
    log.at(1.0, 7, "behind it")
    assert log.kernel.advance(math.inf) is False
    assert (log.names(), log.kernel.now, log.kernel.halted) == ([0], 1.0, True)
    assert log.kernel.advance(math.inf) is False
    assert log.names() == [0]


def test_the_clock_rests_where_nothing_is_missed_and_never_runs_back() -> None:
    log = planned([(1.0, 5), (4.0, 5)])
    log.kernel.advance(2.0)
    log.kernel.rest_at(3.0)
    assert log.kernel.now == 3.0
    log.kernel.rest_at(2.0)
    assert log.kernel.now == 3.0
    with pytest.raises(ValueError, match=r"an event is waiting at 4.0 s, before 5.0 s"):
        log.kernel.rest_at(5.0)


def test_processes_run_beside_calls_and_before_them_in_the_same_instant() -> None:
    log = Log()
    kernel = log.kernel

    def process() -> Iterator[simpy.Event]:
        for number in range(3):
            yield kernel.timeout(1.0)
            log.note(f"process {number}")

    kernel.process(process())
    log.at(1.0, WARM_UP, "call with it")
    log.at(1.5, COMPLETION, "call between")
    kernel.advance(2.5)
    assert log.seen == [
        (1.0, "process 0"), (1.0, "call with it"), (1.5, "call between"), (2.0, "process 1"),
    ]  # fmt: skip
    kernel.advance(math.inf)
    assert log.seen[-1] == (3.0, "process 2")


def test_a_process_may_wait_for_what_a_call_brings_about() -> None:
    log = Log()
    kernel = log.kernel
    store = simpy.Store(kernel)

    def consumer() -> Iterator[Any]:
        for _ in range(2):
            log.note((yield store.get()))

    kernel.process(consumer())
    kernel.at(1.0, COMPLETION, Call(store.put, "bread"))
    kernel.at(3.0, COMPLETION, Call(store.put, "butter"))
    kernel.advance(math.inf)
    assert log.seen == [(1.0, "bread"), (3.0, "butter")]


def test_simpys_own_run_takes_calls_along() -> None:
    log = planned([(1.0, 5), (2.0, 5), (3.0, 5)])
    log.kernel.run(until=2.0)
    assert (log.names(), log.kernel.now) == ([0], 2.0)
    done = log.kernel.timeout(0.5, value="done")
    assert log.kernel.run(until=done) == "done"
    assert (log.names(), log.kernel.now) == ([0, 1], 2.5)


def test_a_process_that_fails_ends_the_run_with_its_error() -> None:
    kernel = Kernel()

    def process() -> Iterator[simpy.Event]:
        yield kernel.timeout(1.0)
        raise RuntimeError("the belt has torn")

    kernel.process(process())
    with pytest.raises(RuntimeError, match="the belt has torn"):
        kernel.advance(math.inf)


def test_simpy_keeps_its_events_as_the_kernel_takes_them() -> None:
    environment = simpy.Environment(3.0)
    event = environment.timeout(1.0)
    urgent = environment.event()
    environment.schedule(urgent, priority=0)
    queue, numbers = environment._queue, environment._eid
    assert isinstance(queue, list)
    assert sorted(queue)[0] == (3.0, 0, 1, urgent)
    assert sorted(queue)[1] == (4.0, 1, 0, event)
    assert next(numbers) == 2
    environment._now = 3.5
    assert environment.now == 3.5
    urgent._ok, urgent._value = True, None
    environment.step()
    assert environment._queue is queue
    assert [entry[3] for entry in queue] == [event]
    assert environment._now == 3.0, "a step sets the clock from the entry"
    assert {"_queue", "_eid", "_now"} <= vars(Kernel()).keys()


def test_calls_rank_behind_all_of_simpys_priorities() -> None:
    assert max(simpy.core.NORMAL, simpy.core.URGENT) < WARM_UP < COMPLETION < FAULT < RETRY < TELEMETRY < ARRIVAL


def test_cancelled_calls_do_not_pile_up_and_the_others_come_in_their_order() -> None:
    kernel = Kernel()
    seen: list[int] = []
    for number in range(50):
        kernel.at(1e6 - number, ARRIVAL, Call(seen.append, number))
    for number in range(5000):
        call = Call(seen.append, -1)
        kernel.at(1e5 + number, ARRIVAL, call)
        kernel.cancel(call)
    assert len(kernel._queue) < 600
    kernel.advance(math.inf)
    assert seen == list(range(49, -1, -1))
