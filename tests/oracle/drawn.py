"""What chance makes of a scenario, drawn anew for the oracle: tasks, rates, paces, faults."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from operator import attrgetter
from typing import Any

import pytest

from simoffload.random_streams import Streams
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.schema.network import ConstantChannel
from simoffload.tasks import Task
from simoffload.world.channel_path import PathChannel
from simoffload.world.channels import make_segments
from simoffload.world.faults import NEVER, make_spells
from simoffload.world.pace import make_pace
from simoffload.world.source import make_sources
from tests.oracle.paths import Segment, interrupted


def tasks_of(scenario: Scenario) -> list[Task]:
    """The tasks that arrive by a scenario's horizon in the order of their arrival, drawn anew."""
    sources = make_sources(scenario, [edge.id for edge in scenario.edges], Streams(scenario.seed))
    tasks = heapq.merge(*(iter(source.next, None) for source in sources), key=attrgetter("arrival_s"))
    until_s = until_of(scenario)
    return list(islice(takewhile(lambda task: task.arrival_s <= until_s, tasks), scenario.horizon.tasks))


def until_of(scenario: Scenario) -> float:
    """When a run ends whatever is in the system; inf where a number of tasks says so."""
    return math.inf if scenario.horizon.time is None else scenario.horizon.time


def checks_of(scenario: Scenario, tasks: Sequence[Task]) -> dict[tuple[int, int], list[float]]:
    """By task and sink, a number between 0 and 1 for each check that may fail, drawn anew."""
    verify = scenario.quality.verify
    if verify is None:
        return {}
    generator = Streams(scenario.seed).generator("tasks", "checks of answers")
    sinks = [(number, sink) for number, task in enumerate(tasks) for sink in task.graph.sinks]
    return {key: [float(generator.random()) for _ in range(verify.limit)] for key in sinks}


def paths_of(world: World) -> dict[int, list[Segment]]:
    """The rates of all links up to the end of a run, drawn anew; 0 in outages."""
    streams, until_s = Streams(world.scenario.seed), world.kernel.now + 1.0
    paths = {}
    for number, link in world.plant.links.items():
        entity = f"link:{link.id}"
        paths[number] = _path(link.spec.channel, streams, entity, until_s)
        if link.spec.outages is not None:
            spells = _spells(link.spec.outages, streams, entity, "outages")
            paths[number] = interrupted(paths[number], spells, until_s)
    return paths


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


def crashes_of(world: World) -> dict[int, Iterator[tuple[float, float]]]:
    """The crashes of the nodes that have any, drawn anew."""
    streams = Streams(world.scenario.seed)
    nodes = [node for node in world.plant.nodes if node.crashes is not None]
    return {node.number: _spells(node.crashes, streams, f"node:{node.id}", "crashes") for node in nodes}


def brownouts_of(world: World) -> dict[int, Iterator[tuple[float, float]]]:
    """The brown-outs of the interfaces that have any, drawn anew."""
    streams = Streams(world.scenario.seed)
    nodes = [node for node in world.plant.nodes if getattr(node.server, "brownouts", None) is not None]
    return {
        node.number: _spells(node.server.brownouts.times, streams, f"node:{node.id}", "brown-outs") for node in nodes
    }


def _spells(faults: Any, streams: Streams, entity: str, purpose: str) -> Iterator[tuple[float, float]]:
    return iter(make_spells(faults, streams, entity, purpose).next, NEVER)


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


def almost(value: Any, *, nan_ok: bool = False) -> Any:
    """Equal to this up to rounding."""
    return pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=nan_ok)
