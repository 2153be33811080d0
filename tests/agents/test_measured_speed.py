"""Speeds are measured on answers that have come, forgotten again, and doubted in the node's favour."""

from __future__ import annotations

import math
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.earliest_finish import EarliestFinish
from simoffload.agents.measured_speed import (
    EarliestMeasuredFinish,
    EarliestUcbFinish,
    MeasuredSpeeds,
    finish_at,
    tuned,
)
from simoffload.decision import Heard
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
from simoffload.testing import check_agent
from tests.agents.observations import Sight, sight, started

TABLE = {
    "transfer_s": [0.0, 1.0, 3.0],
    "wait_s": [2.0, 0.0, 0.0],
    "swap_s": [0.0, 0.5, 0.0],
    "service_s": [4.0, 5.0, 2.0],
    "way_home_s": [0.0, 0.25, 0.5],
    "finish_s": [6.0, 6.75, 5.5],
}


def seen(*heard: Heard, now_s: float = 100.0, home: int = 1) -> Sight:
    """Nodes 0, 2 and 4 at an instant, with what has been heard before it."""
    found = sight([0, 2, 4], at={"now_s": now_s, "home": home}, **TABLE)
    found.heard = heard  # type: ignore[attr-defined]
    return found


def ended(node: int, slowness: float, end_s: float = 100.0) -> Heard:
    return Heard(node, 2.0, 2.0 * slowness, end_s)


def speeds(memory_s: float = 60.0, optimism: float = 0.0, prior: float = 0.0) -> MeasuredSpeeds:
    return MeasuredSpeeds(3, memory_s, optimism, prior)


def test_what_has_not_been_tried_is_believed_to_be_at_full_pace() -> None:
    assert speeds().slowness(50.0).tolist() == [1.0, 1.0, 1.0]


def test_a_slowness_is_the_mean_of_what_was_heard_the_older_the_less() -> None:
    measured = speeds()
    measured.hear((ended(1, 4.0, 0.0), ended(1, 2.0, 60.0)))
    share = math.exp(-1.0)
    assert measured.slowness(75.0) == pytest.approx([1.0, (4.0 * share + 2.0) / (share + 1.0), 1.0])


def test_the_mean_stays_however_long_nothing_is_heard_unless_full_pace_is_held_against_it() -> None:
    firm, doubting = speeds(), speeds(prior=1.0)
    for measured in (firm, doubting):
        measured.hear((ended(1, 4.0, 0.0),))
    assert firm.slowness(600.0)[1] == pytest.approx(4.0)
    assert doubting.slowness(0.0)[1] == pytest.approx(2.5)
    assert doubting.slowness(600.0)[1] == pytest.approx(1.0, abs=1e-3)


def test_optimism_is_that_of_discounted_ucb() -> None:
    # counts 2 and 1 of 3 in all, at the moment in which they were heard
    measured = speeds(optimism=0.5)
    measured.hear((ended(0, 3.0), ended(0, 4.0), ended(1, 3.0)))
    doubt = [math.sqrt(math.log(4.0) / (1.0 + count)) for count in (2.0, 1.0)]
    assert measured.slowness(100.0) == pytest.approx([3.5 - 0.5 * doubt[0], 3.0 - 0.5 * doubt[1], 1.0])


def test_the_longer_ago_a_node_was_tried_the_more_it_is_believed_to_have_recovered() -> None:
    measured = speeds(optimism=1.0)
    measured.hear((ended(0, 3.0, 0.0),))
    believed = []
    for now_s in range(0, 300, 30):
        measured.hear(tuple(ended(1, 1.0, float(now_s)) for _ in range(3)))
        believed.append(float(measured.slowness(float(now_s))[0]))
    assert believed[2:] == sorted(believed[2:], reverse=True)
    assert believed[-1] < believed[1] < 3.0


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0.1, 20), st.floats(0, 50)), max_size=30),
    st.floats(0, 2),
    st.floats(0, 3),
)
def test_a_slowness_lies_between_full_pace_and_the_worst_heard(
    ends: list[tuple[int, float, float]], optimism: float, prior: float
) -> None:
    measured, now_s = speeds(optimism=optimism, prior=prior), 0.0
    for node, slowness, gap_s in ends:
        now_s += gap_s
        measured.hear((ended(node, slowness, now_s),))
    believed = measured.slowness(now_s)
    assert (believed >= 1.0).all()
    assert believed.max() <= max([1.0, *(slowness for _, slowness, _ in ends)]) * (1 + 1e-9)


