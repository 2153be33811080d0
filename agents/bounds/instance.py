"""A static instance: the tasks of a scenario laid open, with what each node and each link would take for them.

Nothing is left to chance in it: true lengths, links of a constant rate, nodes that serve one subtask a slot. All times
and costs come from the very functions that the simulator runs by.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

from simoffload.decision.course import Course
from simoffload.decision.tables import Tables
from simoffload.plant import Plant, PlantNode, build_plant
from simoffload.random_streams import Streams
from simoffload.run.references import with_references
from simoffload.schema import Scenario, whole_catalogue
from simoffload.tasks import Task
from simoffload.world.channels import Channel, make_channel
from simoffload.world.job import Job
from simoffload.world.service import alone_s, before_tokens_s, bill
from simoffload.world.source import make_sources

MOST_SUBTASKS = 60
"""More are refused: no solver would come near the optimum."""


class InstanceError(ValueError):
    """A scenario that is no static instance; the message says what of it leaves something open."""


@dataclass(frozen=True, slots=True)
class Option:
    """A node that can run an operation, how long it takes there from start to finish, s, and what it costs, USD."""

    node: int
    service_s: float
    cost_usd: float


@dataclass(frozen=True, slots=True)
class Operation:
    """A subtask of a task; predecessors and successors are numbers of operations."""

    task: int
    subtask: int
    options: tuple[Option, ...]
    predecessors: tuple[int, ...]
    successors: tuple[int, ...]
    payload_bytes: float
    answer_bytes: float


@dataclass(frozen=True, slots=True)
class Leg:
    """A link to be taken: its number, how long it is taken up, and the delay behind it, s."""

    link: int
    carry_s: float
    delay_s: float


@dataclass(frozen=True, slots=True)
class Journey:
    """A way for some bytes from node to node: a first delay, s, then links in turn."""

    first_delay_s: float
    legs: tuple[Leg, ...]

    @property
    def least_s(self) -> float:
        """Time it takes when nothing else is on the links."""
        return self.first_delay_s + sum(leg.carry_s + leg.delay_s for leg in self.legs)


@dataclass(frozen=True, slots=True)
class StaticInstance:
    """A scenario with numbers for its references, and all that happens in it but for the decisions."""

    scenario: Scenario
    plant: Plant
    channels: dict[int, Channel]
    """By number of the link."""
    homes: tuple[int, ...]
    """Home node per task."""
    arrivals_s: tuple[float, ...]
    """Per task, never falling."""
    latency_prices: tuple[float, ...]
    """Per task, what a second of its latency adds to the objective."""
    cost_price: float
    """What a USD adds to the objective."""
    operations: tuple[Operation, ...]
    """Task by task, in the order of their subtasks."""

    def journey(self, source: int, target: int, size_bytes: float) -> Journey:
        """The way of so many bytes from node to node."""
        route = self.plant.route(source, target)
        legs = (Leg(link, self.channels[link].finish(0.0, 8.0 * size_bytes), delay) for link, delay in route.hops)
        return Journey(route.first_delay_s, tuple(legs))


def instances(scenario: Scenario, count: int) -> tuple[Scenario, ...]:
    """`count` scenarios that differ in the seed alone, from the scenario's own on; all share its references."""
    scenario = with_references(scenario)
    return tuple(scenario.model_copy(update={"seed": scenario.seed + number}) for number in range(count))


def static_instance(scenario: Scenario) -> StaticInstance:
    """Lay a scenario open; InstanceError if there is more to it than a static instance can hold."""
    _check(scenario)
    scenario = with_references(scenario)
    plant = build_plant(scenario, whole_catalogue(scenario))
    _check_nodes(plant)
    streams = Streams(scenario.seed)
    channels = {n: make_channel(link.spec.channel, streams, f"link:{link.id}") for n, link in plant.links.items()}
    tables = Tables(plant, {number: channel.mean_bps for number, channel in channels.items()})
    objective = scenario.objective
    assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
    tasks = _tasks(scenario, streams)
    return StaticInstance(
        scenario=scenario,
        plant=plant,
        channels=channels,
        homes=tuple(task.home for task in tasks),
        arrivals_s=tuple(task.arrival_s for task in tasks),
        latency_prices=tuple(task.weight * objective.latency_weight / objective.latency_reference for task in tasks),
        cost_price=(1.0 - objective.latency_weight) / objective.cost_reference,
        operations=tuple(_operations(tasks, tables, plant, scenario.bytes_per_token)),
    )


