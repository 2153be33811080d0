"""The theory scenarios give the waits and queue lengths that queueing theory says, within their 95 % intervals.

Each runs once, with its own seed and 10^5 customers after its warm-up. Intervals come from the means of 20 equal,
consecutive batches of customers, or stretches of time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.special import stdtrit

from simoffload.analysis.theory import service
from simoffload.analysis.theory.jackson import JacksonNetwork
from simoffload.analysis.theory.markovian import MMc, mm1
from simoffload.analysis.theory.mg1 import MD1, MG1
from simoffload.analysis.theory.priority import NonPreemptive, PriorityClass
from simoffload.decision import Decision
from simoffload.decision.course import Course
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from simoffload.schema.scenario import Horizon
from simoffload.world.job import Job
from tests.oracle.theory import batch_interval, time_averages
from tests.world.worlds import nothing_written, run

pytestmark = pytest.mark.long

CUSTOMERS = 100_000
FAR_APART = "telemetry_interval=1 h"
"""Nobody reads the notices."""


class Only:
    """Takes the one node there is."""

    order = "fifo"

    def reset(self, setting: Any, generator: Any) -> None:
        """Nothing to remember."""

    def decide(self, observation: Any) -> Decision:
        return Decision(0)


class Visitors(Recorder):
    """Keeps the instants of every visit and nothing else."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario.objective, len(scenario.edges), scenario.warm_up, None, 0, nothing_written)
        self.visits: list[tuple[int, float, float, float, int]] = []

    def subtask_done(self, job: Job) -> None:
        self.visits.append((job.node, job.entered_s, job.start_s, job.finish_s, job.task.workload))

    def task_done(self, course: Course, now_s: float) -> None:
        """Tasks are not looked at."""


@dataclass(frozen=True)
class Visits:
    """Visits to a station in the order of their beginning, from the end of the warm-up on."""

    entered_s: np.ndarray
    start_s: np.ndarray
    finish_s: np.ndarray
    workload: np.ndarray

    @property
    def wait_s(self) -> np.ndarray:
        return self.start_s - self.entered_s

    def of(self, workload: int) -> Visits:
        chosen = self.workload == workload
        return Visits(*(column[chosen] for column in (self.entered_s, self.start_s, self.finish_s, self.workload)))


@cache
def stations(name: str) -> list[Visits]:
    """A run of a scenario, by node."""
    scenario = load_scenario(f"theory/{name}", [FAR_APART])
    rate = sum(workload.arrivals.rate for workload in scenario.workloads)
    tasks = round(CUSTOMERS + 2 * rate * scenario.warm_up)
    scenario = scenario.model_copy(update={"horizon": Horizon(tasks=tasks)})
    recorder = Visitors(scenario)
    world = World(scenario, Only(), recorder)
    world.begin()
    run(world)
    rows = np.array(recorder.visits)
    rows = rows[rows[:, 1] >= scenario.warm_up]
    rows = rows[np.argsort(rows[:, 2], kind="stable")]
    return [Visits(*rows[rows[:, 0] == node.number].T[1:]) for node in world.plant.nodes]


def visits(name: str, node: int = 0) -> Visits:
    """What happened at a node of a scenario."""
    seen = stations(name)[node]
    assert len(seen.start_s) >= CUSTOMERS
    return seen


def assert_holds(values: np.ndarray, theory: float, sharpness: float = 0.15) -> None:
    """Theory lies in the interval, which is no wider than it should be."""
    mean, half = batch_interval(values)
    assert half < sharpness * theory
    assert abs(mean - theory) < half, f"{mean:.4g} ± {half:.2g}, in theory {theory:.4g}"


def assert_waits(seen: Visits, wait_s: float, rate: float) -> None:
    """Mean wait, and by Little's law mean number waiting, are these."""
    assert_holds(seen.wait_s, wait_s)
    first, last = seen.entered_s[0], seen.entered_s[-1]
    assert_holds(time_averages(seen.entered_s, seen.start_s, first, last), rate * wait_s)


def assert_share_beyond(times_s: np.ndarray, length_s: float, theory: float) -> None:
    """As many times are longer as theory says, within 4 standard errors: of many shares some miss a 95 % interval."""
    mean, half = batch_interval((times_s > length_s).astype(float))
    half *= 4 / float(stdtrit(19, 0.975))
    assert half < 0.6 * theory
    assert abs(mean - theory) < half, f"{mean:.4g} ± {half:.2g} beyond {length_s:.3g} s, in theory {theory:.4g}"


def assert_distributed(seen: Visits, form: MMc | MG1 | MD1) -> None:
    """As many waits and sojourns are longer than some times as they should be."""
    sojourn_s = seen.finish_s - seen.entered_s
    for times in (1, 2):
        length_s = times * form.means.sojourn_s
        assert_share_beyond(seen.wait_s, length_s, 1 - float(form.wait_cdf(length_s)))
        assert_share_beyond(sojourn_s, length_s, 1 - float(form.sojourn_cdf(length_s)))


def test_mm1() -> None:
    seen, form = visits("mm1"), mm1(0.8, 1.0)
    assert_waits(seen, form.means.wait_s, 0.8)
    assert form.means.wait_s == pytest.approx(4.0)
    assert_holds((seen.wait_s > 0).astype(float), form.chance_of_waiting)
    assert_distributed(seen, form)


def test_mmc() -> None:
    seen, form = visits("mmc"), MMc(0.8, 0.25, 4)
    assert_waits(seen, form.means.wait_s, 0.8)
    assert_holds((seen.wait_s > 0).astype(float), form.chance_of_waiting)
    assert_distributed(seen, form)


def test_md1() -> None:
    seen, form = visits("md1"), MD1(0.8, 1.0)
    assert_waits(seen, form.means.wait_s, 0.8)
    assert_distributed(seen, form)


def test_mg1() -> None:
    seen, form = visits("mg1"), MG1(0.8, service.lognormal(1.0, 1.5))
    assert_waits(seen, form.means.wait_s, 0.8)
    assert_distributed(seen, form)


def test_non_preemptive_priority() -> None:
    seen = visits("priority")
    law = service.exponential(1.0)
    form = NonPreemptive((PriorityClass(0.3, law), PriorityClass(0.5, law)))
    urgent, others = form.means_by_class
    assert_waits(seen.of(1), urgent.wait_s, 0.3)
    assert_waits(seen.of(0), others.wait_s, 0.5)


def test_priority_leaves_the_mean_work_that_waits_as_it_was() -> None:
    assert_waits(visits("priority"), mm1(0.8, 1.0).means.wait_s, 0.8)


def test_tandem() -> None:
    network = JacksonNetwork((0.7, 0.0), (1.0, 1.25), (1, 1), ((0.0, 1.0), (0.0, 0.0)))
    for number, form in enumerate(network.stations):
        assert form is not None
        assert_waits(visits("tandem", number), form.means.wait_s, 0.7)


@pytest.mark.parametrize(
    ("name", "node", "mean_s"), [("mm1", 0, 1.0), ("mmc", 0, 4.0), ("mg1", 0, 1.0), ("tandem", 1, 0.8)]
)
def test_random_services_have_the_mean_of_their_law(name: str, node: int, mean_s: float) -> None:
    seen = visits(name, node)
    assert_holds(seen.finish_s - seen.start_s, mean_s, sharpness=0.02)


def test_constant_services_are_all_the_same() -> None:
    seen = visits("md1")
    assert seen.finish_s - seen.start_s == pytest.approx(1.0)