def test_what_should_take_no_time_tells_nothing() -> None:
    measured = speeds()
    measured.hear((Heard(0, 0.0, 0.0, 10.0),))
    assert measured.slowness(10.0).tolist() == [1.0, 1.0, 1.0]


def test_wait_and_service_take_longer_on_a_slow_node_the_ways_do_not() -> None:
    late = finish_at(seen(), np.array([2.0, 3.0, 1.0]))  # type: ignore[arg-type]
    # max(0, 4) + 8;  max(1, 0) + 0.5 + 15 + 0.25;  as it was
    assert late.tolist() == [12.0, 16.75, 5.5]


def test_at_full_pace_the_finish_is_the_observations_own() -> None:
    observation = seen()
    assert finish_at(observation, np.ones(3)) is observation.finish_s  # type: ignore[arg-type, attr-defined]


def test_a_node_that_was_slow_is_avoided_by_those_who_know() -> None:
    agent = started(EarliestMeasuredFinish())
    assert agent.decide(seen()).choice == 2
    assert agent.decide(seen(ended(4, 3.0))).choice == 0
    assert agent.decide(seen(home=0)).choice == 2, "another home has not heard of it"
    assert agent.decide(seen(ended(4, 1.0, 400.0), now_s=400.0)).choice == 2, "it has recovered"


def test_optimism_tries_again() -> None:
    for agent, last in ((EarliestMeasuredFinish(), 0), (EarliestUcbFinish(optimism=2.0), 2)):
        assert started(agent).decide(seen(ended(4, 3.0))).choice == 0
        for now_s in range(120, 500, 20):
            agent.decide(seen(*(ended(0, 1.0, now_s) for _ in range(3)), now_s=now_s))
        assert agent.decide(seen(now_s=500.0)).choice == last


def test_the_tuned_rule_has_the_values_at_the_head_of_the_table_of_the_search() -> None:
    table = (Path(__file__).parents[2] / "studies/grids/eft-ucb.md").read_text(encoding="utf-8")
    memory_s, optimism, prior, _ = (float(cell) for cell in table.splitlines()[2].strip("| ").split("|"))
    agent = tuned()
    assert (agent.memory_s, agent.optimism, agent.prior) == (memory_s, optimism, prior)


def test_a_reset_forgets_and_a_pickle_remembers() -> None:
    agent = started(EarliestMeasuredFinish())
    agent.decide(seen(ended(4, 3.0)))
    assert pickle.loads(pickle.dumps(agent)).decide(seen()).choice == 0
    assert started(agent).decide(seen()).choice == 2


@pytest.mark.parametrize("factory", [EarliestMeasuredFinish, EarliestUcbFinish])
def test_both_are_sound_agents_where_nodes_slow_down(factory: type) -> None:
    settings = ["horizon={tasks: 25}", "warm_up=0 s", "workloads.request.arrivals.rate=0.2 /s"]
    spells = "{kind: random, factor: 4, mean_between: 30 s, mean_lasting: 20 s}"
    references = "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"
    names = ("text-1", "image-1", "audio-2")
    slowdowns = [f"edges.{name}.slowdown={spells}" for name in names]
    check_agent(factory, [load_scenario("hidden-slowdown", [*settings, references, *slowdowns])])


def test_where_services_take_what_they_should_measuring_changes_nothing() -> None:
    scenario = load_scenario("smart-factory", ["horizon={tasks: 40}", "warm_up=0 s", "clouds=[]"])
    assert simulate(scenario, "eft-measured")["fingerprint"] == simulate(scenario, "eft")["fingerprint"]
    assert EarliestFinish.order == EarliestMeasuredFinish().order == "fifo"
