"""Tasks, courses, jobs and items come back from a checkpoint's pickle as they were."""

from __future__ import annotations

import copyreg
import io
import math
import pickle
from dataclasses import fields
from typing import Any

import pytest

from simoffload.decision.course import Course
from simoffload.run.agents import load_agent
from simoffload.run.recorder import statistics_of
from simoffload.run.reduction import REDUCERS
from simoffload.run.world import World
from simoffload.schema import load_scenario
from simoffload.tasks import Task
from simoffload.world.item import Item
from simoffload.world.job import Job

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"


def through_a_pickle(thing: Any) -> Any:
    sink = io.BytesIO()
    pickler = pickle.Pickler(sink, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = {**copyreg.dispatch_table, **REDUCERS}  # type: ignore[misc]
    pickler.dump(thing)
    return pickle.loads(sink.getvalue())


@pytest.fixture(scope="module")
def world() -> World:
    """A crowded plant, with agents that ask much and items on their way."""
    scenario = load_scenario("smart-factory", [REFERENCES, "workloads.request.arrivals.rate=0.2 /s"])
    world = World(scenario, load_agent("critical-path"), statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf, 4000)
    return world


def same(one: Any, other: Any) -> bool:
    """Equal and of the same type; nan is nan."""
    return type(one) is type(other) and (one == other or (one != one and other != other))


def assert_same_data(one: Any, other: Any, but: tuple[str, ...] = ()) -> None:
    for name in (field.name for field in fields(one) if field.name not in but):
        here, there = getattr(one, name), getattr(other, name)
        if isinstance(here, list):
            assert len(here) == len(there) and all(map(same, here, there)), name
        else:
            assert same(here, there), name


def test_a_task_comes_back_with_all_its_lists_and_the_same_graph(world: World) -> None:
    tasks = [course.task for course in world.dispatcher.courses.values()]
    assert len({len(task.graph) for task in tasks}) > 1
    for task, again in zip(tasks, through_a_pickle(tasks), strict=True):
        assert again.graph is task.graph
        assert_same_data(task, again)


def test_lists_of_a_task_are_all_as_long_as_its_graph(world: World) -> None:
    task = next(iter(world.dispatcher.courses.values())).task
    lists = [field.name for field in fields(Task) if isinstance(getattr(task, field.name), list)]
    assert {len(getattr(task, name)) for name in lists} == {len(task.graph)}
    assert len(lists) == 9


def test_a_job_comes_back_and_so_does_the_task_that_it_shares_with_others(world: World) -> None:
    jobs = [job for course in world.dispatcher.courses.values() for job in course.under_way()]
    again: list[Job] = through_a_pickle(jobs)
    for one, other in zip(jobs, again, strict=True):
        assert_same_data(one, other, but=("task",))
    assert len({id(job.task) for job in again}) == len({id(job.task) for job in jobs}) < len(jobs)


def attributes(course: Course) -> dict[str, Any]:
    """What is kept of a course, its objects aside."""
    kept = {"missing", "right", "losses", "sinks_left", "cost_usd", "energy_j", "_bytes_per_token"}
    return {name: value for name, value in vars(course).items() if name in kept}


def test_a_course_comes_back_without_what_can_be_worked_out_again(world: World) -> None:
    courses = list(world.dispatcher.courses.values())
    for course, again in zip(courses, through_a_pickle(courses), strict=True):
        assert attributes(again) == attributes(course)
        assert [each is None for each in again.jobs] == [each is None for each in course.jobs]
        assert [each and each.holders for each in again.answers] == [each and each.holders for each in course.answers]
        assert "ranks_s" in vars(course) and "ranks_s" not in vars(again)
        assert again.ranks_s == course.ranks_s
        assert again.expected_end_s == course.expected_end_s
    assert any(any(right is not None for right in course.right) for course in courses)


def test_an_expected_end_that_a_decision_has_set_is_kept(world: World) -> None:
    course = next(iter(world.dispatcher.courses.values()))
    worked_out = course.expected_end_s
    course.foresee(worked_out + 7.0)
    try:
        assert through_a_pickle(course).expected_end_s == worked_out + 7.0
    finally:
        course.foresee(worked_out)


def test_a_course_that_waits_for_its_own_answer_comes_back_as_one() -> None:
    world = World(scenario := load_scenario("smart-factory", [REFERENCES]), load_agent("eft"), statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf, 500)
    course = next(iter(world.dispatcher.courses.values()))
    answer = course.answers[0] = Item(3, 100.0)
    answer.coming[1] = [(max, course)]
    again = through_a_pickle(course)
    assert again.answers[0].coming == {1: [(max, again)]}
    assert again.answers[0].size_bytes == 100.0


def test_an_item_at_rest_comes_back_with_those_who_hold_it() -> None:
    item = Item(3, 1.5)
    item.holders |= {0, 7}
    again = through_a_pickle([item, item])
    assert again[0] is again[1]
    assert (again[0].origin, again[0].size_bytes, again[0].holders, again[0].coming) == (3, 1.5, {0, 3, 7}, {})
