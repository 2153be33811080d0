"""A world: the same tasks for all policies, an end, a warm-up, and a pickle that goes on bit for bit."""

from __future__ import annotations

import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision.course import Course
from simoffload.record.manifest import PartInfo
from simoffload.run.agents import load_agent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario, load_scenario_text
from simoffload.tasks import Task
from tests.strategies import scenarios

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"


def nothing_kept(parts: tuple[PartInfo, ...]) -> None:
    """There are no part files."""


def begun(scenario: Scenario, agent: str = "weighted-greedy") -> World:
    nodes = len(scenario.edges) + len(scenario.clouds)
    recorder = Recorder(scenario.objective, nodes, scenario.warm_up, None, 0, nothing_kept)
    world = World(scenario, load_agent(agent), recorder)
    world.begin()
    return world


def factory(*overrides: str) -> Scenario:
    return load_scenario("smart-factory", [REFERENCES, "warm_up=0 s", "horizon={tasks: 40}", *overrides])


def ended(world: World) -> str:
    """The fingerprint of a world that is run to its end."""
    world.kernel.advance(world.scenario.horizon.time or math.inf)
    return world.recorder.close()


def tasks_of(world: World) -> list[tuple[Any, ...]]:
    """All that chance decided about the tasks of a world, as they arrive."""
    seen: list[Task] = []
    arrive = world.dispatcher.arrive
    world.dispatcher.arrive = lambda task: (seen.append(task), arrive(task))[1]  # type: ignore[method-assign]
    ended(world)
    return [
        (each.workload, each.home, each.arrival_s, each.graph, each.weight, each.prompt, each.output, each.luck,
         each.expected_output, each.payload_bytes, each.demand_s, each.difficulty, each.api_noise, each.number)
        for each in seen
    ]  # fmt: skip


def test_two_policies_on_one_seed_see_the_same_tasks() -> None:
    found = [tasks_of(begun(factory(), agent)) for agent in ("all-cloud", "random", "heft")]
    assert len(found[0]) == 40
    assert found[0] == found[1] == found[2]


def test_two_policies_on_one_seed_see_the_same_channels() -> None:
    rates = []
    for agent in ("all-edge", "all-cloud"):
        world = begun(factory(), agent)
        ended(world)
        rates.append([station.channel.rate_bps(5000.0) for station in world.links])
    assert rates[0] == rates[1]
    assert len(set(rates[0])) > 2


def test_another_seed_brings_other_tasks() -> None:
    assert tasks_of(begun(factory())) != tasks_of(begun(factory("seed=2")))


def test_another_node_leaves_the_tasks_as_they_are() -> None:
    homes = "workloads.request.homes=[text-1, image-1]"
    assert tasks_of(begun(factory(homes))) == tasks_of(begun(factory(homes, "clouds=[]")))


def test_a_run_ends_with_its_last_task() -> None:
    world = begun(factory())
    completed: list[float] = []
    note = world.recorder.task_done
    world.recorder.task_done = lambda course, now_s: (completed.append(now_s), note(course, now_s))[1]  # type: ignore[method-assign]
    assert not world.is_over
    ended(world)
    assert world.is_over
    assert (world.dispatcher.arrived, world.dispatcher.completed) == (40, 40)
    assert world.kernel.now == completed[-1]


def test_no_task_arrives_beyond_the_number_wanted() -> None:
    for number in (1, 7):
        world = begun(factory(f"horizon={{tasks: {number}}}"))
        ended(world)
        assert world.dispatcher.arrived == number


def test_a_run_ends_where_its_trace_does() -> None:
    replay = ["workloads.request.arrivals.repeat=false", "workloads.request.arrivals.speed=0.2"]
    world = begun(load_scenario("trace-replay", [REFERENCES, "horizon={tasks: 5000}", "warm_up=0 s", *replay]))
    ended(world)
    assert world.is_over
    assert world.dispatcher.arrived == world.dispatcher.completed == 1000


def test_after_the_warm_up_stations_count_anew() -> None:
    world = begun(factory("warm_up=100 s", "horizon={time: 300 s}"), "random")
    world.kernel.advance(99.9)
    before = [server.occupancy.completions for server in world.servers]
    world.kernel.advance(100.0)
    held = [len(server.line) + len(server.in_service) for server in world.servers]
    assert sum(held) > 0
    assert sum(before) > 0
    assert all(server.occupancy.began_s == 100.0 for server in world.servers)
    assert all(station.occupancy.began_s == 100.0 for station in world.links)
    assert sum(server.occupancy.completions for server in world.servers) == 0
    assert sum(station.carried_bytes for station in world.links) == 0.0
    assert [server.occupancy.waiting + server.occupancy.serving for server in world.servers] == held
    world.kernel.advance(300.0)
    for station in (*world.servers, *world.links):
        assert station.occupancy.summary(300.0).little_residual < 1e-9
        assert station.occupancy.summary(300.0).duration_s == 200.0


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    written=scenarios(horizons=("tasks", "time")),
    agent=st.sampled_from(["random", "round-robin", "threshold-router", "weighted-greedy-wspt"]),
    share=st.floats(0, 1),
)
def test_a_pickled_world_goes_on_as_if_nothing_had_been(written: dict[str, Any], agent: str, share: float) -> None:
    scenario = load_scenario_text(json.dumps(written))
    straight = begun(scenario, agent)
    expected = ended(straight)
    stopped = begun(scenario, agent)
    stopped.kernel.advance(scenario.horizon.time or math.inf, int(share * straight.kernel.events))
    revived: World = pickle.loads(pickle.dumps(stopped))
    assert ended(revived) == expected
    assert revived.kernel.events == straight.kernel.events


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(horizons=("time",)), agent=st.sampled_from(["random", "all-edge", "eft", "peft"]))
def test_every_task_that_arrived_is_complete_or_in_the_system(written: dict[str, Any], agent: str) -> None:
    world = begun(load_scenario_text(json.dumps(written)), agent)
    ended(world)
    dispatcher = world.dispatcher
    assert dispatcher.arrived == dispatcher.completed + len(dispatcher.courses)
    assert all(is_under_way(course) for course in dispatcher.courses.values())


def is_under_way(course: Course) -> bool:
    """Whether an answer is missing, and those subtasks have been placed whose predecessors are done, and no others."""
    for job, answer, before in zip(course.jobs, course.answers, course.task.graph.predecessors, strict=True):
        is_ready = all(course.answers[number] is not None for number in before)
        if (job is not None) + (answer is not None) != is_ready:
            return False
    return course.sinks_left > 0


def test_where_news_is_always_fresh_node_rows_still_have_their_stretches() -> None:
    world = begun(factory("telemetry_interval=0 s"))
    stretches: list[float] = []
    world.recorder.nodes_seen = lambda occupancies, now_s: stretches.append(now_s)  # type: ignore[method-assign]
    world.kernel.advance(21.0)
    assert stretches == pytest.approx([5.0, 10.0, 15.0, 20.0])
