"""What every static scheduler must hold to, on random graphs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from simoffload.agents.static import Instance, Schedule, cpop, heft, peft
from tests.agents.static.graphs import instances, optimum

SCHEDULERS = pytest.mark.parametrize("scheduler", [heft, cpop, peft])
Scheduler = Callable[[Instance], Schedule]


def critical_path_at_best(instance: Instance) -> float:
    """Longest path with every task on its fastest processor and data moved in no time."""
    done = [0.0] * len(instance)
    for task in instance.topological:
        begin = max((done[before] for before, _ in instance.predecessors[task]), default=0.0)
        done[task] = begin + min(instance.cost[task])
    return max(done)


@SCHEDULERS
@given(instance=instances())
def test_schedules_keep_precedence_and_never_overlap(scheduler: Scheduler, instance: Instance) -> None:
    scheduler(instance).check()


@SCHEDULERS
@given(instance=instances())
def test_no_schedule_is_shorter_than_the_critical_path_on_the_fastest_processors(
    scheduler: Scheduler, instance: Instance
) -> None:
    assert scheduler(instance).makespan >= critical_path_at_best(instance) * (1 - 1e-12)


@SCHEDULERS
@given(instance=instances(processors=1))
def test_on_one_processor_the_makespan_is_the_sum_of_the_costs(scheduler: Scheduler, instance: Instance) -> None:
    assert scheduler(instance).makespan == pytest.approx(math.fsum(row[0] for row in instance.cost))


@SCHEDULERS
@given(instance=instances(tasks=4, processors=2))
@settings(max_examples=40)
def test_no_schedule_is_shorter_than_the_optimum_found_by_trying_everything(
    scheduler: Scheduler, instance: Instance
) -> None:
    assert scheduler(instance).makespan >= optimum(instance) * (1 - 1e-12)


@SCHEDULERS
def test_two_tasks_on_two_processors_are_placed_at_the_optimum(scheduler: Scheduler) -> None:
    instance = Instance(((3, 5), (4, 2)))
    assert scheduler(instance).makespan == optimum(instance) == 3


@SCHEDULERS
@given(instance=instances())
def test_the_same_instance_gives_the_same_schedule(scheduler: Scheduler, instance: Instance) -> None:
    assert scheduler(instance) == scheduler(Instance(instance.cost, instance.arcs, instance.bandwidth))
