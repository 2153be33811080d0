"""The world and the oracle, given the same tasks, rates, faults and decisions, agree on all that is lost or served."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracle.comparing import assert_agree, both
from tests.strategies import scenarios

pytestmark = pytest.mark.long


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenarios(horizons=("tasks", "tasks", "time"), with_faults=True))
def test_the_world_agrees_with_the_oracle_when_things_break(data: dict[str, Any]) -> None:
    world, oracle = both(data)
    assert_agree(world, oracle)
