"""What holds in every world, whatever is drawn and whoever decides."""

from __future__ import annotations

import math
import os
import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision
from simoffload.run.agents import load_agent
from simoffload.run.simulation import simulate
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.schema.scenario import Records
from simoffload.tasks import Task
from simoffload.world.api import ApiServer
from simoffload.world.batching import BatchingServer
from simoffload.world.item import Item
from simoffload.world.job import Job
from simoffload.world.link import LinkStation
from simoffload.world.occupancy import Occupancy
from simoffload.world.slots import SlotsServer
from tests.strategies import scenarios

from .worlds import fingerprint, run, world_of

pytestmark = pytest.mark.long

NAMES = ("random", "eft", "weighted-greedy-wspt", "heft", "peft", "threshold-router")


class AnyOfThem:
    """Draws the node, and which waiting job goes next."""

    order = "decide"

    def reset(self, setting: Any, generator: Any) -> None:
        self.generator = generator

    def decide(self, observation: Any) -> Decision:
        return Decision(int(self.generator.integers(len(observation.candidates))))


class ByStage:
    """Draws the node; later stages go first, by priority or, if asked, by saying so."""

    def __init__(self, order: str) -> None:
        self.order = order

    def reset(self, setting: Any, generator: Any) -> None:
        self.generator = generator

    def decide(self, observation: Any) -> Decision:
        if observation.kind == "order":
            return Decision(int(observation.stage.argmax()))
        return Decision(int(self.generator.integers(len(observation.candidates))), -float(observation.stage))


def agent_of(name: str) -> Any:
    return AnyOfThem() if name == "any of them" else load_agent(name)


AGENTS = st.sampled_from([*NAMES, "any of them"])
WORLDS = scenarios(horizons=("tasks", "tasks", "time"))
DRAWN = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def assert_station_is_sound(occupancy: Occupancy, line: Any, in_service: Any) -> None:
    """It counts who is there, and adds up the work that waits."""
    assert (occupancy.waiting, occupancy.serving) == (len(line), len(in_service))
    waiting = [job for _, job in line.in_order()]
    assert len(waiting) == len(line)
    assert math.isclose(line.work, math.fsum(job.work for job in waiting), rel_tol=1e-9, abs_tol=1e-6)


def assert_slots_are_sound(server: SlotsServer) -> None:
    """No more subtasks than slots, no more models than fit; nobody waits whom a free slot could serve."""
    node = server.node
    assert len(server.in_service) <= node.server.slots
    resident = server.resident
    assert sum(node.models[model].weights_bytes for model in resident) <= node.memory_bytes
    in_use = {job.model for job in server.in_service}
    assert in_use <= set(resident)
    if len(server.in_service) < node.server.slots:
        room = node.memory_bytes - sum(node.models[model].weights_bytes for model in in_use)
        for _, job in server.line.in_order():
            assert job.model not in resident
            assert node.models[job.model].weights_bytes > room


def assert_batch_is_sound(server: BatchingServer) -> None:
    """No more members than seats, none without KV memory; nobody waits at a server that stands still."""
    members = server.in_service
    assert len(members) <= server.node.server.max_batch
    assert sum(job.reserved_tokens for job in members) <= server.node.kv_tokens
    assert members or not server.line


def assert_api_is_sound(server: ApiServer, now_s: float) -> None:
    """No more requests than streams; who waits does so for a stream or for the next permitted request."""
    streams = server.node.server.streams
    assert streams is None or len(server.in_service) <= streams
    assert not server.line or now_s <= server.next_start_s or len(server.in_service) == streams


def assert_link_is_sound(link: LinkStation, now_s: float) -> None:
    """No more transfers than carriers; nobody waits for an idle one."""
    copies = link.link.spec.copies
    assert len(link.in_transit) <= copies
    assert not link.line or len(link.in_transit) == copies
    sizes = math.fsum(transfer.item.size_bytes for transfer in link.in_transit)
    assert 0 <= link.left_bytes() <= sizes * (1 + 1e-9) + 1e-6


