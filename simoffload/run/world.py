"""A world: a scenario's nodes, links, channels, sources and agent, put together and ready to run.

The whole world pickles: it is made of events that run bound methods, and holds no generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..decision import Agent, Setting
from ..decision.course import Course
from ..decision.dispatcher import Dispatcher
from ..decision.order import NextInLine
from ..decision.tables import Tables
from ..plant import Plant, PlantNode, build_plant
from ..random_streams import Streams, Uniforms
from ..schema import MODALITIES, Scenario, whole_catalogue
from ..tasks import Task
from ..world.api import ApiServer
from ..world.channels import make_channel
from ..world.faults import Recurring, make_spells
from ..world.kernel import ARRIVAL, WARM_UP, Call, Kernel
from ..world.link import LinkStation
from ..world.occupancy import OccupancySummary
from ..world.pace import make_pace
from ..world.servers import make_line, make_server
from ..world.source import TaskSource, make_sources
from ..world.telemetry import Telemetry
from ..world.transport import Transport
from .recorder import Recorder

DEFAULT_STRETCH_S = 5.0
"""Stretch of node rows where telemetry is always fresh and so has no interval."""


@dataclass(frozen=True, slots=True)
class Window:
    """What stations did over a stretch of time, in the order of the world's nodes and links."""

    begin_s: float
    end_s: float
    nodes: tuple[OccupancySummary, ...]
    swaps: tuple[int, ...]
    """Models that each node loaded."""
    links: tuple[OccupancySummary, ...]
    carried_bytes: tuple[float, ...]
    crashes: tuple[int, ...]
    down_s: tuple[float, ...]
    """Time that each node was down."""


