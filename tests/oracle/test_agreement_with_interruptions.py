"""The world and the oracle agree where a subtask that goes before one in service takes its server."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracle.comparing import assert_agree, both
from tests.oracle.extended import busy, interrupting
from tests.strategies import scenarios

pytestmark = pytest.mark.long

WORLDS = interrupting(scenarios(most_tasks=12, horizons=("tasks", "tasks", "time"), with_faults=True))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(WORLDS)
def test_the_world_agrees_with_the_oracle_when_services_are_interrupted(data: dict[str, Any]) -> None:
    assert_agree(*both(data))


def test_in_a_busy_plant_services_are_interrupted_and_broken_off() -> None:
    """Drawn scenarios may be calm; in this one there is something to agree on."""
    world, oracle = both(busy())
    assert_agree(world, oracle)
    causes = Counter(row["cause"] for row in oracle.lost)
    assert oracle.interruptions > 50
    assert causes["crash"] > 20
