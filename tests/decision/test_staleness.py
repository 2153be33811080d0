"""Nothing in a decision, an estimate or a priority comes from after the last telemetry, or from what is to come.

From the moment a home begins to look until its subtask has been placed, all that it cannot know is falsified: the other
nodes, their links, and the true lengths and demands of what is not done. The whole run must come out the same.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision, Setting
from simoffload.decision.dispatcher import Dispatcher
from simoffload.decision.knowledge import Board, Knowledge
from simoffload.run.agents import agent_names, load_agent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario, load_scenario_text
from simoffload.testing import falsified
from tests.decision.by_hand import sight_of
from tests.strategies import scenarios


class Attentive:
    """Looks at everything, decides by some of it, and is asked for orders too."""

    order = "decide"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.generator = generator

    def decide(self, observation: Any) -> Decision:
        if observation.kind == "order":
            return Decision(int(np.argmax(observation.waited_s * observation.task_weight)))
        seen = sight_of(observation)
        return Decision(int(np.argmin(seen.score + seen.queue_length * self.generator.random())))


def run(scenario: Scenario, agent: Any, *, misled: bool) -> str:
    """The fingerprint of a run, and whether its homes were misled while they decided."""
    nodes = len(scenario.edges) + len(scenario.clouds)
    recorder = Recorder(scenario.objective, nodes, scenario.warm_up, None, 0, lambda parts: None)
    world = World(scenario, agent, recorder)
    world.begin()
    with misleading(world) if misled else ExitStack():
        world.kernel.advance(scenario.horizon.time or float("inf"))
    return recorder.close()


def misleading(world: World) -> ExitStack:
    """Falsify from a home's first look until its subtask is placed; fresh news is news from after the look."""
    falsehoods = ExitStack()
    look, place = Knowledge.look, Dispatcher._place
    is_fresh = world.scenario.telemetry_interval == 0

    def look_and_be_misled(knowledge: Knowledge, now_s: float) -> None:
        if is_fresh:
            look(knowledge, now_s)
        falsehoods.enter_context(falsified(world, knowledge.home))
        if not is_fresh:
            look(knowledge, now_s)

    def place_in_truth(dispatcher: Dispatcher, *about: Any) -> None:
        falsehoods.close()
        place(dispatcher, *about)

    patches = ExitStack()
    patches.enter_context(mock.patch.object(Knowledge, "look", look_and_be_misled))
    patches.enter_context(mock.patch.object(Dispatcher, "_place", place_in_truth))
    return patches


def agent_of(name: str) -> Any:
    return Attentive() if name == "attentive" else load_agent(name)


@settings(max_examples=35, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(horizons=("tasks", "time")), name=st.sampled_from(["attentive", *agent_names()]))
def test_no_decision_depends_on_what_cannot_be_known(written: dict[str, Any], name: str) -> None:
    scenario = load_scenario_text(json.dumps(written))
    assert run(scenario, agent_of(name), misled=True) == run(scenario, agent_of(name), misled=False)


@pytest.mark.parametrize("name", ["attentive", *agent_names()])
@pytest.mark.parametrize("interval", ["0 s", "5 s"])
def test_nor_does_any_of_an_agents_in_a_busy_factory(name: str, interval: str) -> None:
    scenario = load_scenario("smart-factory", ["horizon={tasks: 25}", *REFERENCES, f"telemetry_interval={interval}"])
    assert run(scenario, agent_of(name), misled=True) == run(scenario, agent_of(name), misled=False)


REFERENCES = ("objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}", "warm_up=0 s")


def test_a_leak_would_be_found() -> None:
    scenario = load_scenario("smart-factory", ["horizon={tasks: 25}", *REFERENCES])
    refresh = Board.refresh

    def refresh_always(board: Board) -> None:
        board.telemetry._write()
        refresh(board)

    with mock.patch.object(Board, "refresh", refresh_always):
        assert run(scenario, agent_of("eft"), misled=True) != run(scenario, agent_of("eft"), misled=False)
