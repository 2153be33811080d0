"""A public interface adds its overhead and keeps to its limits, and nobody slows anybody else down."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.api import ApiServer
from simoffload.world.job import Job
from simoffload.world.kernel import Kernel
from simoffload.world.line import FifoLine, PriorityLine

from .stations import Bench, job_of, node_of, task_of


def bench(line: type[Any] = FifoLine, **limits: Any) -> Bench:
    server = {"kind": "api", "overhead_median": "500 ms", "overhead_sigma": 0.5, **limits}

    def make(kernel: Kernel, done: Callable[[Job], None]) -> ApiServer:
        return ApiServer(kernel, node_of(server), line(), done)

    return Bench(make)


def noisy(service_s: float, noise: float, **changes: Any) -> Job:
    return job_of(service_s, task=task_of(api_noise=[noise]), **changes)


def test_the_overhead_is_its_median_times_a_lognormal_factor_of_the_subtask() -> None:
    trial = bench()
    for noise, overhead_s in [(0.0, 0.5), (1.0, 0.5 * math.exp(0.5)), (-2.0, 0.5 * math.exp(-1.0))]:
        job = trial.enter(noisy(2.0, noise), trial.kernel.now)
        began_s = trial.kernel.now
        trial.run()
        assert job.start_s == began_s
        assert job.first_token_s == pytest.approx(began_s + overhead_s + 1.0)
        assert job.finish_s == pytest.approx(began_s + overhead_s + 2.0)


def test_without_limits_nobody_waits() -> None:
    trial = bench()
    jobs = [trial.enter(noisy(2.0, 0.0), 1.0) for _ in range(50)]
    trial.run()
    assert {(job.start_s, job.finish_s) for job in jobs} == {(1.0, 3.5)}
    assert trial.station.resident == (0,)
    assert trial.station.swaps == 0


def test_streams_are_held_until_the_last_token() -> None:
    trial = bench(streams=2)
    jobs = [trial.enter(noisy(service, 0.0), 0.0) for service in (1.0, 3.0, 1.0)]
    trial.run()
    assert [(job.start_s, job.finish_s) for job in jobs] == [(0.0, 1.5), (0.0, 3.5), (1.5, 3.0)]


def test_requests_are_made_at_even_intervals() -> None:
    trial = bench(request_rate="0.5 /s")
    jobs = [trial.enter(noisy(1.0, 0.0), at) for at in (1.0, 1.0, 4.0, 20.0)]
    trial.run()
    assert [job.start_s for job in jobs] == [1.0, 3.0, 5.0, 20.0]


def test_both_limits_hold_together() -> None:
    trial = bench(streams=1, request_rate="0.25 /s")
    jobs = [trial.enter(noisy(service, 0.0), 0.0) for service in (1.0, 6.0, 1.0)]
    trial.run()
    assert [job.start_s for job in jobs] == [0.0, 4.0, 10.5]


def test_who_goes_next_is_settled_when_the_next_request_may_be_made() -> None:
    trial = bench(PriorityLine, request_rate="0.5 /s")
    trial.enter(noisy(1.0, 0.0), 0.0)
    patient = trial.enter(noisy(1.0, 0.0, priority=1.0), 0.5)
    urgent = trial.enter(noisy(1.0, 0.0, priority=-1.0), 1.5)
    trial.run()
    assert (urgent.start_s, patient.start_s) == (2.0, 4.0)


@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(0.01, 5), st.floats(-2, 2)), min_size=1, max_size=30),
    st.sampled_from([None, 1, 2, 3]),
    st.sampled_from([None, 0.5, 4.0]),
)
def test_starts_are_those_of_a_literal_walk_through_the_jobs(
    visits: list[tuple[float, float, float]], streams: int | None, rate: float | None
) -> None:
    trial = bench(streams=streams, request_rate=None if rate is None else f"{rate} /s")
    gap_s = 0.0 if rate is None else 1.0 / rate
    now, next_s, ends, jobs, starts = 0.0, -math.inf, [], [], []
    for wait, service, noise in visits:
        now += wait
        jobs.append(trial.enter(noisy(service, noise), now))
        stream_s = sorted(ends)[-streams] if streams and len(ends) >= streams else 0.0
        starts.append(max(now, next_s, stream_s))
        next_s = starts[-1] + gap_s
        ends.append(starts[-1] + (0.5 * math.exp(0.5 * noise) + service))
    trial.run()
    assert [job.start_s for job in jobs] == pytest.approx(starts, rel=1e-12)
    assert [job.finish_s for job in jobs] == pytest.approx(ends, rel=1e-12)
    assert trial.station.occupancy.summary(trial.kernel.now).little_residual < 1e-12


def test_a_pickled_interface_still_wakes_up() -> None:
    trial = bench(request_rate="0.5 /s")
    for _ in range(3):
        trial.enter(noisy(1.0, 0.0), 0.0)
    trial.kernel.advance(1.0)
    copy = pickle.loads(pickle.dumps(trial))
    for each in (trial, copy):
        each.run()
    assert [job.start_s for job in copy.done] == [job.start_s for job in trial.done] == [0.0, 2.0, 4.0]
