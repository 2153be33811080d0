"""The cost as it runs up and the potential beside it: exact at every event, and what tasks bring common to policies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simoffload.run.agents import load_agent
from simoffload.run.ledger import Ledger
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario
from tests.agents.learning.episodes import busy

WEIGHT, PER_S, PER_USD = 0.6, 0.6 / 20.0, 0.4 / 0.001
"""Of the objective in `busy`: w, w / L_ref, (1 - w) / C_ref."""


def begun(scenario: Scenario, agent: str) -> World:
    nodes = len(scenario.edges) + len(scenario.clouds)
    world = World(scenario, load_agent(agent), Recorder(scenario.objective, nodes, 0.0, None, 0, lambda parts: None))
    world.begin()
    return world


def billed_usd(world: World) -> dict[int, float]:
    return {number: course.cost_usd for number, course in world.dispatcher.courses.items()}


@pytest.mark.parametrize("agent", ["eft", "all-cloud", "random"])
def test_from_event_to_event_the_cost_grows_by_waiting_and_bills_alone(agent: str) -> None:
    world = begun(busy(), agent)
    ledger, ended = Ledger(world), []
    world.task_done = lambda course, now_s: (ended.append(course), World.task_done(world, course, now_s))  # type: ignore[method-assign]
    steps, before, bills = 0, ledger.cost(), {}
    while not (world.is_over and world.dispatcher.arrived):
        then, weight = world.kernel.now, sum(each.task.weight for each in world.dispatcher.courses.values())
        courses = dict(world.dispatcher.courses)
        world.kernel.step()
        passed_s = world.kernel.now - then
        new_bills = {number: course.cost_usd for number, course in courses.items()}
        spent = sum(new_bills[number] - bills.get(number, 0.0) for number in new_bills)
        assert ledger.cost() - before == pytest.approx(PER_S * weight * passed_s + PER_USD * spent, abs=1e-9)
        before, bills, steps = ledger.cost(), bills | new_bills, steps + 1
    assert steps > 100
    assert ledger.cost() == pytest.approx(world.recorder.objective.sum, abs=1e-9)
    assert before > 1.0


def test_the_potential_is_the_expected_rest_of_the_tasks_in_the_system_and_0_in_an_empty_plant() -> None:
    world = begun(busy(), "eft")
    ledger = Ledger(world)
    assert ledger.potential() == 0.0
    seen = []
    while not (world.is_over and world.dispatcher.arrived):
        world.kernel.step()
        now = world.kernel.now
        rest = [(each.task.weight, each.expected_end_s - now) for each in world.dispatcher.courses.values()]
        expected = PER_S * sum(weight * left for weight, left in rest if left > 0)
        assert ledger.potential() == pytest.approx(expected, abs=1e-12)
        seen.append(expected)
    assert max(seen) > 0.5
    assert ledger.potential() == 0.0


@pytest.mark.parametrize("agent", ["eft", "all-cloud", "random"])
def test_a_task_brings_as_much_potential_as_there_is_more_when_it_arrives(agent: str) -> None:
    world = begun(busy(), agent)
    ledger, checked = Ledger(world), 0
    decide = world.agent.decide
    first = set()

    def look(observation: Any) -> Any:
        nonlocal checked
        newest = world.dispatcher.arrived - 1
        if newest not in first:
            first.add(newest)
            with_it = ledger.potential()
            course = world.dispatcher.courses.pop(newest)
            without = ledger.potential()
            world.dispatcher.courses[newest] = course
            assert ledger.settle() == pytest.approx(with_it - without, abs=1e-12)
            checked += 1
        assert ledger.settle() == 0.0
        return decide(observation)

    world.agent.decide = look  # type: ignore[method-assign]
    world.kernel.advance(math.inf)
    assert checked == 12


def test_what_tasks_bring_depends_on_the_seed_alone() -> None:
    brought = []
    for agent in ("all-cloud", "random"):
        world = begun(busy(), agent)
        ledger = Ledger(world)
        arrive, each = world.dispatcher.arrive, []
        world.dispatcher.arrive = lambda task, arrive=arrive, each=each, ledger=ledger: (  # type: ignore[method-assign]
            arrive(task),
            each.append(ledger.settle()),
        )
        world.kernel.advance(math.inf)
        brought.append(each)
    assert brought[0] == brought[1]
    assert len(set(brought[0])) == 12
    assert np.min(brought[0]) > 0


def test_a_warm_up_whose_tasks_would_be_in_no_sum_is_refused() -> None:
    scenario = busy()
    world = begun(scenario, "eft")
    world.scenario = scenario.model_copy(update={"warm_up": 5.0})
    with pytest.raises(AssertionError, match="warm-up"):
        Ledger(world)