class World:
    """A scenario under way. `scenario` must have numbers for its references."""

    def __init__(self, scenario: Scenario, agent: Agent, recorder: Recorder) -> None:
        streams = Streams(scenario.seed)
        plant = build_plant(scenario, whole_catalogue(scenario))
        self.scenario = scenario
        self.plant = plant
        self.recorder = recorder
        self.subtask_done, self.attempt_lost = recorder.subtask_done, recorder.attempt_lost
        self.kernel = Kernel()
        self.agent = agent
        channels = {
            n: make_channel(link.spec.channel, streams, f"link:{link.id}", link.spec.outages)
            for n, link in plant.links.items()
        }
        tables = Tables(plant, {number: channel.mean_bps for number, channel in channels.items()})
        transport = Transport(self.kernel, plant, recorder.transfer_done)
        setting = _setting(scenario, plant)
        self.dispatcher = Dispatcher(
            self.kernel,
            plant,
            tables,
            transport,
            agent,
            setting,
            scenario.quality,
            scenario.bytes_per_token,
            self,
            scenario.faults,
            _timeouts_s(scenario),
        )
        verify = scenario.quality.verify
        if verify is not None:
            self.dispatcher.check(verify, Uniforms(streams.generator("tasks", "checks of answers")))
        following = NextInLine(self.kernel, plant, agent, setting, self.dispatcher.course_of)
        asks = agent.order == "decide" and scenario.order == "at_service_start"
        self.servers = [
            make_server(
                self.kernel,
                node,
                make_line(node.discipline, following.among_jobs if asks else None),
                self.dispatcher.served if verify is None else self.dispatcher.checked,
                make_pace(node.slowdown, streams, f"node:{node.id}"),
            )
            for node in plant.nodes
        ]
        self.links = [
            LinkStation(
                self.kernel,
                link,
                channels[number],
                make_line(link.spec.discipline, following.among_transfers if asks else None),
                transport.link_rank(number),
                transport.carried,
            )
            for number, link in plant.links.items()
        ]
        transport.connect(self.links)
        self.telemetry = Telemetry(
            self.kernel, self.servers, self.links, scenario.telemetry_interval, self._stretch_over
        )
        places = {station.link.number: place for place, station in enumerate(self.links)}
        self.dispatcher.connect(self.servers, self.telemetry, places)
        self._crashes = {node.number: self._crashing(node, streams) for node in plant.nodes if node.crashes is not None}
        self._brownouts = list(self._browning_out(streams))
        agent.reset(setting, streams.generator("agent", "decisions"))
        self.sources = make_sources(scenario, [edge.id for edge in scenario.edges], streams)
        self._early_swaps = [0] * len(self.servers)
        """Models that each node had loaded by the end of the warm-up."""
        self._most_tasks = math.inf if scenario.horizon.tasks is None else scenario.horizon.tasks
        self.lasting: Callable[[], int] | None = None
        """Asked before the last task arrives how many there shall be instead; at least as many."""
        self._running_sources = len(self.sources)
        self._window: Window | None = None
        """What was measured up to the last arrival; None while there are arrivals to come."""

    def begin(self) -> None:
        """Set the sources, telemetry, faults and the end of the warm-up going."""
        self.telemetry.start(self.scenario.telemetry_interval or DEFAULT_STRETCH_S)
        for place, source in enumerate(self.sources):
            self._next_task(place, source, Call(self._arrive))
        for fault in [*self._crashes.values(), *self._brownouts]:
            fault.start()
        if self.scenario.warm_up > 0:
            self.kernel.at(self.scenario.warm_up, WARM_UP, Call(self._warmed_up))

    def _crashing(self, node: PlantNode, streams: Streams) -> Recurring:
        """The crashes of a node."""
        assert node.crashes is not None
        spells = make_spells(node.crashes, streams, f"node:{node.id}", "crashes")
        return Recurring(self.kernel, spells, self.dispatcher.losses.crash, self.dispatcher.losses.repair, node.number)

    def _browning_out(self, streams: Streams) -> Iterator[Recurring]:
        """The brown-outs of interfaces."""
        for server in self.servers:
            if isinstance(server, ApiServer) and server.brownouts is not None:
                spells = make_spells(server.brownouts.times, streams, f"node:{server.node.id}", "brown-outs")
                yield Recurring(self.kernel, spells, server.brown_out, server.recover)

    @property
    def is_over(self) -> bool:
        """Whether all tasks there will be have come and gone."""
        return not self.dispatcher.courses and (
            self.dispatcher.arrived >= self._most_tasks or self._running_sources == 0
        )

    def held(self) -> int:
        """Subtasks of the tasks in the system, and transfers that wait for links, of dropped tasks too."""
        return self.dispatcher.subtasks + sum(len(link.line) for link in self.links)

    def end_with_next_task(self) -> None:
        """Let the next task to arrive be the last, as if the horizon had said so."""
        self._most_tasks = min(self._most_tasks, self.dispatcher.arrived + 1)

    def _next_task(self, place: int, source: TaskSource, call: Call) -> None:
        """Let the source's next task arrive in its time."""
        task = source.next() if self.dispatcher.arrived < self._most_tasks else None
        if task is None:
            self._source_ended()
            return
        call.item = (place, call, task)
        self.kernel.at(task.arrival_s, ARRIVAL + place, call)

    def _arrive(self, item: tuple[int, Call, Task]) -> None:
        place, call, task = item
        if self.dispatcher.arrived >= self._most_tasks:
            self._source_ended()
            return
        if self.lasting is not None and self.dispatcher.arrived + 1 >= self._most_tasks:
            self._most_tasks = self.lasting()
        self.dispatcher.arrive(task)
        self._next_task(place, self.sources[place], call)
        if self.is_over:
            self.kernel.halt()

    def _source_ended(self) -> None:
        """A source has no more tasks; what stations do after the last arrival is no part of their averages."""
        self._running_sources -= 1
        if self._window is None and (self.dispatcher.arrived >= self._most_tasks or self._running_sources == 0):
            self._window = self._measured()
            self._stretch_over(self.kernel.now)

    def window(self) -> Window:
        """The stations from the end of the warm-up to the last arrival, or to now if there are arrivals to come."""
        return self._window or self._measured()

    def _measured(self) -> Window:
        now = self.kernel.now
        swaps = zip(self.servers, self._early_swaps, strict=True)
        faults = [self._crashes.get(node.number) for node in self.plant.nodes]
        return Window(
            begin_s=self.servers[0].occupancy.began_s,
            end_s=now,
            nodes=tuple(server.occupancy.summary(now) for server in self.servers),
            swaps=tuple(server.swaps - early for server, early in swaps),
            links=tuple(link.occupancy.summary(now) for link in self.links),
            carried_bytes=tuple(link.carried_bytes for link in self.links),
            crashes=tuple(fault.count if fault else 0 for fault in faults),
            down_s=tuple(fault.spent_s(now) if fault else 0.0 for fault in faults),
        )

    def task_done(self, course: Course, now_s: float) -> None:
        """A task is complete; the last one ends the run."""
        self.recorder.task_done(course, now_s)
        if self.is_over:
            self.kernel.halt()

    def task_dropped(self, course: Course, now_s: float) -> None:
        """A task has been given up, which may end the run as well."""
        self.recorder.task_dropped(course, now_s)
        if self.is_over:
            self.kernel.halt()

    def _stretch_over(self, now_s: float) -> None:
        self.recorder.nodes_seen([server.occupancy for server in self.servers], now_s)

    def _warmed_up(self, item: None) -> None:
        """Stations begin to count anew; what is in them stays."""
        now = self.kernel.now
        self._stretch_over(now)
        for occupancy in [each.occupancy for each in self.servers] + [each.occupancy for each in self.links]:
            occupancy.advance(now)
            occupancy.reset(now)
        for link in self.links:
            link.carried_bytes = 0.0
        self._early_swaps = [server.swaps for server in self.servers]
        for fault in self._crashes.values():
            fault.reset(now)
        self.recorder.areas_reset()

    def wind_up(self) -> None:
        """The run is over: record the stretch that is under way and the tasks that are left."""
        self._stretch_over(self.kernel.now)
        self.recorder.left_over(list(self.dispatcher.courses.values()))


def _setting(scenario: Scenario, plant: Plant) -> Setting:
    objective = scenario.objective
    assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
    return Setting(
        node_ids=tuple(node.id for node in plant.nodes),
        edges=plant.edge_count,
        is_cloud=np.array([node.is_cloud for node in plant.nodes]),
        modalities=np.array([[node.model_for[m] >= 0 for m in range(len(MODALITIES))] for node in plant.nodes]),
        latency_weight=objective.latency_weight,
        latency_reference_s=objective.latency_reference,
        cost_reference_usd=objective.cost_reference,
        telemetry_interval_s=scenario.telemetry_interval,
        order=scenario.order,
    )


def _timeouts_s(scenario: Scenario) -> list[list[float]] | None:
    """By workload and node how long an attempt may take; None where all may take for ever."""
    nodes = [math.inf if node.timeout is None else node.timeout for node in (*scenario.edges, *scenario.clouds)]
    works = [math.inf if workload.timeout is None else workload.timeout for workload in scenario.workloads]
    if min(*nodes, *works) == math.inf:
        return None
    return [[min(node, work) for node in nodes] for work in works]
