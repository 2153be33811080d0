"""The threshold router."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import pytest

from simoffload.agents.threshold_router import ThresholdRouter, tuned
from tests.agents.observations import Sight, sight, started

LEVEL = [4.0, 5.0, 4.0, 6.0]
"""Finish times on nodes 0, 1, 4, 5: best edge and best cloud finish together."""


def seen(finish_s: list[float] | None = None, **at: Any) -> Sight:
    return sight([0, 1, 4, 5], at={"task_age_s": 0.0} | at, finish_s=finish_s or LEVEL)


def test_a_subtask_of_even_difficulty_goes_to_the_cloud_while_nothing_is_spent() -> None:
    # utility 1/2 against a threshold of 0.3
    assert started(ThresholdRouter()).decide(seen()).choice == 2


def test_an_easy_subtask_goes_to_the_edge_node_that_finishes_first() -> None:
    # utility 1/(1+e) = 0.269 against a threshold of 0.3
    assert started(ThresholdRouter()).decide(seen(difficulty=-1.0)).choice == 0


def test_time_that_the_cloud_saves_speaks_for_it() -> None:
    # difficulty -1, but the cloud saves one reference latency of 10 s: logit 0, utility 1/2
    assert started(ThresholdRouter()).decide(seen([14.0, 15.0, 5.0, 4.0], difficulty=-1.0)).choice == 3


def test_the_threshold_rises_with_the_age_of_the_task() -> None:
    # 0.3 + 0.5 age/50 passes the utility of 1/2 at an age of 20 s
    assert started(ThresholdRouter()).decide(seen(task_age_s=19.9)).choice == 2
    assert started(ThresholdRouter()).decide(seen(task_age_s=20.1)).choice == 0


def test_the_threshold_rises_with_the_cloud_tokens_the_home_has_spent() -> None:
    # each cloud subtask spends 700 of 1400 tokens: thresholds 0.3, 0.55
    agent = started(ThresholdRouter(token_budget=1400.0))
    assert [agent.decide(seen()).choice for _ in range(3)] == [2, 0, 0]


def test_edge_subtasks_spend_nothing() -> None:
    agent = started(ThresholdRouter(token_budget=1400.0))
    for _ in range(10):
        agent.decide(seen(difficulty=-1.0))
    assert agent.decide(seen()).choice == 2


def test_a_spent_budget_comes_back_with_time() -> None:
    # after 700 of 1400 tokens the threshold is 0.55; it is below 1/2 again once less than 560 are left, after 5 s
    agent = started(ThresholdRouter(token_budget=1400.0, refill_s=50.0))
    agent.decide(seen(now_s=100.0))
    assert agent.decide(seen(now_s=104.9)).choice == 0
    assert agent.decide(seen(now_s=105.1)).choice == 2


def test_each_home_has_a_budget_of_its_own() -> None:
    agent = started(ThresholdRouter(token_budget=1400.0))
    assert [agent.decide(seen(home=home)).choice for home in (0, 0, 1)] == [2, 0, 2]


def test_a_reset_empties_every_bucket() -> None:
    agent = started(ThresholdRouter(token_budget=1400.0))
    agent.decide(seen())
    assert started(agent).decide(seen()).choice == 2


def test_where_one_side_has_no_legal_node_the_other_is_used() -> None:
    agent = started(ThresholdRouter())
    assert agent.decide(sight([4, 5], at={"difficulty": -50.0}, finish_s=[2.0, 1.0])).choice == 1
    assert agent.decide(sight([0, 2], at={"difficulty": 50.0}, finish_s=[2.0, 1.0])).choice == 1


def test_extreme_utilities_saturate_instead_of_overflowing() -> None:
    agent = started(ThresholdRouter())
    assert agent.decide(seen(difficulty=-1e6)).choice == 0
    assert agent.decide(seen(difficulty=1e6)).choice == 2
    assert agent.decide(seen([math.inf, math.inf, math.inf, math.inf])).choice == 0


def test_a_pickled_router_remembers_what_is_spent() -> None:
    agent = started(ThresholdRouter(token_budget=1400.0))
    agent.decide(seen())
    assert pickle.loads(pickle.dumps(agent)).decide(seen()).choice == 0


@pytest.mark.parametrize(("field", "value"), [("base", 0.6), ("token_budget", 1.0)])
def test_parameters_are_fields_of_the_constructor(field: str, value: float) -> None:
    agent = started(ThresholdRouter(**{field: value}))
    assert [agent.decide(seen()).choice for _ in range(2)][1] == 0


def test_the_tuned_router_weighs_the_time_saved_against_a_fixed_threshold() -> None:
    # logit 16 (edge - cloud)/10 s: utility 0.345 where the cloud is 0.4 s later, 0.277 where it is 0.6 s later
    agent = started(tuned())
    assert agent.decide(seen([4.0, 5.0, 4.4, 6.0])).choice == 2
    assert agent.decide(seen([4.0, 5.0, 4.6, 6.0])).choice == 0
    assert [agent.decide(seen([4.0, 5.0, 4.4, 6.0], task_age_s=1e6)).choice for _ in range(50)] == [2] * 50


def test_the_tuned_router_has_the_values_at_the_head_of_the_table_of_the_search() -> None:
    table = (Path(__file__).parents[2] / "studies/grids/threshold-router.md").read_text(encoding="utf-8")
    base, haste, rise, _ = (float(cell) for cell in table.splitlines()[2].strip("| ").split("|"))
    agent = tuned()
    assert (agent.base, agent.haste, agent.token_rise, agent.latency_rise) == (base, haste, rise, rise)
