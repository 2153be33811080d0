"""The smart factory as a SimPy program: a process per task, per subtask, per transfer, per source; joins by `AllOf`.

It takes the scenario's numbers from the plant, and its tasks and channel paths from the scenario's own streams. What it
keeps is what a record of the simulator keeps, as tuples in lists that are written when the run is over. It covers what
the scenario has: every model in memory, whole prompts read before any decoding, first in, first out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import simpy

from simoffload.plant import build_plant
from simoffload.quality import chance_of_right
from simoffload.random_streams import Streams
from simoffload.schema import Scenario, whole_catalogue
from simoffload.schema.network import ConstantChannel
from simoffload.tasks import Task
from simoffload.world.channels import make_segments
from simoffload.world.source import TaskSource, make_sources

from .stations import Cloud, Edge, Events, Item, Link, Work
from .writing import LINKS, NODES, SUBTASKS, TASKS, write_rows


class Decider(Protocol):
    """Who says where subtasks go."""

    def begin(self, factory: Factory) -> None:
        """A run begins."""

    def decide(self, work: Work, course: Course) -> None:
        """Set the node of a subtask that is ready now."""

    def notices(self) -> None:
        """Nodes tell about themselves."""


class Course:
    """A task under way: its processes, items and subtasks, by subtask."""

    def __init__(self, task: Task, number: int) -> None:
        count = len(task.graph)
        self.task = task
        self.number = number
        self.processes: list[simpy.Process] = []
        self.works: dict[int, Work] = {}
        self.payloads = [Item(task.home, size, {task.home}) if size > 0 else None for size in task.payload_bytes]
        self.answers: list[Item | None] = [None] * count

    def needs(self, subtask: int) -> list[Item]:
        """The payload and the predecessors' answers."""
        answers = [self.answers[before] for before in self.task.graph.predecessors[subtask]]
        return [item for item in (self.payloads[subtask], *answers) if item is not None]


