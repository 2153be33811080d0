"""A backlog that grows in proportion to time is told from one that wanders."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.run.simulation import simulate
from simoffload.run.stability import READINGS, Backlog, drift
from simoffload.schema import Scenario, load_scenario


def seen_to_grow(load: float, seed: int, events: int = 1_000_000, look: int = 2000) -> int | None:
    """Events after which the queue of an M/M/1 of this load, from its embedded chain, is seen to grow; None: never."""
    rng = np.random.default_rng(seed)
    backlog, waiting = Backlog(), 0
    for number in range(events // look):
        steps = np.where(rng.random(look) < load / (1 + load), 1, -1)
        walk = waiting + np.cumsum(steps)
        waiting = int(walk[-1] - min(walk.min(), 0))
        if backlog.grows(waiting):
            return (number + 1) * look
    return None


@pytest.mark.parametrize("load", [0.5, 0.9, 0.95])
def test_a_stable_queue_is_not_seen_to_grow(load: float) -> None:
    assert [seen_to_grow(load, seed) for seed in range(10)] == [None] * 10


@pytest.mark.parametrize("load", [1.05, 1.2, 3.0])
def test_an_unstable_queue_is_seen_to_grow_at_the_second_look(load: float) -> None:
    assert {seen_to_grow(load, seed) for seed in range(10)} == {2 * READINGS * 2000}


def test_growth_that_does_not_count_is_no_verdict() -> None:
    backlog = Backlog()
    assert not any(backlog.grows(number, counts=False) for number in range(10 * READINGS))
    assert any(backlog.grows(number) for number in range(100 * READINGS))


def test_readings_are_few_however_long_the_run() -> None:
    backlog = Backlog()
    for number in range(50 * READINGS):
        backlog.grows(number % 7)
    assert len(pickle.dumps(backlog)) < 1000


@given(st.lists(st.integers(0, 1000), min_size=3, max_size=60), st.integers(1, 1000))
def test_drift_is_free_of_scale_and_turns_with_the_sign(readings: list[int], factor: int) -> None:
    one = drift(readings)
    assert drift([factor * each + 5 for each in readings]) == pytest.approx(one)
    assert drift([-each for each in readings]) == pytest.approx(-one)


def test_drift_by_hand() -> None:
    assert drift([0, 1, 3, 6]) == pytest.approx(2 / (1 / math.sqrt(3)))
    assert drift([4, 4, 4]) == 0.0
    assert drift([0, 2, 4]) == math.inf


def mm1(*overrides: str) -> Scenario:
    references = "objective={latency_weight: 0.5, latency_reference: 1 s, cost_reference: 1 USD}"
    return load_scenario("theory/mm1", [references, "horizon={tasks: 20000}", *overrides])


@pytest.fixture
def looked_at_every_twenty_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simoffload.run.simulation._EVENTS_PER_LOOK", 20)


@pytest.mark.usefixtures("looked_at_every_twenty_events")
def test_a_run_stops_as_unstable_only_if_it_is_told_to() -> None:
    overload = mm1("workloads.customers.arrivals.rate=1.5 /s", "horizon={tasks: 5000}")
    stopped = simulate(overload, "eft", stop_if_unstable=True)
    assert stopped["status"] == "unstable"
    tasks = stopped["tasks"]
    assert stopped["reason"].startswith(
        f"the backlog grows without bound: {tasks['in_system']} of {tasks['arrived']} tasks are in the system at "
    )
    assert tasks["arrived"] == tasks["completed"] + tasks["in_system"] < 5000
    assert simulate(overload, "eft")["status"] == "complete"


@pytest.mark.usefixtures("looked_at_every_twenty_events")
def test_a_stable_run_is_the_same_with_an_eye_on_its_backlog() -> None:
    scenario = mm1("workloads.customers.arrivals.rate=0.9 /s", "horizon={tasks: 5000}")
    plain, watched = simulate(scenario, "eft"), simulate(scenario, "eft", stop_if_unstable=True)
    assert watched["status"] == "complete"
    assert watched["reason"] is None
    assert watched["fingerprint"] == plain["fingerprint"]


@pytest.mark.usefixtures("looked_at_every_twenty_events")
def test_growth_within_two_days_of_a_rate_that_swings_is_not_held_against_it() -> None:
    swinging = mm1(
        "workloads.customers.arrivals={kind: poisson, rate: 1.5 /s, modulation: {period: 1 h, amplitude: 50 %}}",
        "horizon={tasks: 5000}",
    )
    assert simulate(swinging, "eft", stop_if_unstable=True)["status"] == "complete"
