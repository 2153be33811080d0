"""A more urgent subtask interrupts a less urgent one, which goes on later from where it was."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.schema.nodes import WrittenSlowdown
from simoffload.world.job import Broken, Job
from simoffload.world.line import AskedLine, FifoLine, PriorityLine
from simoffload.world.pace import Pace, make_pace
from simoffload.world.preemptive import PreemptiveServer
from simoffload.world.servers import make_server
from simoffload.world.service import bill

from .stations import Bench, job_of, node_of
from .test_breakdowns import Trial, counts, talker

RESUME = {"kind": "slots", "slots": 1, "preemption": "resume"}


def bench(slots: int = 1, pace: Pace | None = None, **node: Any) -> Trial:
    trial = Trial(RESUME | {"slots": slots}, pace, **node)
    assert isinstance(trial.station, PreemptiveServer)
    return trial


def enter(trial: Bench, *visits: tuple[float, float, float]) -> list[Job]:
    """Jobs that enter at an instant, with a service and a priority."""
    return [trial.enter(job_of(service_s, priority=priority), at_s) for at_s, service_s, priority in visits]


def spans(jobs: list[Job]) -> list[tuple[float, float, float]]:
    return [(job.start_s, job.finish_s, job.share_s) for job in jobs]


def test_the_interrupted_goes_on_where_it_was() -> None:
    trial = bench()
    jobs = enter(trial, (0.0, 5.0, 2.0), (2.0, 1.0, 1.0), (2.5, 4.0, 0.0))
    trial.run()
    assert spans(jobs) == [(0.0, 10.0, 5.0), (2.0, 7.0, 1.0), (2.5, 6.5, 4.0)]
    assert jobs[0].first_token_s == 7.5
    assert counts(trial) == (3, 3, 3, 0)


def test_nobody_is_interrupted_for_an_equal_or_while_a_server_is_free() -> None:
    trial = bench(slots=2)
    jobs = enter(trial, (0.0, 5.0, 1.0), (1.0, 5.0, 0.0), (2.0, 1.0, 1.0))
    trial.run()
    assert [(job.start_s, job.finish_s) for job in jobs] == [(0.0, 5.0), (1.0, 6.0), (5.0, 6.0)]


def test_the_least_urgent_is_interrupted_and_of_equals_the_one_that_began_last() -> None:
    trial = bench(slots=3)
    jobs = enter(trial, (0.0, 9.0, 2.0), (1.0, 9.0, 2.0), (2.0, 9.0, 1.0), (3.0, 1.0, 0.0))
    trial.run()
    assert [job.finish_s for job in jobs] == [9.0, 11.0, 11.0, 4.0]


def test_the_interrupted_goes_before_those_of_its_priority_who_came_later() -> None:
    trial = bench()
    jobs = enter(trial, (0.0, 2.0, 1.0), (0.5, 2.0, 1.0), (1.0, 3.0, 0.0))
    trial.run()
    assert [job.finish_s for job in jobs] == [5.0, 7.0, 4.0]


def test_work_goes_on_at_the_pace_of_the_node() -> None:
    slow = make_pace(WrittenSlowdown.model_construct(factor=4.0, spells=[(1.0, 9.0)]), Streams(1), "x")
    trial = bench(pace=slow)
    jobs = enter(trial, (0.0, 3.0, 1.0), (5.0, 1.0, 0.0))
    trial.run()
    assert spans(jobs) == [(0.0, 10.0, 6.0), (5.0, 9.0, 4.0)]  # 1 s, then 1 s of work in 4 s, then 1 s from 9 s on


def test_a_job_pays_for_the_time_in_which_a_server_was_at_it() -> None:
    trial = bench()
    (job, _) = enter(trial, (0.0, 5.0, 2.0), (2.0, 4.0, 1.0))
    trial.run()
    node = node_of(RESUME, busy_power_w=10.0, tariff_usd_per_j=0.5)
    bill(job, node, job.finish_s, job.output)
    assert (job.energy_j, job.cost_usd) == (50.0, 25.0)


def test_an_interrupted_job_that_is_withdrawn_pays_for_what_was_done() -> None:
    """1 s until the first token; it was at it for 1.3 s, in which two were written."""
    trial = bench()
    job = trial.enter(talker(2, 5, priority=2.0), 0.0)
    enter(trial, (1.3, 4.0, 0.0))
    trial.withdraw(job, 2.0)
    trial.run()
    assert trial.broken == [Broken(job, 2)]
    assert (job.share_s, trial.station.occupancy.completions) == (1.3, 1)


def test_a_crash_loses_what_is_in_service_and_not_what_was_interrupted_before() -> None:
    trial = bench()
    jobs = enter(trial, (0.0, 5.0, 2.0), (2.0, 4.0, 1.0))
    trial.crash(3.0, 10.0)
    trial.run()
    assert [each.job for each in trial.broken] == [jobs[1]]
    assert spans(jobs)[0] == (0.0, 13.0, 5.0)


def test_a_line_by_arrival_has_servers_that_finish_what_they_begin() -> None:
    trial = Bench(lambda kernel, done: make_server(kernel, node_of(RESUME), FifoLine(), done))
    jobs = enter(trial, (0.0, 5.0, 2.0), (2.0, 1.0, 0.0))
    trial.run()
    assert [job.finish_s for job in jobs] == [5.0, 6.0]


def test_where_an_agent_is_asked_who_goes_next_nobody_is_interrupted_and_all_is_paid_for() -> None:
    node = node_of(RESUME, busy_power_w=10.0, tariff_usd_per_j=0.5)
    trial = Bench(lambda kernel, done: make_server(kernel, node, AskedLine(lambda jobs: 0), done))
    jobs = enter(trial, (0.0, 5.0, 2.0), (2.0, 1.0, 0.0))
    trial.run()
    assert spans(jobs) == [(0.0, 5.0, 5.0), (5.0, 6.0, 1.0)]
    for job in jobs:
        bill(job, node, job.finish_s, job.output)
    assert [(job.energy_j, job.cost_usd) for job in jobs] == [(50.0, 25.0), (10.0, 5.0)]


VISITS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=25
)  # fmt: skip


def drawn(slots: int, visits: Any) -> tuple[Trial, list[Job]]:
    trial, now, plan = bench(slots), 0, []
    for gap, service, priority in visits:
        now += gap
        plan.append((now / 4, service / 4, float(priority)))
    return trial, enter(trial, *plan)


def literal(visits: list[tuple[float, float, float]], slots: int) -> list[float]:
    """Ends by quarters of a second: the first of those here by priority, then by arrival, are worked at."""
    left = [service for _, service, _ in visits]
    ends = [math.nan] * len(visits)
    now = 0.0
    while any(math.isnan(end) for end in ends):
        here = [k for k, (at_s, _, _) in enumerate(visits) if at_s <= now and math.isnan(ends[k])]
        here.sort(key=lambda k: (visits[k][2], k))
        for k in here[:slots]:
            if left[k] == 0.0:
                ends[k] = now
        if any(left[k] == 0.0 and ends[k] == now for k in here[:slots]):
            continue
        for k in here[:slots]:
            left[k] -= 0.25
        now += 0.25
        for k in here[:slots]:
            if left[k] <= 0.0:
                ends[k] = now
    return ends


@settings(max_examples=150)
@given(VISITS)
def test_one_server_is_always_at_the_most_urgent_of_those_that_are_here(visits: Any) -> None:
    """Services of no length are left out: in which order they end in one instant is another matter."""
    trial, jobs = drawn(1, [(gap, service + 1, priority) for gap, service, priority in visits])
    trial.run()
    plan = [(job.entered_s, job.last_after_s, job.priority) for job in jobs]
    assert [job.finish_s for job in jobs] == literal(plan, 1)


@settings(max_examples=100)
@given(st.integers(1, 3), VISITS)
def test_all_work_is_done_and_littles_law_holds(slots: int, visits: Any) -> None:
    trial, jobs = drawn(slots, visits)
    trial.run()
    assert [job.share_s for job in jobs] == pytest.approx([job.last_after_s for job in jobs])
    assert counts(trial) == (len(jobs), len(jobs), len(jobs), 0)
    assert trial.station.occupancy.serving_area == pytest.approx(math.fsum(job.last_after_s for job in jobs))
    assert trial.station.line.work == 0.0


@settings(max_examples=50)
@given(st.integers(1, 3), VISITS, st.integers(0, 30))
def test_a_pickled_server_goes_on_the_same(slots: int, visits: Any, events: int) -> None:
    trial, _ = drawn(slots, visits)
    trial.kernel.advance(math.inf, most=events)
    copy = pickle.loads(pickle.dumps(trial))
    for each in (trial, copy):
        each.run()
    assert spans(copy.done) == spans(trial.done)


def test_a_line_takes_back_ahead_of_equals() -> None:
    line: Any = PriorityLine()
    jobs = [job_of(1.0, priority=1.0) for _ in range(4)]
    for job in jobs[:2]:
        line.push(job, 1.0)
    line.put_back(jobs[2], 1.0)
    line.put_back(jobs[3], 1.0)
    assert [line.pop() for _ in range(4)] == [jobs[3], jobs[2], jobs[0], jobs[1]]
