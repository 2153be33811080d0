"""Preemptive-resume priority on one server gives the mean sojourns of Cobham's successors (White, Christie 1958)."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.decision.course import Course
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from tests.world.worlds import run

from .test_breakdowns import Sojourns
from .test_queues import FAR_APART, Only, assert_holds

pytestmark = pytest.mark.long

RATES, SERVICE_S = (0.3, 0.5), 1.0
CUSTOMERS = 60_000
RESUME = "edges.station.server={kind: slots, slots: 1, preemption: resume}"


class ByClass(Sojourns):
    """The same by workload."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.by_class: list[list[float]] = [[], []]

    def task_done(self, course: Course, now_s: float) -> None:
        if course.task.arrival_s >= self._warm_up_s:
            self.by_class[course.task.workload].append(now_s - course.task.arrival_s)


def sojourns_s(squares: float) -> list[float]:
    """E[S]/(1 - s) + sum of lambda E[S^2] up to the class / (2 (1 - s) (1 - s')), s the load before, s' with it."""
    found, before, residual = [], 0.0, 0.0
    for rate in RATES:
        residual += rate * squares / 2
        upto = before + rate * SERVICE_S
        found.append(SERVICE_S / (1 - before) + residual / ((1 - before) * (1 - upto)))
        before = upto
    return found


@pytest.mark.parametrize(
    ("demand", "squares"),
    [("{kind: exponential, mean: 1 s}", 2.0), ("{kind: uniform, low: 0 s, high: 2 s}", 4 / 3)],
    ids=["exponential", "uniform"],
)
def test_mean_sojourns_of_both_classes_are_those_of_theory(demand: str, squares: float) -> None:
    subtasks = f"[{{id: service, demand: {demand}}}]"
    settings = [
        FAR_APART, RESUME, f"horizon={{tasks: {CUSTOMERS}}}",
        *(f"workloads.{name}.template={{kind: written, subtasks: {subtasks}}}" for name in ("customers", "urgent")),
    ]  # fmt: skip
    scenario = load_scenario("theory/priority", settings)
    recorder = ByClass(scenario)
    world = World(scenario, Only(), recorder)
    world.begin()
    run(world)
    urgent_s, others_s = sojourns_s(squares)
    assert_holds(np.array(recorder.by_class[1]), urgent_s)
    assert_holds(np.array(recorder.by_class[0]), others_s, sharpness=0.2)
