"""The headline scenario is contended as its comment says: neither side carries it, a good split does."""

from __future__ import annotations

from statistics import fmean

import pytest

from simoffload.run.load import offered_load
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

SHORT = ["horizon={tasks: 1200}"]


def test_under_weighted_greedy_the_edges_are_busy_and_cost_is_a_real_part_of_the_objective() -> None:
    summary = simulate(load_scenario("smart-factory", SHORT), "weighted-greedy")
    busy = fmean(node["utilisation"] for node in summary["nodes"].values() if node["kind"] == "slots")
    assert 0.7 < busy < 0.85
    objective = summary["objective"]
    share = (1 - objective["latency_weight"]) * summary["cost_usd"]["mean"] / objective["cost_reference_usd"]
    assert 0.15 < share / objective["mean"] < 0.3
    assert summary["latency_s"]["mean"] < 40


def test_one_side_alone_cannot_carry_it_and_both_together_can() -> None:
    loads = {each.resource: each.load for each in offered_load(load_scenario("smart-factory"))}
    assert loads["everything on edge nodes"] > 1
    assert loads["everything in the cloud"] > 1
    assert loads["everything, split best"] < 0.9


@pytest.mark.parametrize("agent", ["all-edge", "all-cloud", "random"])
def test_policies_that_do_not_weigh_have_no_steady_state(agent: str) -> None:
    scenario = load_scenario("smart-factory", ["horizon={time: 20 min}"])
    assert simulate(scenario, agent)["tasks"]["in_system"] > 60
