"""Servers take jobs one at a time each, in the order of the line, and load a model where it is missing."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from heapq import heapify, heapreplace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.job import Job
from simoffload.world.kernel import Kernel
from simoffload.world.line import FifoLine, Line, PriorityLine
from simoffload.world.slots import SlotsServer

from .stations import Bench, job_of, model_of, node_of


def bench(slots: int = 1, line: type[Any] = FifoLine, **node: Any) -> Bench:
    def make(kernel: Kernel, done: Callable[[Job], None]) -> SlotsServer:
        waiting: Line = line()
        return SlotsServer(kernel, node_of({"kind": "slots", "slots": slots}, **node), waiting, done)

    return Bench(make)


def two_tools(memory_bytes: float) -> dict[str, Any]:
    """A node with models of 3 bytes that take 10 and 20 s to load; the first is there."""
    models = model_of(3.0, 10.0), model_of(3.0, 20.0)
    return {"models": models, "memory_bytes": memory_bytes, "resident": (0,)}


def test_a_job_is_served_as_long_as_it_takes_alone() -> None:
    trial = bench()
    job = trial.enter(job_of(3.0), 1.0)
    trial.run()
    assert (job.entered_s, job.start_s, job.first_token_s, job.finish_s, job.swap_s) == (1.0, 1.0, 2.5, 4.0, 0.0)
    assert trial.done == [job]


def test_jobs_wait_for_one_of_several_servers() -> None:
    trial = bench(slots=2)
    jobs = [trial.enter(job_of(service), at) for at, service in [(0.0, 4.0), (1.0, 2.0), (1.5, 1.0), (2.0, 1.0)]]
    trial.run()
    assert [(job.start_s, job.finish_s) for job in jobs] == [(0.0, 4.0), (1.0, 3.0), (3.0, 4.0), (4.0, 5.0)]
    assert trial.done == [jobs[1], jobs[0], jobs[2], jobs[3]]


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5)), min_size=1, max_size=40),
)
def test_first_come_first_served_is_kiefer_and_wolfowitzs_recursion(
    slots: int, visits: list[tuple[float, float]]
) -> None:
    trial = bench(slots)
    free = [0.0] * slots
    heapify(free)
    now, jobs, starts = 0.0, [], []
    for gap, service in visits:
        now += gap
        jobs.append(trial.enter(job_of(service), now))
        starts.append(max(now, free[0]))
        heapreplace(free, starts[-1] + service)
    trial.run()
    assert [job.start_s for job in jobs] == starts
    assert trial.station.occupancy.summary(trial.kernel.now).little_residual < 1e-12


def test_the_smallest_priority_goes_first_but_stops_nobody() -> None:
    trial = bench(line=PriorityLine)
    first, late, urgent, equal = (
        trial.enter(job_of(2.0, priority=priority), at)
        for at, priority in [(0.0, 9.0), (0.5, 1.0), (1.0, -1.0), (1.5, 1.0)]
    )
    trial.run()
    assert trial.done == [first, urgent, late, equal]


def test_the_next_job_has_begun_when_somebody_hears_of_the_last() -> None:
    seen: list[list[float]] = []
    trial = bench()
    trial.station._done = lambda job: seen.append([other.start_s for other in trial.station.in_service])
    for at in (0.0, 0.5):
        trial.enter(job_of(2.0), at)
    trial.run()
    assert seen == [[2.0], []]


def test_a_missing_model_is_loaded_before_the_service() -> None:
    trial = bench(**two_tools(4.0))
    one, other, again = (trial.enter(job_of(2.0, model=model), 0.0) for model in (0, 1, 0))
    trial.run()
    assert [(job.start_s, job.swap_s, job.first_token_s, job.finish_s) for job in (one, other, again)] == [
        (0.0, 0.0, 1.0, 2.0),
        (2.0, 20.0, 23.0, 24.0),
        (24.0, 10.0, 35.0, 36.0),
    ]
    assert (trial.station.resident, trial.station.swaps) == ((0,), 2)


def test_a_job_whose_model_finds_no_room_is_passed_over() -> None:
    trial = bench(slots=2, **two_tools(4.0))
    busy, blocked, passing = (
        trial.enter(job_of(service, model=model), at)
        for at, service, model in [(0.0, 5.0, 0), (1.0, 1.0, 1), (2.0, 1.0, 0)]
    )
    trial.run()
    assert (busy.finish_s, passing.start_s, blocked.start_s, blocked.finish_s) == (5.0, 2.0, 5.0, 26.0)


def test_models_that_fit_side_by_side_are_never_loaded() -> None:
    trial = bench(models=(model_of(3.0, 10.0), model_of(3.0, 20.0)), memory_bytes=6.0)
    job = trial.enter(job_of(1.0, model=1), 0.0)
    trial.run()
    assert (job.swap_s, trial.station.resident, trial.station.swaps) == (0.0, (0, 1), 0)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.01, 5), st.integers(0, 1)), max_size=15), st.integers(0, 40))
def test_a_pickled_server_goes_on_as_it_would_have(visits: list[tuple[float, float, int]], events: int) -> None:
    kernel, done = Kernel(), Hearing()
    node = node_of({"kind": "slots", "slots": 2}, **two_tools(4.0))
    station = SlotsServer(kernel, node, PriorityLine(), done.hear)
    trial = Bench(lambda *_: station)
    trial.kernel = kernel
    now = 0.0
    for gap, service, model in visits:
        now += gap
        trial.enter(job_of(service, model=model, priority=float(model)), now)
    kernel.advance(math.inf, most=events)
    copied_kernel, copied_done = pickle.loads(pickle.dumps((kernel, done)))
    kernel.advance(math.inf)
    copied_kernel.advance(math.inf)
    assert copied_done.instants() == done.instants()
    assert len(done.jobs) == len(visits)


class Hearing:
    """Who is told, and can be pickled."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def hear(self, job: Job) -> None:
        self.jobs.append(job)

    def instants(self) -> list[tuple[float, ...]]:
        return [(job.entered_s, job.start_s, job.swap_s, job.finish_s) for job in self.jobs]
