"""M/M/1 whose server breaks down, busy or idle, gives the mean sojourn that queueing theory says.

Breakdowns come at rate f while the server is up, repairs take an exponential time of mean r. A service that is broken
off begins anew with the same demand, at the head of the line (preemptive repeat identical). The time C from its first
beginning to its end is then its customer's true service: with demand s the number of failed attempts is geometric with
q = 1 - exp(-f s), each lasts as long as an exponential time that is less than s, plus a repair. A customer who finds
nobody may find the server down; that is a set-up D of the busy period, and with N its mean
E[T] = E[C] + a E[C^2] / (2 (1 - a E[C])) + (2 E[D] + a E[D^2]) / (2 (1 + a E[D]))  (Gaver 1962; Levy, Kleinrock 1986).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from simoffload.decision import Decision
from simoffload.decision.course import Course
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from simoffload.world.job import Job
from tests.world.worlds import nothing_written, run

from .test_queues import FAR_APART, assert_holds

pytestmark = pytest.mark.long

ARRIVAL_RATE, SERVICE_RATE, FAULT_RATE, REPAIR_S = 0.4, 1.0, 1 / 15, 4.0
CUSTOMERS = 60_000


class Eldest:
    """The one node there is; of those that wait the task that came first goes first."""

    order = "decide"

    def reset(self, setting: Any, generator: Any) -> None:
        """Nothing to remember."""

    def decide(self, observation: Any) -> Decision:
        return Decision(0 if observation.kind == "position" else int(observation.task_age_s.argmax()))


class Sojourns(Recorder):
    """Keeps how long each task was in the system, in the order of their ends."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario.objective, 1, scenario.warm_up, None, 0, nothing_written)
        self.sojourns_s: list[float] = []

    def subtask_done(self, job: Job) -> None:
        """Services are not looked at."""

    def task_done(self, course: Course, now_s: float) -> None:
        if course.task.arrival_s >= self._warm_up_s:
            self.sojourns_s.append(now_s - course.task.arrival_s)


def completion_moments(service_rate: float, fault_rate: float, repair_s: float) -> tuple[float, float]:
    """E[C] and E[C^2], by quadrature over the exponential demand."""

    def moments(s: float) -> tuple[float, float]:
        f, r = fault_rate, repair_s
        ended = math.exp(-f * s)
        failed = -math.expm1(-f * s)
        if failed == 0.0:
            return s, s * s
        mean_up = 1 / f - s * ended / failed
        square_up = (2 / f**2 * failed - ended * (s * s + 2 * s / f)) / failed
        attempt, spread = mean_up + r, square_up - mean_up**2 + r * r
        number, deviation = failed / ended, failed / ended**2
        mean = s + number * attempt
        return mean, number * spread + deviation * attempt**2 + mean**2

    def density(s: float) -> float:
        return service_rate * math.exp(-service_rate * s)

    first, second = (quad(lambda s, k=k: moments(s)[k] * density(s), 0, 200, limit=500)[0] for k in (0, 1))
    return first, second


def sojourn_s(arrival_rate: float, service_rate: float, fault_rate: float, repair_s: float) -> float:
    """The formula of the module."""
    mean, square = completion_moments(service_rate, fault_rate, repair_s)
    found_down = fault_rate / (fault_rate + 1 / repair_s + arrival_rate)
    set_up, set_up_square = found_down * repair_s, found_down * 2 * repair_s**2
    waiting = arrival_rate * square / (2 * (1 - arrival_rate * mean))
    return mean + waiting + (2 * set_up + arrival_rate * set_up_square) / (2 * (1 + arrival_rate * set_up))


def test_the_formula_without_breakdowns_is_that_of_mm1() -> None:
    assert sojourn_s(0.8, 1.0, 1e-4, 1e-4) == pytest.approx(1 / (1.0 - 0.8), rel=2e-3)


def test_the_mean_completion_is_the_closed_form() -> None:
    mean, _ = completion_moments(SERVICE_RATE, FAULT_RATE, REPAIR_S)
    assert mean == pytest.approx((1 + FAULT_RATE * REPAIR_S) / (SERVICE_RATE - FAULT_RATE), rel=1e-6)


def test_the_mean_sojourn_with_breakdowns_is_that_of_theory() -> None:
    crashes = f"{{kind: exponential, mean_up: {1 / FAULT_RATE} s, mean_down: {REPAIR_S} s}}"
    settings = [
        FAR_APART, f"horizon={{tasks: {CUSTOMERS}}}", f"workloads.customers.arrivals.rate='{ARRIVAL_RATE} /s'",
        f"edges.station.crashes={crashes}", "faults.retry={limit: 1000, first: 0 s, factor: 1}",
    ]  # fmt: skip
    scenario = load_scenario("theory/mm1", settings)
    recorder = Sojourns(scenario)
    world = World(scenario, Eldest(), recorder)
    world.begin()
    run(world)
    assert world.dispatcher.completed == CUSTOMERS
    theory = sojourn_s(ARRIVAL_RATE, SERVICE_RATE, FAULT_RATE, REPAIR_S)
    assert theory > 1.8 / (SERVICE_RATE - ARRIVAL_RATE), "breakdowns matter here"
    assert_holds(np.array(recorder.sojourns_s), theory)
    fault, now_s = world._crashes[0], world.kernel.now
    available = (1 / FAULT_RATE) / (1 / FAULT_RATE + REPAIR_S)
    assert 1 - fault.spent_s(now_s) / now_s == pytest.approx(available, rel=0.02)
