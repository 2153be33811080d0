"""HEFT."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.static import Instance, heft
from simoffload.agents.static.heft import upward_ranks
from tests.agents.static.graphs import ARABNEJAD, COSTS, TOPCUOGLU


def test_upward_ranks_are_the_published_ones() -> None:
    published = [108.000, 77.000, 80.000, 80.000, 69.000, 63.333, 42.667, 35.667, 44.333, 14.667]
    assert upward_ranks(TOPCUOGLU) == pytest.approx(published, abs=5e-4)


def test_the_makespan_of_the_published_example_is_80() -> None:
    schedule = heft(TOPCUOGLU)
    schedule.check()
    assert schedule.makespan == 80


def test_the_makespan_that_arabnejad_and_barbosa_report_for_heft_is_133() -> None:
    schedule = heft(ARABNEJAD)
    schedule.check()
    assert schedule.makespan == 133


@given(st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3).map(tuple), min_size=1, max_size=8))
def test_a_chain_without_communication_runs_each_task_where_it_is_fastest(costs: list[tuple[int, ...]]) -> None:
    chain = Instance(tuple(costs), tuple((i, i + 1, 0.0) for i in range(len(costs) - 1)))
    schedule = heft(chain)
    assert schedule.makespan == sum(min(row) for row in costs)
    assert schedule.processor == tuple(row.index(min(row)) for row in costs)


@given(st.lists(st.lists(COSTS, min_size=1, max_size=1).map(tuple), min_size=1, max_size=8))
def test_the_rank_of_a_chain_is_what_is_left_of_it(costs: list[tuple[float, ...]]) -> None:
    chain = Instance(tuple(costs), tuple((i, i + 1, 7.0) for i in range(len(costs) - 1)))
    left = [math.fsum(row[0] for row in costs[i:]) for i in range(len(costs))]
    assert upward_ranks(chain) == pytest.approx(left)
