"""The world and the oracle, given the same tasks, rates and decisions, agree on every instant, cost and energy."""

from __future__ import annotations

import heapq
import math
from itertools import islice
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from simoffload.random_streams import Streams
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.schema.network import ConstantChannel
from simoffload.tasks import Task
from simoffload.world.channel_path import PathChannel
from simoffload.world.channels import make_segments
from simoffload.world.pace import make_pace
from simoffload.world.source import make_sources
from tests.oracle.paths import Segment
from tests.oracle.world import Oracle
from tests.strategies import scenarios
from tests.world.worlds import Scripted, run, world_of

pytestmark = pytest.mark.long

SUBTASK_NUMBERS = ("entered_s", "start_s", "first_token_s", "finish_s", "swap_s", "cost_usd", "energy_j")


def tasks_of(scenario: Scenario) -> list[Task]:
    """The tasks of a scenario in the order of their arrival, drawn anew."""
    sources = make_sources(scenario, [edge.id for edge in scenario.edges], Streams(scenario.seed))
    tasks = heapq.merge(*(iter(source.next, None) for source in sources), key=attrgetter("arrival_s"))
    return list(islice(tasks, scenario.horizon.tasks))


def paths_of(world: World) -> dict[int, list[Segment]]:
    """The rates of all links up to the end of a run, drawn anew."""
    streams = Streams(world.scenario.seed)
    return {
        number: _path(link.spec.channel, streams, f"link:{link.id}", world.kernel.now + 1.0)
        for number, link in world.plant.links.items()
    }


def _path(channel: Any, streams: Streams, entity: str, until_s: float) -> list[Segment]:
    if isinstance(channel, ConstantChannel):
        return [(math.inf, channel.rate)]
    segments = make_segments(channel, streams, entity)
    path: list[Segment] = []
    begin = 0.0
    while begin < until_s:
        for end, rate in zip(*segments.next_block(), strict=True):
            path.append((end - begin, rate))
            begin = end
    return path


def paces_of(world: World) -> dict[int, list[Segment]]:
    """The paces of the nodes that slow down, drawn anew, for longer than any work under way can take."""
    streams = Streams(world.scenario.seed)
    paces = {node.number: make_pace(node.slowdown, streams, f"node:{node.id}") for node in world.plant.nodes}
    until_s = 10.0 * world.kernel.now + 1000.0
    return {number: _steps(pace._path, until_s) for number, pace in paces.items() if pace is not None}


def _steps(path: PathChannel, until_s: float) -> list[Segment]:
    while path._breaks[-1] < until_s:
        path._draw()
    return [(end - begin, rate) for begin, end, rate in zip(path._breaks, path._breaks[1:], path._rates, strict=False)]


def almost(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def assert_agree(world: World, oracle: Oracle) -> None:
    keeper: Any = world.recorder
    assert len(keeper.jobs) == len(oracle.subtasks)
    for job in keeper.jobs:
        row = oracle.subtasks[job.task.number, job.subtask]
        seen = [getattr(job, name) for name in SUBTASK_NUMBERS]
        assert seen == almost([row[name] for name in SUBTASK_NUMBERS]), (job.task.number, job.subtask)
    columns = "task", "subtask", "link", "bytes", "queued_s", "start_s", "end_s", "delivered_s"
    expected = sorted(tuple(row[name] for name in columns) for row in oracle.transfers)
    carried = sorted(
        (t.job.task.number, t.job.subtask, t.link, t.item.size_bytes, t.queued_s, t.start_s, t.end_s, t.delivered_s)
        for t in keeper.transfers
    )
    assert carried == [almost(row) for row in expected]
    assert len(keeper.courses) == len(oracle.tasks)
    for course, finish_s in keeper.courses:
        row = oracle.tasks[course.task.number]
        seen = finish_s, finish_s - course.task.arrival_s, course.cost_usd, course.energy_j
        assert seen == almost((row["finish_s"], row["latency_s"], row["cost_usd"], row["energy_j"]))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(scenarios(disciplines=("agent", "fifo")))
def test_the_world_agrees_with_the_oracle(data: dict[str, Any]) -> None:
    world = run(world_of(data, Scripted()))
    decisions = world.agent.decisions
    oracle = Oracle(
        world.scenario, tasks_of(world.scenario), lambda *key: decisions[key], paths_of(world), paces=paces_of(world)
    )
    assert_agree(world, oracle.run())
