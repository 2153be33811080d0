"""What holds in every world with faults, whatever is drawn and whoever decides."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.decision.course import Course
from simoffload.record.rows import LOSSES
from simoffload.run.ledger import Ledger
from simoffload.run.references import without_faults
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.world.api import ApiServer
from simoffload.world.job import Job
from simoffload.world.line import PriorityLine
from tests.strategies import scenarios

from .test_invariants import AGENTS, DRAWN, agent_of, almost, assert_station_is_sound, luck_of
from .worlds import Keeper, fingerprint, run

pytestmark = pytest.mark.long

WORLDS = scenarios(horizons=("tasks", "tasks", "time"), with_faults=True)


class Witness(Keeper):
    """Keeps what was lost and dropped, too."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.attempts: list[tuple[Job, str]] = []
        self.given_up: list[tuple[Course, float]] = []

    def attempt_lost(self, job: Job, cause: str, now_s: float) -> None:
        super().attempt_lost(job, cause, now_s)
        self.attempts.append((job, cause))

    def task_dropped(self, course: Course, now_s: float) -> None:
        super().task_dropped(course, now_s)
        self.given_up.append((course, now_s))


def begun(data: dict[str, Any], agent: str) -> World:
    scenario = Scenario.model_validate(data)
    world = World(scenario, agent_of(agent), Witness(scenario))
    world.begin()
    return world


def keeper_of(world: World) -> Witness:
    assert isinstance(world.recorder, Witness)
    return world.recorder


def assert_conserved(world: World) -> None:
    """Every task has arrived and is complete, dropped or in the system; so is every attempt, one way or another."""
    dispatcher = world.dispatcher
    assert dispatcher.arrived == dispatcher.completed + dispatcher.dropped + len(dispatcher.courses)
    for server in world.servers:
        assert_station_is_sound(server.occupancy, server.line, server.in_service)
        if not server.is_up:
            assert not server.in_service
        for job in (*server.in_service, *(job for _, job in server.line.in_order())):
            assert dispatcher.courses[job.task.number].jobs[job.subtask] is job, "nobody works for a dropped task"
        if isinstance(server, ApiServer) and server.is_up and server.line:
            assert len(server.in_service) >= server.streams or world.kernel.now <= server.next_start_s


@settings(DRAWN, max_examples=30)
@given(WORLDS, AGENTS)
def test_tasks_are_complete_or_dropped_or_in_the_system_at_every_instant(data: dict[str, Any], agent: str) -> None:
    world = begun(data, agent)
    until_s = world.scenario.horizon.time or math.inf
    while world.kernel.advance(until_s, most=1):
        assert_conserved(world)
    run(world)
    assert_conserved(world)
    if world.scenario.horizon.tasks is not None:
        assert not world.dispatcher.courses


@settings(DRAWN, max_examples=30)
@given(WORLDS, AGENTS)
def test_attempts_work_and_cost_are_conserved_and_littles_law_holds(data: dict[str, Any], agent: str) -> None:
    world = run(begun(data, agent))
    keeper, now = keeper_of(world), world.kernel.now
    lost = [job for job, _ in keeper.attempts]
    assert len({id(job) for job in (*keeper.jobs, *lost)}) == len(keeper.jobs) + len(lost), "no attempt ends twice"
    assert len(keeper.given_up) == world.dispatcher.dropped
    for server in world.servers:
        number = server.node.number
        ended = [job for job in (*keeper.jobs, *lost) if job.node == number and not math.isnan(job.start_s)]
        occupancy = server.occupancy
        summary = occupancy.summary(now)
        assert summary.little_residual < 1e-9
        if world.scenario.warm_up == 0.0:
            assert occupancy.starts == len(ended) + len(server.in_service)
            assert occupancy.completions == sum(job.node == number for job in keeper.jobs)
            if server.node.server.kind == "batching" and not server.in_service:
                assert math.fsum(job.share_s for job in ended) == almost(occupancy.busy_area)
    by_task: dict[int, list[Job]] = {}
    for job in (*keeper.jobs, *lost):
        by_task.setdefault(job.task.number, []).append(job)
    courses = [course for course, _ in (*keeper.courses, *keeper.given_up)] + list(world.dispatcher.courses.values())
    assert len(courses) == world.dispatcher.arrived
    for course in courses:
        jobs = by_task.get(course.task.number, [])
        assert course.cost_usd == almost(math.fsum(job.cost_usd for job in jobs))
        assert course.energy_j == almost(math.fsum(job.energy_j for job in jobs))
    for course, _ in keeper.courses:
        served = [job.subtask for job in keeper.jobs if job.task is course.task]
        assert sorted(served) == list(range(len(course.task.graph))), "each subtask of a complete task was served once"


