"""Rules that make an index least, each with worked numbers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from simoffload.agents.critical_path import CriticalPath
from simoffload.agents.earliest_finish import EarliestFinish, EarliestFinishWspt, Heft
from simoffload.agents.join_shortest_queue import JoinShortestQueue
from simoffload.agents.peft import Peft
from simoffload.agents.weighted_greedy import WeightedGreedy, WeightedGreedyRank, WeightedGreedyWspt
from tests.agents.observations import SETTING, sight, started


def test_join_shortest_queue_counts_the_waiting_and_nothing_else() -> None:
    seen = sight([0, 1, 4], queue_length=[3, 2, 5], finish_s=[1.0, 90.0, 1.0])
    assert started(JoinShortestQueue()).decide(seen) == (1, None)


@pytest.mark.parametrize("agent", [EarliestFinish(), EarliestFinishWspt(), Heft()])
def test_earliest_finish_takes_the_node_that_is_done_first(agent: EarliestFinish) -> None:
    seen = sight([0, 1, 4], finish_s=[9.0, 8.0, 6.5], cost_usd=[0.0, 0.0, 1.0], wait_s=[0.0, 1.0, 5.0])
    assert started(agent).decide(seen) == (2, None)


def test_the_orders_of_the_queues_are_those_the_names_say() -> None:
    assert EarliestFinish.order == WeightedGreedy.order == CriticalPath().order == JoinShortestQueue.order == "fifo"
    assert EarliestFinishWspt.order == WeightedGreedyWspt.order == "wspt"
    assert Heft.order == WeightedGreedyRank.order == "upward-rank"
    assert Peft.order == "optimistic-rank"


@pytest.mark.parametrize("agent", [WeightedGreedy(), WeightedGreedyWspt(), WeightedGreedyRank()])
def test_weighted_greedy_pays_for_the_cloud_only_for_tasks_of_enough_weight(agent: WeightedGreedy) -> None:
    # score at weight 1: 0.5 8/10 = 0.40 at the edge, 0.5 4/10 + 0.5 0.01/0.02 = 0.45 in the cloud
    # score at weight 2: 0.80 at the edge, 0.40 + 0.25 = 0.65 in the cloud
    table = {"finish_s": [8.0, 4.0], "cost_usd": [0.0, 0.01]}
    assert started(agent).decide(sight([1, 4], **table)).choice == 0
    assert started(agent).decide(sight([1, 4], at={"task_weight": 2.0}, **table)).choice == 1


def test_peft_looks_past_the_finish_at_what_must_follow() -> None:
    # 5 + 9 = 14 on node 0, 6 + 7 = 13 on node 4
    seen = sight([0, 4], finish_s=[5.0, 6.0], optimistic_cost_s=[9.0, 7.0])
    assert started(Peft()).decide(seen).choice == 1


def test_peft_leaves_priorities_to_its_order() -> None:
    seen = sight([0, 4], finish_s=[5.0, 6.0], optimistic_cost_s=[9.0, 7.0])
    assert started(Peft()).decide(seen).priority is None


def test_critical_path_prefers_the_cheap_node_while_the_task_has_slack() -> None:
    # node 1: 0.5 (0 + 0.3 8)/10 + 0        = 0.12;  node 4: 0.5 (0 + 0.3 2)/10 + 0.5 0.01/0.02 = 0.28
    seen = sight([1, 4], completion_change_s=[0.0, 0.0], finish_s=[8.0, 2.0], cost_usd=[0.0, 0.01])
    agent = started(CriticalPath())
    assert agent.index(seen) == pytest.approx([0.12, 0.28])
    assert agent.decide(seen) == (0, None)


def test_critical_path_pays_where_the_completion_would_slip() -> None:
    # node 1: 0.5 (6 + 0.3 8)/10 = 0.42;  node 4: 0.5 (0 + 0.3 2)/10 + 0.25 = 0.28
    seen = sight([1, 4], completion_change_s=[6.0, 0.0], finish_s=[8.0, 2.0], cost_usd=[0.0, 0.01])
    agent = started(CriticalPath())
    assert agent.index(seen) == pytest.approx([0.42, 0.28])
    assert agent.decide(seen).choice == 1


def test_critical_path_does_not_dawdle_between_equally_cheap_nodes() -> None:
    table = {"completion_change_s": [0.0, 0.0], "finish_s": [8.0, 2.0], "cost_usd": [0.0, 0.0]}
    assert started(CriticalPath()).decide(sight([0, 1], **table)).choice == 1
    assert started(CriticalPath(dawdle=0.0)).decide(sight([0, 1], **table)).choice == 0


def test_critical_path_weighs_delay_by_the_weight_of_the_task() -> None:
    table = {"completion_change_s": [2.0, 1.0], "finish_s": [2.0, 1.0], "cost_usd": [0.0, 0.0]}
    light = started(CriticalPath()).index(sight([0, 1], **table))
    heavy = started(CriticalPath()).index(sight([0, 1], at={"task_weight": 4.0}, **table))
    assert heavy == pytest.approx(4 * light)


TABLE = {
    "queue_length": [2.0, 1.0, 1.0, 1.0],
    "finish_s": [2.0, 1.0, 1.0, 1.0],
    "cost_usd": [0.1, 0.1, 0.1, 0.1],
    "completion_change_s": [2.0, 1.0, 1.0, 1.0],
    "optimistic_cost_s": [1.0, 1.0, 1.0, 1.0],
}
RULES = [
    JoinShortestQueue, EarliestFinish, EarliestFinishWspt, Heft, Peft, WeightedGreedy, WeightedGreedyWspt,
    WeightedGreedyRank, CriticalPath,
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_ties_go_to_the_lowest_candidate(rule: type) -> None:
    assert started(rule()).decide(sight([0, 1, 2, 4], **TABLE)).choice == 1


@pytest.mark.parametrize("rule", RULES)
def test_a_single_candidate_is_taken(rule: type) -> None:
    assert started(rule()).decide(sight([4], **{name: values[:1] for name, values in TABLE.items()})).choice == 0


@pytest.mark.parametrize("rule", RULES)
def test_rules_leave_the_observation_as_it_was(rule: type) -> None:
    seen = sight([0, 1, 2, 4], **TABLE)
    started(rule()).decide(seen)
    for name, values in TABLE.items():
        assert np.array_equal(getattr(seen, name), values)


def test_rules_pickle_with_their_setting() -> None:
    agent = pickle.loads(pickle.dumps(started(CriticalPath(dawdle=0.2))))
    assert agent.dawdle == 0.2
    assert agent.setting.latency_reference_s == SETTING.latency_reference_s
