"""CPOP."""

from __future__ import annotations

import math

import pytest

from simoffload.agents.static import Instance, cpop
from simoffload.agents.static.cpop import critical_path, downward_ranks
from tests.agents.static.graphs import TOPCUOGLU


def test_downward_ranks_are_the_published_ones() -> None:
    published = [0.0, 31.0, 25.0, 22.0, 24.0, 27.0, 62.333, 66.667, 63.667, 93.333]
    assert downward_ranks(TOPCUOGLU) == pytest.approx(published, abs=5e-4)


def test_the_critical_path_of_the_published_example_is_tasks_1_2_9_10() -> None:
    assert critical_path(TOPCUOGLU) == (0, 1, 8, 9)


def test_the_makespan_of_the_published_example_is_86_with_the_critical_path_on_the_second_processor() -> None:
    schedule = cpop(TOPCUOGLU)
    schedule.check()
    assert schedule.makespan == 86
    assert {schedule.processor[task] for task in critical_path(TOPCUOGLU)} == {1}


def test_a_critical_task_that_the_paths_processor_cannot_run_goes_elsewhere() -> None:
    instance = Instance(((1, math.inf), (math.inf, 4), (2, math.inf)), arcs=((0, 1, 1), (1, 2, 1)))
    schedule = cpop(instance)
    schedule.check()
    assert schedule.processor == (0, 1, 0)
    assert schedule.makespan == 9
