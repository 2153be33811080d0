from __future__ import annotations

import importlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.queues import heapq_loop, kernel_calls, raw_simpy, simpy_callbacks, stations
from benchmarks.queues.load import Load, checksum, mean


@settings(max_examples=30)
@given(servers=st.integers(1, 5), utilisation=st.floats(0.1, 1.5), jobs=st.integers(1, 200), seed=st.integers(0, 99))
def test_all_programs_let_every_job_wait_equally_long(servers: int, utilisation: float, jobs: int, seed: int) -> None:
    load = Load(servers, utilisation, jobs, seed)
    waits_s = raw_simpy.waits_s(load)
    assert len(waits_s) == jobs
    assert simpy_callbacks.waits_s(load) == waits_s
    assert heapq_loop.waits_s(load) == waits_s
    assert kernel_calls.waits_s(load) == waits_s
    assert stations.waits_s(load) == waits_s


def test_writing_records_changes_no_wait() -> None:
    load = Load(4, 0.8, 300)
    assert stations.recorded_waits_s(load) == stations.waits_s(load)


@pytest.mark.parametrize(("module", "package"), [("ciw_network", "ciw"), ("salabim_components", "salabim")])
def test_other_simulators_find_the_same_waits(module: str, package: str) -> None:
    pytest.importorskip(package)
    load = Load(2, 0.9, 200)
    engine = importlib.import_module(f"benchmarks.queues.{module}")
    assert engine.waits_s(load) == raw_simpy.waits_s(load)


def test_fewer_jobs_are_the_first_of_more() -> None:
    few, many = (heapq_loop.waits_s(Load(2, 0.8, jobs)) for jobs in (50, 5000))
    assert checksum(few) == checksum(many, 50)
    assert checksum(few) != checksum(many, 51)


def test_the_mean_wait_is_that_of_theory() -> None:
    assert Load(1, 0.8, 1).mean_wait_s == pytest.approx(4.0)
    assert Load(4, 0.8, 1).mean_wait_s == pytest.approx(0.7455, abs=1e-4)
    load = Load(2, 0.5, 20_000)
    assert mean(heapq_loop.waits_s(load)) == pytest.approx(load.mean_wait_s, rel=0.1)
    assert math.isclose(load.mean_wait_s, 1 / 3)