def assert_sound(world: World) -> None:
    """What holds at every instant between events."""
    now = world.kernel.now
    for server in world.servers:
        assert_station_is_sound(server.occupancy, server.line, server.in_service)
        if isinstance(server, SlotsServer):
            assert_slots_are_sound(server)
        elif isinstance(server, BatchingServer):
            assert_batch_is_sound(server)
        else:
            assert isinstance(server, ApiServer)
            assert_api_is_sound(server, now)
    for link in world.links:
        assert_station_is_sound(link.occupancy, link.line, link.in_transit)
        assert_link_is_sound(link, now)
    assert world.dispatcher.arrived == world.dispatcher.completed + len(world.dispatcher.courses)


@settings(DRAWN, max_examples=100)
@given(WORLDS, AGENTS)
def test_no_server_is_over_its_capacity_or_idle_before_a_line_and_time_never_runs_back(
    data: dict[str, Any], agent: str
) -> None:
    world = world_of(data, agent_of(agent))
    until_s = world.scenario.horizon.time or math.inf
    before = 0.0
    while world.kernel.advance(until_s, most=1):
        assert before <= world.kernel.now <= until_s
        before = world.kernel.now
        assert_sound(world)
    assert_sound(run(world))


def needs_of(course: Any, subtask: int) -> list[Item]:
    """Payload and predecessors' answers."""
    before = course.task.graph.predecessors[subtask]
    return [item for item in [course.payloads[subtask], *(course.answers[b] for b in before)] if item is not None]


@settings(DRAWN, max_examples=80)
@given(WORLDS, AGENTS)
def test_precedence_holds_and_nothing_starts_before_its_inputs_are_there(data: dict[str, Any], agent: str) -> None:
    world = run(world_of(data, agent_of(agent)))
    keeper: Any = world.recorder
    arrivals: dict[tuple[Item, int], list[float]] = {}
    for transfer in keeper.transfers:
        delay_s = dict(world.plant.route(transfer.item.origin, transfer.target).hops)[transfer.link]
        assert transfer.queued_s <= transfer.start_s <= transfer.end_s
        assert transfer.delivered_s == transfer.end_s + delay_s
        arrivals.setdefault((transfer.item, transfer.target), []).append(transfer.delivered_s)
    jobs: dict[int, dict[int, Job]] = {}
    for job in keeper.jobs:
        jobs.setdefault(job.task.number, {})[job.subtask] = job
    courses = [course for course, _ in keeper.courses] + list(world.dispatcher.courses.values())
    for course in courses:
        graph = course.task.graph
        served = jobs.get(course.task.number, {})
        under_way = {job.subtask: job for job in course.jobs if job is not None and job.start_s == job.start_s}
        assert not served.keys() & under_way.keys()
        for job in (*served.values(), *under_way.values()):
            assert course.task.arrival_s <= job.ready_s <= job.entered_s <= job.start_s
            for before in graph.predecessors[job.subtask]:
                assert served[before].finish_s <= job.ready_s
            for item in needs_of(course, job.subtask):
                hops = world.plant.route(item.origin, job.node).hops
                there = arrivals.get((item, job.node), [])
                assert job.node in item.holders
                assert len(there) == len(hops), "an item is sent to a node once, over each link of its route"
                assert all(delivered_s <= job.entered_s for delivered_s in there)
    for job in keeper.jobs:
        assert job.start_s <= job.first_token_s <= job.finish_s
    for course, finish_s in keeper.courses:
        assert finish_s >= max(jobs[course.task.number][sink].finish_s for sink in course.task.graph.sinks)


def time_within(spans: list[tuple[float, float]], from_s: float) -> float:
    """Sum of the lengths of the spans from a time on."""
    return math.fsum(max(0.0, end - max(begin, from_s)) for begin, end in spans)


def almost(value: float) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