def _check(scenario: Scenario) -> None:
    if scenario.horizon.tasks is None:
        raise InstanceError(f"scenario '{scenario.name}' ends at a time; a static instance needs horizon.tasks")
    if scenario.warm_up > 0:
        raise InstanceError(f"scenario '{scenario.name}' has a warm-up; in a static instance all tasks count: set it 0")
    timeouts = [each.timeout for each in scenario.workloads]
    timeouts += [each.timeout for each in (*scenario.edges, *scenario.clouds)]
    if any(timeout is not None for timeout in timeouts):
        raise InstanceError(f"scenario '{scenario.name}' has timeouts; in a static instance every attempt succeeds")


def _check_nodes(plant: Plant) -> None:
    for node in plant.nodes:
        if node.server.kind != "slots":
            raise InstanceError(f"node '{node.id}' has a server of kind {node.server.kind}; only slots are static")
        if len(node.resident) < len(node.models):
            raise InstanceError(f"node '{node.id}' cannot hold all its models at once; swapping them is not modelled")
        if node.server.preemption != "none":
            raise InstanceError(f"node '{node.id}' interrupts services; in a static instance what begins ends")
        if node.slowdown is not None:
            raise InstanceError(f"node '{node.id}' slows down at times; a static one keeps its pace")
        if node.crashes is not None:
            raise InstanceError(f"node '{node.id}' crashes at times; a static one is always up")
    for link in plant.links.values():
        if link.spec.channel.kind != "constant":
            kind = link.spec.channel.kind
            raise InstanceError(f"link '{link.id}' has a channel of kind {kind}; only constant ones are static")
        if link.spec.outages is not None:
            raise InstanceError(f"link '{link.id}' has outages; a static one always carries")


def _tasks(scenario: Scenario, streams: Streams) -> list[Task]:
    """The tasks that arrive up to the horizon, in the order in which the world lets them arrive."""
    sources = make_sources(scenario, [edge.id for edge in scenario.edges], streams)
    drawn = heapq.merge(*(iter(source.next, None) for source in sources), key=attrgetter("arrival_s"))
    tasks: list[Task] = []
    subtasks = 0
    for task, _ in zip(drawn, range(scenario.horizon.tasks or 0), strict=False):
        tasks.append(task)
        subtasks += len(task.graph)
        if subtasks > MOST_SUBTASKS:
            raise InstanceError(
                f"scenario '{scenario.name}' has more than {MOST_SUBTASKS} subtasks; set horizon.tasks lower"
            )
    return tasks


def _operations(tasks: Sequence[Task], tables: Tables, plant: Plant, bytes_per_token: float) -> Iterator[Operation]:
    before = 0
    for number, task in enumerate(tasks):
        course = Course(task, tables, bytes_per_token)
        for subtask in range(len(task.graph)):
            nodes = [plant.nodes[node] for node in course.table(subtask).nodes.tolist()]
            yield Operation(
                task=number,
                subtask=subtask,
                options=tuple(_option(course, subtask, node) for node in nodes),
                predecessors=tuple(before + other for other in task.graph.predecessors[subtask]),
                successors=tuple(before + other for other in task.graph.successors[subtask]),
                payload_bytes=task.payload_bytes[subtask],
                answer_bytes=bytes_per_token * task.output[subtask],
            )
        before += len(task.graph)


def _option(course: Course, subtask: int, node: PlantNode) -> Option:
    """What a subtask takes and costs on a node, in truth: a job that is served there at time 0, and its bill."""
    task, graph = course.task, course.task.graph
    stage, modality = graph.stages[subtask], graph.modalities[subtask]
    number = node.model_for[modality]
    model = node.models[number]
    prompt, output = course.prompt(subtask), task.output[subtask]
    before = before_tokens_s(model, node.speed, stage, modality, prompt + output, task.demand_s[subtask])
    first, last = alone_s(model, before, prompt, output)
    job = Job(
        task=task, subtask=subtask, node=node.number, model=number, priority=0.0, prompt=prompt, output=output,
        before_tokens_s=before, first_after_s=first, last_after_s=last, expected_service_s=last, ready_s=0.0,
        start_s=0.0, finish_s=last,
    )  # fmt: skip
    bill(job, node, job.finish_s, job.output)
    return Option(node.number, last, job.cost_usd)
