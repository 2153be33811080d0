"""What is played in the simulator counts every task."""

from __future__ import annotations

import pytest

from simoffload.agents.bounds.replay import simulated_objective
from simoffload.run.agents import load_agent
from simoffload.schema import load_scenario


def test_a_warm_up_leaves_no_task_out_of_the_sum() -> None:
    scenario = load_scenario("theory/routing")
    horizon = scenario.horizon.model_copy(update={"tasks": 200})
    plain = scenario.model_copy(update={"horizon": horizon, "warm_up": 0.0})
    warm = plain.model_copy(update={"warm_up": 60.0})
    played = [simulated_objective(each, load_agent("eft")) for each in (plain, warm)]
    assert played[0] == pytest.approx(played[1], rel=1e-12)
