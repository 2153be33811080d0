"""Replications: a run that was ended before its horizon stands beside no other."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from types import SimpleNamespace

import pytest

from simoffload.run import replications
from simoffload.run.replications import Interrupted, Job, Unfinished
from simoffload.schema import load_scenario

OVERLOAD = ["workloads.customers.arrivals.rate=100 /s", "horizon={tasks: 3000}", "warm_up=1 s"]


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """This process as a worker; the flag by which it is told to stop."""
    flag = SimpleNamespace(value=0)
    monkeypatch.setattr(replications, "_done", multiprocessing.get_context("spawn").Value("d", 0.0))
    monkeypatch.setattr(replications, "_stopped", flag)
    return flag


@pytest.mark.usefixtures("stopped")
def test_a_run_that_fills_the_memory_is_told_with_its_agent_seed_and_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simoffload.run.simulation.MOST_IN_SYSTEM", 20)
    monkeypatch.setattr("simoffload.run.simulation._EVENTS_PER_LOOK", 100)
    job = Job(load_scenario("theory/mm1", OVERLOAD), "eft", tmp_path / "run")
    with pytest.raises(Unfinished, match=r"agent 'eft', seed \d+: \d+ of \d+ tasks .* would fill the memory"):
        replications._run(job)


def test_a_worker_that_was_told_to_stop_begins_nothing(stopped: SimpleNamespace, tmp_path: Path) -> None:
    stopped.value = 1
    with pytest.raises(Interrupted):
        replications._run(Job(load_scenario("tiny"), "eft", tmp_path / "run"))
    assert not (tmp_path / "run").exists()