@settings(DRAWN, max_examples=20)
@given(WORLDS, AGENTS)
def test_retries_keep_to_their_limit_and_each_loss_has_a_cause(data: dict[str, Any], agent: str) -> None:
    world = run(begun(data, agent))
    keeper, limit = keeper_of(world), world.scenario.faults.retry.limit
    assert {cause for _, cause in keeper.attempts} <= set(LOSSES)
    for course in [course for course, _ in (*keeper.courses, *keeper.given_up)]:
        assert all(losses <= limit for losses in course.losses.values())
    for job, _ in keeper.attempts:
        assert math.isnan(job.finish_s)
        assert job.cost_usd >= 0.0
        if math.isnan(job.start_s):
            assert (job.cost_usd, job.energy_j) == (0.0, 0.0)


@settings(DRAWN, max_examples=20)
@given(WORLDS, AGENTS, st.integers(0, 250))
def test_a_world_pickled_in_the_middle_of_its_faults_goes_on_as_if_nothing_had_been(
    data: dict[str, Any], agent: str, events: int
) -> None:
    world = begun(data, agent)
    world.kernel.advance(world.scenario.horizon.time or math.inf, most=events)
    copy = pickle.loads(pickle.dumps(world))
    assert fingerprint(run(copy)) == fingerprint(run(world))
    assert copy.kernel.events == world.kernel.events


@settings(DRAWN, max_examples=30)
@given(scenarios(with_faults=True), AGENTS, AGENTS)
def test_whoever_decides_meets_the_same_tasks_and_faults(data: dict[str, Any], one: str, other: str) -> None:
    worlds = [run(begun(data, name)) for name in (one, other)]
    lucks = [
        {c.task.number: luck_of(c.task) for c, _ in (*keeper_of(w).courses, *keeper_of(w).given_up)} for w in worlds
    ]
    assert lucks[0] == lucks[1]
    later_s = max(world.kernel.now for world in worlds)
    for world in worlds:
        world.kernel.halted = False
        world.kernel.advance(later_s)
    down = [[(fault.count, fault.spent_s(later_s)) for fault in world._crashes.values()] for world in worlds]
    assert down[0] == down[1]


@settings(DRAWN, max_examples=30)
@given(scenarios(with_faults=True), AGENTS)
def test_tasks_and_channels_are_those_of_the_same_scenario_without_faults(data: dict[str, Any], agent: str) -> None:
    broken = run(begun(data, agent))
    whole = without_faults(broken.scenario)
    world = World(whole, agent_of(agent), Witness(whole))
    world.begin()
    run(world)
    keeper = keeper_of(broken)
    one = {c.task.number: luck_of(c.task) for c, _ in (*keeper.courses, *keeper.given_up)}
    assert one == {c.task.number: luck_of(c.task) for c, _ in keeper_of(world).courses}


@settings(DRAWN, max_examples=30)
@given(scenarios(with_faults=True), AGENTS)
def test_the_cost_that_runs_up_step_by_step_is_the_objective_of_completed_and_dropped_tasks(
    data: dict[str, Any], agent: str
) -> None:
    data["warm_up"] = "0 s"
    world = begun(data, agent)
    ledger, before = Ledger(world), 0.0
    while world.kernel.advance(math.inf, most=1):
        cost = ledger.cost()
        assert cost >= before - 1e-9 * max(1.0, before)
        before = cost
    assert ledger.cost() == almost(world.recorder.objective.sum)
    keeper = keeper_of(world)
    assert world.recorder.objective.count == len(keeper.courses) + len(keeper.given_up)


def test_a_line_lets_go_of_whoever_is_named() -> None:
    line = PriorityLine()
    with pytest.raises(ValueError, match="does not wait here"):
        line.remove("nobody")