class Factory:
    """A scenario under way as SimPy processes."""

    def __init__(self, scenario: Scenario, decider: Decider) -> None:
        assert scenario.horizon.tasks is not None
        streams = Streams(scenario.seed)
        self.scenario = scenario
        self.most_tasks = scenario.horizon.tasks
        self.env = env = simpy.Environment()
        self.plant = plant = build_plant(scenario, whole_catalogue(scenario))
        assert all(len(node.models) == len(node.resident) == 1 for node in plant.nodes), "a model is not in memory"
        self.nodes: list[Cloud | Edge] = [
            Cloud(env, node) if node.server.kind == "batching" else Edge(env, node) for node in plant.nodes
        ]
        self.links = {
            number: Link(env, link, _segments(link.spec.channel, streams, f"link:{link.id}"))
            for number, link in plant.links.items()
        }
        self.subtask_rows: list[tuple[Any, ...]] = []
        self.link_rows: list[tuple[Any, ...]] = []
        self.task_rows: list[tuple[Any, ...]] = []
        self.node_rows: list[tuple[Any, ...]] = []
        self._decider = decider
        self._arrived = self._completed = 0
        self._all_done = env.event()
        decider.begin(self)
        for source in make_sources(scenario, [edge.id for edge in scenario.edges], streams):
            env.process(self._arrivals(source))
        env.process(self._telemetry())

    def run(self) -> None:
        """Run until as many tasks as the horizon says have come and gone."""
        self.env.run(self._all_done)

    def write(self, directory: Path) -> None:
        """Leave the rows on disk."""
        write_rows(directory, "subtasks", SUBTASKS, self.subtask_rows)
        write_rows(directory, "tasks", TASKS, self.task_rows)
        write_rows(directory, "links", LINKS, self.link_rows)
        write_rows(directory, "nodes", NODES, self.node_rows)

    def _arrivals(self, source: TaskSource) -> Events:
        env = self.env
        while self._arrived < self.most_tasks and (task := source.next()) is not None:
            yield env.timeout(task.arrival_s - env.now)
            if self._arrived < self.most_tasks:
                env.process(self._task(Course(task, self._arrived)))
                self._arrived += 1

    def _task(self, course: Course) -> Events:
        env, task = self.env, course.task
        course.processes = [env.process(self._subtask(course, subtask)) for subtask in range(len(task.graph))]
        yield env.all_of(course.processes)
        works = course.works.values()
        cost_usd, energy_j = sum(work.cost_usd for work in works), sum(work.energy_j for work in works)
        latency_s = env.now - task.arrival_s
        objective = self.scenario.objective
        assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
        score = objective.latency_weight * task.weight * latency_s / objective.latency_reference
        score += (1.0 - objective.latency_weight) * cost_usd / objective.cost_reference
        is_correct = all(work.is_correct for work in works if not task.graph.successors[work.subtask])
        self.task_rows.append((
            course.number, task.workload, task.home, task.arrival_s, env.now, len(works), latency_s, cost_usd,
            energy_j, task.weight, score, is_correct, latency_s <= task.deadline_s,
        ))  # fmt: skip
        self._completed += 1
        if self._completed == self.most_tasks:
            self._all_done.succeed()

    def _subtask(self, course: Course, subtask: int) -> Events:
        env, task = self.env, course.task
        before = task.graph.predecessors[subtask]
        if before:
            yield env.all_of([course.processes[number] for number in before])
        prompt = task.prompt[subtask] + sum(task.output[number] for number in before)
        work = course.works[subtask] = Work(task, subtask, prompt, env.now)
        self._decider.decide(work, course)
        needs = [item for item in course.needs(subtask) if work.node not in item.holders]
        missing = [self._fetch(item, work.node, course, subtask) for item in needs]
        if missing:
            yield env.all_of(missing)
        work.entered_s = env.now
        yield from self.nodes[work.node].serve(work)
        self._account(course, work)
        answer = Item(work.node, self.scenario.bytes_per_token * work.output, {work.node})
        course.answers[subtask] = answer
        if not task.graph.successors[subtask] and work.node != task.home:
            yield self._fetch(answer, task.home, course, subtask)

    def _fetch(self, item: Item, node: int, course: Course, subtask: int) -> simpy.Process:
        """The transfer that brings an item to a node, which may be under way already."""
        coming = item.coming.get(node)
        if coming is None:
            route = self.plant.route(item.origin, node)
            if route.hops and route.first_delay_s == 0.0:
                self.links[route.hops[0][0]].waiting_bytes += item.size_bytes
            coming = item.coming[node] = self.env.process(self._send(item, node, course.number, subtask))
        return coming

    def _send(self, item: Item, node: int, number: int, subtask: int) -> Events:
        env = self.env
        route = self.plant.route(item.origin, node)
        has_joined = route.first_delay_s == 0.0
        if route.first_delay_s > 0.0:
            yield env.timeout(route.first_delay_s)
        for link_number, delay_s in route.hops:
            link, queued_s = self.links[link_number], env.now
            if not has_joined:
                link.waiting_bytes += item.size_bytes
            has_joined = False
            yield from link.carry(item)
            end_s = env.now
            if delay_s > 0.0:
                yield env.timeout(delay_s)
            self.link_rows.append((number, subtask, link_number, item.size_bytes, queued_s, end_s, env.now))
        item.holders.add(node)

    def _account(self, course: Course, work: Work) -> None:
        """Energy, cost, whether the answer is right, and the row."""
        task, subtask, node = work.task, work.subtask, self.plant.nodes[work.node]
        graph, model = task.graph, node.models[0]
        law, tokens = model.law, work.prompt + work.output
        if node.server.kind == "batching" and law.has_energy:
            work.energy_j = law.energy_j_per_token * tokens + law.energy_j_per_iteration * work.iterations
        else:
            work.energy_j = node.busy_power_w * work.share_s
        if node.is_priced:
            work.cost_usd = work.prompt * node.price_in_usd + work.output * node.price_out_usd
        else:
            work.cost_usd = work.energy_j * node.tariff_usd_per_j + work.share_s * node.amortisation_usd_per_s
        wrong = sum(not course.works[number].is_correct for number in graph.predecessors[subtask])
        stage, modality = graph.stages[subtask], graph.modalities[subtask]
        chance = chance_of_right(self.scenario.quality, model, stage, modality, task.difficulty[subtask], wrong)
        work.is_correct = chance > task.luck[subtask]
        self.subtask_rows.append((
            course.number, subtask, stage, modality, work.node, work.ready_s, work.entered_s, work.start_s,
            work.first_token_s, work.finish_s, work.prompt, work.output, task.expected_output[subtask], work.cost_usd,
            work.energy_j, work.is_correct,
        ))  # fmt: skip

    def _telemetry(self) -> Events:
        env = self.env
        while True:
            yield env.timeout(self.scenario.telemetry_interval)
            self._decider.notices()
            for number, node in enumerate(self.nodes):
                waiting, serving = occupancy(node)
                self.node_rows.append((env.now, number, waiting, serving))


def occupancy(node: Cloud | Edge) -> tuple[int, int]:
    """How many wait and how many are served."""
    if isinstance(node, Cloud):
        return len(node.waiting), len(node.batch) + (node.reading is not None)
    serving = min(len(node.jobs), node.spec.capacity)
    return len(node.jobs) - serving, serving


def _segments(channel: Any, streams: Streams, entity: str) -> Iterator[tuple[float, float]]:
    """Ends and rates of a channel's path."""
    if isinstance(channel, ConstantChannel):
        yield math.inf, channel.rate
        return
    path = make_segments(channel, streams, entity)
    while True:
        yield from zip(*path.next_block(), strict=True)
