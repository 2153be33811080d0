"""The world and the oracle agree where the answers of sinks are checked and what fails is done again in the cloud."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.run.world import World
from tests.oracle.comparing import assert_agree, both
from tests.oracle.extended import busy, checking, interrupting
from tests.oracle.verification import OracleWithChecks
from tests.strategies import scenarios

pytestmark = pytest.mark.long

WITH_A_CLOUD = scenarios(most_tasks=12, clouds=(1, 2), horizons=("tasks", "tasks", "time"), with_faults=True)


def assert_checked_alike(world: World, oracle: OracleWithChecks) -> None:
    """The same answers are right, and every attempt after an answer that failed was sent to a cloud."""
    keeper: Any = world.recorder
    for job in keeper.jobs:
        assert job.is_correct == oracle.subtasks[job.task.number, job.subtask]["is_right"]
    rejected_s: dict[tuple[int, int], float] = {}
    for row in oracle.lost:
        if row["cause"] == "rejected":
            rejected_s.setdefault((row["task"], row["subtask"]), row["lost_s"])
    again = [row for row in oracle.lost if row["ready_s"] >= rejected_s.get((row["task"], row["subtask"]), math.inf)]
    again += [oracle.subtasks[key] for key in rejected_s if key in oracle.subtasks]
    assert all(oracle.nodes[row["node"]].is_cloud for row in again)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(checking(st.one_of(WITH_A_CLOUD, interrupting(WITH_A_CLOUD))))
def test_the_world_agrees_with_the_oracle_when_answers_are_checked(data: dict[str, Any]) -> None:
    world, oracle = both(data)
    assert_agree(world, oracle)
    assert_checked_alike(world, oracle)


def test_in_a_busy_plant_answers_fail_and_what_is_done_again_may_crash_or_fail_again() -> None:
    """Drawn scenarios may be calm; in this one there is something to agree on."""
    world, oracle = both(busy())
    assert_agree(world, oracle)
    assert_checked_alike(world, oracle)
    rejected = Counter((row["task"], row["subtask"]) for row in oracle.lost if row["cause"] == "rejected")
    assert len(rejected) > 30
    assert max(rejected.values()) == 2
    assert any((row["task"], row["subtask"]) in rejected for row in oracle.lost if row["cause"] == "crash")
    assert 0 < sum(job.is_correct for job in world.recorder.jobs) < len(world.recorder.jobs)  # type: ignore[attr-defined]
