"""PEFT."""

from __future__ import annotations

import math

import pytest

from simoffload.agents.static import Instance, heft, peft
from simoffload.agents.static.peft import mean_outlooks, optimistic_costs
from tests.agents.static.graphs import ARABNEJAD


def test_the_optimistic_cost_table_of_the_published_example() -> None:
    assert optimistic_costs(ARABNEJAD) == (
        (64, 68, 86), (42, 39, 42), (27, 41, 43), (42, 39, 50), (28, 37, 28),
        (42, 39, 44), (13, 16, 22), (13, 16, 33), (13, 16, 20), (0, 0, 0),
    )  # fmt: skip


def test_the_rank_is_the_mean_of_the_row() -> None:
    ranks = mean_outlooks(ARABNEJAD, optimistic_costs(ARABNEJAD))
    assert ranks == pytest.approx([218 / 3, 41, 37, 131 / 3, 31, 125 / 3, 17, 62 / 3, 49 / 3, 0])


def test_the_makespan_of_the_published_example_is_122() -> None:
    schedule = peft(ARABNEJAD)
    schedule.check()
    assert schedule.makespan == 122


def test_processors_that_cannot_run_a_task_are_left_out_of_its_rank_and_its_predecessors_outlook() -> None:
    # task 1 runs only on processor 1 in 4; from processor 0 its data take 3
    instance = Instance(((1, 2), (math.inf, 4)), arcs=((0, 1, 3),))
    table = optimistic_costs(instance)
    assert table == ((7, 4), (0, 0))
    assert mean_outlooks(instance, table) == (5.5, 0)
    assert peft(instance).processor == (1, 1)


def test_peft_gives_up_an_early_finish_for_what_follows() -> None:
    # task 0 is done at 1 on processor 0, at 2 on processor 1; task 1 takes 9 or 3, moving its data 8
    instance = Instance(((1, 2), (9, 3)), arcs=((0, 1, 8),))
    assert heft(instance).makespan == 10
    assert peft(instance).makespan == 5
