"""The world and the oracle agree where the agent is asked who goes next, and ask alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision, Setting
from simoffload.run.world import World
from simoffload.schema import Scenario
from tests.oracle.asking import OracleThatAsks, Row
from tests.oracle.comparing import ScriptedAgain, assert_agree, chance_of, world_at_its_end
from tests.oracle.drawn import almost
from tests.oracle.extended import busy, interrupting
from tests.strategies import scenarios

pytestmark = pytest.mark.long

FAULTY = scenarios(most_tasks=12, with_faults=True)


def pick(station: str, rows: Sequence[Row]) -> int:
    """By the station's name: the last that came, the most urgent stage of the most bytes, or the lightest.

    Each is an order that a newcomer does not change: a batch may be asked again, or not, without a difference.
    """
    places = range(len(rows))
    if "uplink" in station or station.endswith("0"):
        return len(rows) - 1
    if "downlink" in station or station.endswith("1"):
        return max(places, key=lambda place: (rows[place].bytes, rows[place].stage))
    return min(places, key=lambda place: (rows[place].weight, rows[place].bytes, -place))


class AskedAgain(ScriptedAgain):
    """Is asked who goes next, too, and keeps when that was and how many waited."""

    order = "decide"

    def __init__(self, scenario: Scenario, orders_from: int) -> None:
        super().__init__(scenario)
        self.orders_from = orders_from
        self.batches = {node.id for node in (*scenario.edges, *scenario.clouds) if node.server.kind == "batching"}

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        super().reset(setting, generator)
        self.asked_at: list[tuple[str, float, int]] = []

    def decide(self, observation: Any) -> Decision:
        if observation.kind != "order":
            return super().decide(observation)
        seen = zip(observation.bytes, observation.task_weight, observation.stage, strict=True)
        rows = [Row(float(size), float(weight), int(stage)) for size, weight, stage in seen]
        if observation.station not in self.batches:
            self.asked_at.append((observation.station, observation.now_s, len(rows)))
        return Decision(pick(observation.station, rows))


def both_asked(data: dict[str, Any], orders_from: int) -> tuple[World, OracleThatAsks]:
    """A world whose agent is asked who goes next, and the oracle, at the end of their runs."""
    scenario = Scenario.model_validate(data | {"order": "at_service_start"})
    agent = AskedAgain(scenario, orders_from)
    world = world_at_its_end(scenario, agent)
    chance, told = chance_of(world), lambda *key: agent.decisions[key]
    oracle = OracleThatAsks(scenario, decide=told, pick=pick, orders_from=orders_from, **chance)
    oracle.run()
    return world, oracle


def assert_asked_alike(world: World, oracle: OracleThatAsks) -> None:
    agent: Any = world.agent
    seen, mine = sorted(agent.asked_at), sorted(oracle.asked)
    assert seen == [(station, almost(at_s), waiting) for station, at_s, waiting in mine]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.one_of(FAULTY, interrupting(FAULTY)), st.integers(2, 3))
def test_the_world_agrees_with_the_oracle_when_the_agent_says_who_goes_next(
    data: dict[str, Any], orders_from: int
) -> None:
    world, oracle = both_asked(data, orders_from)
    assert_agree(world, oracle)
    assert_asked_alike(world, oracle)


def test_in_a_busy_plant_the_agent_is_asked_at_nodes_and_links() -> None:
    """Drawn scenarios may be calm; in this one there is something to agree on."""
    world, oracle = both_asked(busy(), 2)
    assert_agree(world, oracle)
    assert_asked_alike(world, oracle)
    stations = {station for station, _, _ in oracle.asked}
    assert {"edge-0", "cloud"} < stations
    assert any("/" in station for station in stations)
    assert len(oracle.asked) > 80
    assert oracle.interruptions > 0


def test_where_models_are_loaded_the_agent_chooses_among_those_that_can_be_begun() -> None:
    data = busy()
    data["workloads"][0]["modalities"]["audio"] = data["workloads"][0]["modalities"]["text"]
    for edge in data["edges"]:
        law = edge["law"]["generalist"]
        edge |= {"models": ["text", "audio"], "law": {"text": law, "audio": law}, "memory": "4e9 B"}
        edge |= {"server": {"kind": "slots", "slots": 2}, "discipline": "agent"}
    world, oracle = both_asked(data, 2)
    assert_agree(world, oracle)
    assert_asked_alike(world, oracle)
    at_edges = [station for station, _, _ in oracle.asked if station.startswith("edge") and "/" not in station]
    assert len(at_edges) > 20
    assert sum(row["swap_s"] > 0 for row in oracle.subtasks.values()) > 20
