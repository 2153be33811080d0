"""Scores of candidates: a rule's part, a network's, and the chances that they make."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.agents.measured_speed import EarliestMeasuredFinish
from simoffload.agents.scoring import Heads, chances, position_score
from simoffload.agents.ucb_coma import ScoringAgent
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.run.agents import load_agent
from simoffload.run.references import with_references
from simoffload.schema import load_scenario, load_scenario_text
from tests.agents.learning.episodes import busy, heads, random_network, softened_rule
from tests.agents.observations import sight
from tests.decision.by_hand import ONE, TWO, Told, plant, play, task, world_of
from tests.decision.test_staleness import run
from tests.strategies import scenarios

LOGITS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9).map(np.array)


class Looking(Told):
    """Evaluates a policy on all that it is asked, too."""

    def __init__(self, policy: Heads, *nodes: int, order: str) -> None:
        super().__init__(*nodes, order=order)
        self.policy = policy
        self.said: list[Any] = []

    def decide(self, observation: Any) -> Any:
        self.said.append((observation.kind, *self.policy.evaluate(observation), self._finish(observation)))
        return super().decide(observation)

    @staticmethod
    def _finish(observation: Any) -> Any:
        return None if observation.kind == "order" else observation.finish_s.copy()


def said(policy: Heads) -> list[Any]:
    agent = Looking(policy, 0, 0, 0, 1, 0, 2, order="decide")
    tasks = [task(TWO, 0.1 * n, prompt=100, expected_output=50.0, payload_bytes=[1e6, 0], demand_s=3) for n in range(3)]
    play(world_of(plant(), agent), *tasks)
    return agent.said


# ----------------------------------------------------------------------------------------------------------- chances


@given(LOGITS)
def test_chances_sum_to_1_and_none_is_negative(logits: Any) -> None:
    share = chances(logits)
    assert share.sum() == pytest.approx(1.0, abs=1e-12)
    assert (share >= 0).all()
    assert np.isfinite(share).all()


@given(LOGITS, st.floats(-1e3, 1e3))
def test_only_differences_of_logits_count(logits: Any, shift: float) -> None:
    assert chances(logits + shift) == pytest.approx(chances(logits), abs=1e-8)


def test_a_logit_of_log_3_more_is_three_times_as_likely() -> None:
    assert chances(np.log([1.0, 3.0, 4.0])) == pytest.approx([1 / 8, 3 / 8, 1 / 2])


@given(LOGITS, st.data())
def test_the_order_of_logits_is_the_order_of_chances(logits: Any, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(logits))))
    assert chances(logits[order]) == pytest.approx(chances(logits)[order], abs=1e-12)


# ------------------------------------------------------------------------------------------------------------- scores


def test_the_rule_counts_finish_times_above_the_least_in_units_of_the_reference() -> None:
    seen = sight([0, 1, 4], finish_s=[9.0, 4.0, 6.0])
    seen.setting = type("Ten", (), {"latency_reference_s": 10.0})
    assert position_score(seen) == pytest.approx([0.5, 0.0, 0.2])


def test_what_is_said_of_a_position_is_features_network_and_rule() -> None:
    policy = heads(kappa=3.0)
    positions = [each for each in said(policy) if each[0] == "position"]
    assert len(positions) == 6
    for _, rows, corrections, rule, finish in positions:
        assert rows.shape == (3, len(POSITION_COLUMNS))
        assert corrections == pytest.approx(policy.position(rows))
        assert rule == pytest.approx(-3.0 * (finish - finish.min()) / 10.0)


def test_what_is_said_of_an_order_prefers_the_first_come() -> None:
    orders = [each for each in said(heads(kappa_order=0.5)) if each[0] == "order"]
    assert orders
    for _, rows, _, rule, _ in orders:
        assert rows.shape == (len(rule), len(ORDER_COLUMNS))
        assert rule.tolist() == [-0.5 * place for place in range(len(rule))]


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), order=st.permutations(range(4)))
def test_permuting_candidates_permutes_logits_and_twins_have_equal_chances(seed: int, order: list[int]) -> None:
    generator = np.random.default_rng(seed)
    network = random_network(len(POSITION_COLUMNS), seed)
    rows, rule = generator.normal(size=(4, len(POSITION_COLUMNS))), -generator.uniform(0, 3, 4)
    logits = network(rows) + rule
    assert network(rows[order]) + rule[order] == pytest.approx(logits[order], abs=1e-9)
    twins = [0, 1, 2, 3, 1]
    share = chances(network(rows[twins]) + rule[twins])
    assert share[4] == pytest.approx(share[1], rel=1e-9)


def test_a_twin_of_a_node_has_an_equal_chance_in_the_plant() -> None:
    box = "hardware: box, models: [wide], uplink: steady, downlink: steady, lan: steady"
    alike = plant(f"edges=[{{id: press, {box}}}, {{id: one, {box}}}, {{id: other, {box}}}]")
    agent = Looking(heads(orders=False), 0, order="fifo")
    play(world_of(alike, agent), task(ONE, prompt=100, expected_output=50.0, payload_bytes=1e6))
    _, rows, corrections, rule, _ = agent.said[0]
    assert rows[1].tolist() == rows[2].tolist()
    share = chances(corrections + rule)
    assert share[1] == pytest.approx(share[2], rel=1e-12)
    assert share[0] != pytest.approx(share[1])


@pytest.mark.parametrize("order", [order for order in itertools.permutations(range(3)) if order != (0, 1, 2)])
def test_in_whatever_order_a_plant_names_its_nodes_each_has_the_same_features_and_the_same_chance(
    order: tuple[int, ...],
) -> None:
    boxes = [f"{{id: {name}, hardware: box, models: [wide], speed: {speed}, uplink: steady, downlink: steady, "
             f"lan: steady}}" for name, speed in (("press", 1), ("paint", 0.5), ("weld", 0.8))]  # fmt: skip

    def seen_in(order: Sequence[int]) -> list[Any]:
        place = {node: number for number, node in enumerate(order)} | {3: 3}
        agent = Looking(heads(orders=False, kappa=1.0), *(place[node] for node in (0, 1, 2, 3, 0, 2)), order="fifo")
        work = {"prompt": 100, "expected_output": 50.0, "payload_bytes": [1e6, 0], "demand_s": 3}
        tasks = [task(TWO, 0.1 * n, home=place[n], weight=1.0 + n, **work) for n in range(3)]
        play(world_of(plant(f"edges=[{', '.join(boxes[node] for node in order)}]"), agent), *tasks)
        return agent.said

    rows_at = [*order, 3]
    for (_, rows, corrections, rule, _), (_, moved, *logits, _) in zip(seen_in((0, 1, 2)), seen_in(order), strict=True):
        assert len(np.unique(rows, axis=0)) == 4
        assert moved == pytest.approx(rows[rows_at], abs=1e-9)
        assert chances(sum(logits)) == pytest.approx(chances(corrections + rule)[rows_at], abs=1e-9)


# --------------------------------------------------------------------------------------------------- the rule in it


@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(horizons=("tasks", "time")), kappa=st.sampled_from([1.0, 1e6]))
def test_networks_that_say_0_leave_the_rule_decision_by_decision(written: dict[str, Any], kappa: float) -> None:
    scenario = load_scenario_text(json.dumps(written))
    softened = ScoringAgent(softened_rule(orders=False, kappa=kappa))
    assert run(scenario, softened, misled=False) == run(scenario, load_agent("eft"), misled=False)


def test_a_policy_without_a_network_for_positions_places_by_the_rule() -> None:
    scenario = busy("horizon={tasks: 30}")
    policy = Heads(None, None, 4.0, 0.5)
    assert run(scenario, ScoringAgent(policy), misled=False) == run(scenario, load_agent("eft"), misled=False)


def test_nor_do_they_change_the_order_of_lines() -> None:
    scenario = busy("horizon={tasks: 30}")
    asked = ScoringAgent(softened_rule(orders=True, kappa=1e6))
    assert asked.order == "decide"
    assert run(scenario, asked, misled=False) == run(scenario, load_agent("eft"), misled=False)


def test_a_policy_that_measures_speeds_is_its_rule_while_its_network_says_nothing() -> None:
    scenario = with_references(load_scenario("hidden-slowdown", ["horizon.tasks=60", "warm_up=0 s"]))
    silent = softened_rule(orders=False, kappa=8.0)
    measuring = ScoringAgent(replace(silent, optimism=0.1))
    rule = run(scenario, EarliestMeasuredFinish(optimism=0.1), misled=False)
    assert run(scenario, measuring, misled=False) == rule
    assert run(scenario, measuring, misled=False) == rule, "a second run remembers nothing of the first"
    assert run(scenario, ScoringAgent(silent), misled=False) != rule
