"""A subtask is offered only to nodes whose memory holds its context."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.decision import Decision, Observation, Setting
from simoffload.decision.features import POSITION_COLUMNS, position_features
from simoffload.decision.tables import NowhereError
from simoffload.run.recorder import Recorder
from simoffload.run.simulation import simulate
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario

LIMITED = "clouds.cloud.server={kind: batching, max_batch: 4, kv_tokens: 2000 tok}"
LONG = "workloads.request.stages.analyze.prompt={kind: choice, values: [100 tok, 3000 tok]}"


def scenario(*settings: str) -> Scenario:
    references = "objective={latency_reference: 10 s, cost_reference: 0.001 USD}"
    return load_scenario("tiny", [LIMITED, LONG, "workloads.request.max_output=800", references, *settings])


class First:
    """Takes the first row, and notes whether the cloud, node 2, was offered and would have room."""

    order = "fifo"

    def __init__(self) -> None:
        self.offers: set[tuple[bool, bool]] = set()

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        pass

    def decide(self, seen: Observation) -> Decision:
        self.offers.add((seen.prompt_tokens + 800 <= 2000, 2 in seen.candidates.tolist()))
        return Decision(0)


def test_a_node_without_the_memory_for_a_prompt_is_no_candidate() -> None:
    agent = First()
    world = World(scenario(), agent, Recorder(scenario().objective, 3, 0.0, None, 0, lambda parts: None))
    world.begin()
    world.kernel.advance(math.inf)
    assert agent.offers == {(True, True), (False, False)}


@pytest.mark.parametrize("agent", ["all-cloud", "weighted-greedy-rank", "peft", "critical-path", "threshold-router"])
def test_a_run_goes_on_where_there_is_room(agent: str) -> None:
    assert simulate(scenario(), agent)["tasks"]["completed"] == 50


def test_features_and_estimates_have_a_row_for_each_node_that_has_room() -> None:
    class Looker(First):
        def decide(self, seen: Observation) -> Decision:
            rows = len(seen.candidates)
            assert position_features(seen).shape == (rows, len(POSITION_COLUMNS))
            assert len(seen.finish_s) == len(seen.way_home_s) == len(seen.completion_change_s) == rows
            return super().decide(seen)

    agent = Looker()
    world = World(scenario(), agent, Recorder(scenario().objective, 3, 0.0, None, 0, lambda parts: None))
    world.begin()
    world.kernel.advance(math.inf)
    assert (False, False) in agent.offers


def test_a_subtask_that_no_node_has_memory_for_ends_the_run_with_its_name() -> None:
    edges = [f"edges.{name}.server={{kind: batching, max_batch: 1, kv_tokens: 2000 tok}}" for name in ("text", "image")]
    with pytest.raises(
        NowhereError, match=r"subtask 'analyze.*' of task \d+ can run nowhere: no node has KV memory for \d+ tokens"
    ):
        simulate(scenario(*edges), "eft")
