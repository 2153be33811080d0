"""Checking schedules, and filling gaps."""

from __future__ import annotations

import pytest

from simoffload.agents.static import Instance, Schedule, ScheduleError
from simoffload.agents.static.schedule import Plan

PAIR = Instance(((2, 3), (4, 1)), arcs=((0, 1, 5),))


def test_a_valid_schedule_passes_and_knows_its_makespan() -> None:
    schedule = Schedule(PAIR, (0, 1), (0.0, 7.0), (2.0, 8.0))
    schedule.check()
    assert schedule.makespan == 8.0


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (Schedule(PAIR, (0, 1), (0.0, 6.5), (2.0, 7.5)), "task 1 starts before the data of task 0"),
        (Schedule(PAIR, (0, 0), (0.0, 2.0), (2.0, 5.0)), "task 1 does not last its cost 4"),
        (Schedule(PAIR, (0, 1), (-1.0, 7.0), (1.0, 8.0)), "before time 0"),
        (Schedule(Instance(((3,), (3,))), (0, 0), (0.0, 2.0), (3.0, 5.0)), "tasks 0 and 1 overlap"),
    ],
)
def test_a_broken_rule_is_named(schedule: Schedule, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        schedule.check()


def test_a_task_fills_a_gap_that_is_long_enough_and_no_other() -> None:
    instance = Instance(((2, 9), (9, 10), (3, 99), (3, 99), (1, 99)), arcs=((1, 2, 0),))
    plan = Plan(instance)
    for task, processor in ((0, 0), (1, 1), (2, 0), (3, 0), (4, 0)):
        plan.place(task, processor)
    schedule = plan.schedule()
    schedule.check()
    assert schedule.start == (0.0, 0.0, 10.0, 2.0, 5.0)
