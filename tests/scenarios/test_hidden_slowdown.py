"""The scenario of unseen slow-downs is as its comment says: it can be carried, and to time the answers pays."""

from __future__ import annotations

import pytest

from simoffload.run.load import offered_load
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.world.pace import mean_pace

LATENCY = "objective={latency_weight: 0.5, latency_reference: 14 s, cost_reference: 0.0033 USD}"


def hidden(*settings: str) -> Scenario:
    return load_scenario("hidden-slowdown", [LATENCY, *settings])


def test_every_box_is_slow_for_a_fifth_of_the_time() -> None:
    paces = [mean_pace(edge.slowdown) for edge in hidden().edges]
    assert paces == pytest.approx([1 - (1 - 1 / 3.5) * 3 / 14] * 8)


def test_it_has_a_steady_state_and_neither_side_alone_much_room() -> None:
    loads = {each.resource: each.load for each in offered_load(hidden())}
    assert loads["everything, split best"] < 0.6
    assert loads["everything on edge nodes"] > 1


def test_to_time_the_answers_is_worth_more_than_a_tenth_of_the_latency() -> None:
    means = {"eft": 0.0, "eft-measured": 0.0}
    for agent in means:
        for seed in (1, 2, 3):
            summary = simulate(hidden(f"seed={seed}", "horizon={tasks: 700}"), agent)
            assert summary["tasks"]["in_system"] == 0
            means[agent] += summary["latency_s"]["mean"] / 3
    assert means["eft-measured"] < 0.9 * means["eft"]
