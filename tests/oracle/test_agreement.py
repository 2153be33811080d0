"""The world and the oracle, given the same tasks, rates and decisions, agree on every instant, cost and energy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from simoffload.run.world import World
from tests.oracle.drawn import almost, paces_of, paths_of, tasks_of
from tests.oracle.world import Oracle
from tests.strategies import scenarios
from tests.world.worlds import Scripted, run, world_of

pytestmark = pytest.mark.long

SUBTASK_NUMBERS = ("entered_s", "start_s", "first_token_s", "finish_s", "swap_s", "cost_usd", "energy_j")


def assert_agree(world: World, oracle: Oracle) -> None:
    keeper: Any = world.recorder
    assert len(keeper.jobs) == len(oracle.subtasks)
    for job in keeper.jobs:
        row = oracle.subtasks[job.task.number, job.subtask]
        seen = [getattr(job, name) for name in SUBTASK_NUMBERS]
        assert seen == almost([row[name] for name in SUBTASK_NUMBERS]), (job.task.number, job.subtask)
    columns = "task", "subtask", "link", "bytes", "queued_s", "start_s", "end_s", "delivered_s"
    expected = sorted(tuple(row[name] for name in columns) for row in oracle.transfers)
    carried = sorted(
        (t.job.task.number, t.job.subtask, t.link, t.item.size_bytes, t.queued_s, t.start_s, t.end_s, t.delivered_s)
        for t in keeper.transfers
    )
    assert carried == [almost(row) for row in expected]
    assert len(keeper.courses) == len(oracle.tasks)
    for course, finish_s in keeper.courses:
        row = oracle.tasks[course.task.number]
        seen = finish_s, finish_s - course.task.arrival_s, course.cost_usd, course.energy_j
        assert seen == almost((row["finish_s"], row["latency_s"], row["cost_usd"], row["energy_j"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenarios(disciplines=("agent", "fifo")))
def test_the_world_agrees_with_the_oracle(data: dict[str, Any]) -> None:
    world = run(world_of(data, Scripted()))
    decisions = world.agent.decisions
    oracle = Oracle(
        world.scenario, tasks_of(world.scenario), lambda *key: decisions[key], paths_of(world), paces=paces_of(world)
    )
    assert_agree(world, oracle.run())