@settings(DRAWN, max_examples=80)
@given(WORLDS, AGENTS)
def test_work_and_tasks_are_conserved_and_littles_law_holds(data: dict[str, Any], agent: str) -> None:
    world = run(world_of(data, agent_of(agent)))
    keeper: Any = world.recorder
    dispatcher, horizon, now = world.dispatcher, world.scenario.horizon, world.kernel.now
    assert dispatcher.arrived == dispatcher.completed + len(dispatcher.courses)
    assert dispatcher.completed == len(keeper.courses)
    if horizon.tasks is not None:
        assert (dispatcher.arrived, len(dispatcher.courses)) == (horizon.tasks, 0)
    else:
        assert now == horizon.time
    for server in world.servers:
        served = [job for job in keeper.jobs if job.node == server.node.number]
        under_way, waiting = list(server.in_service), [job for _, job in server.line.in_order()]
        waits = [(job.entered_s, job.start_s) for job in (*served, *under_way)]
        waits += [(job.entered_s, now) for job in waiting]
        services = [(job.start_s, job.finish_s) for job in served] + [(job.start_s, now) for job in under_way]
        summary, began_s = server.occupancy.summary(now), server.occupancy.began_s
        assert summary.waiting_mean * summary.duration_s == almost(time_within(waits, began_s))
        assert summary.serving_mean * summary.duration_s == almost(time_within(services, began_s))
        assert summary.little_residual < 1e-9
        if isinstance(server, SlotsServer):
            for job in served:
                served_s, least_s = job.finish_s - job.start_s, job.swap_s + job.last_after_s
                if server.node.slowdown is None:
                    assert served_s == almost(least_s)
                else:
                    most_s = job.swap_s + server.node.slowdown.factor * job.last_after_s
                    assert least_s - 1e-9 <= served_s <= most_s + 1e-9
    for link in world.links:
        assert link.occupancy.summary(now).little_residual < 1e-9


def luck_of(task: Task) -> list[Any]:
    """All that chance decides about a task."""
    return [getattr(task, field.name) for field in fields(task) if field.name != "graph"]


@settings(DRAWN, max_examples=30)
@given(scenarios(), AGENTS, AGENTS)
def test_whoever_decides_meets_the_same_tasks_and_channels(data: dict[str, Any], one: str, other: str) -> None:
    worlds = [run(world_of(data, agent_of(name))) for name in (one, other)]
    first, second = (
        {course.task.number: luck_of(course.task) for course, _ in world.recorder.courses}  # type: ignore[attr-defined]
        for world in worlds
    )
    assert first == second
    later_s = max(world.kernel.now for world in worlds) + 1.0
    rates = [[link.channel.rate_bps(later_s + k) for link in world.links for k in range(5)] for world in worlds]
    assert rates[0] == rates[1]


@settings(DRAWN, max_examples=30)
@given(WORLDS, AGENTS)
def test_a_seed_gives_the_same_run_with_and_without_records(data: dict[str, Any], agent: str) -> None:
    plain = fingerprint(run(world_of(data, agent_of(agent))))
    assert fingerprint(run(world_of(data, agent_of(agent)))) == plain
    scenario = Scenario.model_validate(data)
    if agent in NAMES:
        full = scenario.model_copy(update={"records": Records(level="full")})
        with TemporaryDirectory() as directory:
            assert simulate(full, agent, Path(directory))["fingerprint"] == plain


@settings(DRAWN, max_examples=40)
@given(WORLDS, AGENTS, st.integers(0, 150))
def test_a_world_that_was_pickled_under_way_goes_on_as_if_nothing_had_been(
    data: dict[str, Any], agent: str, events: int
) -> None:
    world = world_of(data, agent_of(agent))
    world.kernel.advance(world.scenario.horizon.time or math.inf, most=events)
    copy = pickle.loads(pickle.dumps(world))
    assert fingerprint(run(copy)) == fingerprint(run(world))
    assert copy.kernel.events == world.kernel.events


@settings(DRAWN, max_examples=40)
@given(scenarios(disciplines=("agent", "fifo")))
def test_asking_who_goes_next_equals_priorities_by_the_same_rule(data: dict[str, Any]) -> None:
    scenario = Scenario.model_validate(data).model_copy(update={"order": "at_service_start"})
    times = []
    for order in ("fifo", "decide"):
        world = run(world_of(scenario, ByStage(order)))
        jobs = world.recorder.jobs  # type: ignore[attr-defined]
        times.append([(job.task.number, job.subtask, job.start_s, job.finish_s) for job in jobs])
    assert times[0] == times[1]


ALONE = """
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
print(simulate(load_scenario("tiny"), "eft")["fingerprint"])
"""


def test_the_order_of_hashes_does_not_matter() -> None:
    seen = set()
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        ended = subprocess.run(
            [sys.executable, "-c", ALONE], env=environment, capture_output=True, text=True, check=True
        )
        seen.add(ended.stdout.strip())
    assert len(seen) == 1
    assert len(seen.pop()) == 32
