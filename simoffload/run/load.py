"""Offered load: how busy a scenario would keep its parts, from mean values alone, before anything is simulated.

Mean work per second over capacity, for the plainest ways to place work and for the best one:

- ``explain <modality> on edge nodes``: first stages of that modality, split best over the edge nodes that read it;
- ``everything on edge nodes`` and ``everything in the cloud``: all subtasks there, split best;
- ``<node>/uplink with all payloads``: every payload of a home sent up, over the mean rate of its link;
- ``everything, split best``: all subtasks, split best over all nodes;
- ``lower bound for any policy``: if it is 1 or more, queues grow without end whatever one does.

Ways that are not possible at all are left out. Work is counted by class (workload, stage, modality): tasks per second
times subtasks per task times the time that one takes of a node, at mean lengths and the node's mean pace. Swapping
models and moving answers are not counted. A policy that sorts the subtasks of a class by length can do a little better
than the best split by class. The lower bound allows for it: there, what a subtask takes for being there, for reading,
for writing, for holding memory and for its context may each be put on another node, and the sum of least values is
never above the least sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..plant import UPLINK, HostedModel, Plant, PlantNode, build_plant
from ..schema import MODALITIES, Scenario, whole_catalogue
from ..schema.nodes import ApiServer, BatchingServer
from ..world.faults import availability
from ..world.pace import mean_pace
from .composition import Composition, Part, composition
from .split import Matrix, least_load

_COMPONENTS = 5
"""Of a subtask's service: fixed, and in proportion to tokens read, written, memory held, and context read again."""


@dataclass(frozen=True, slots=True)
class OfferedLoad:
    """Mean work per second that would be offered to a resource, over its capacity."""

    resource: str
    load: float

    @property
    def unstable(self) -> bool:
        """Whether a queue would grow without end."""
        return self.load >= 1


@dataclass(frozen=True, slots=True)
class _Class:
    """Subtasks of a kind: how many there are a second, what each needs, the tokens of answer a batch reserves."""

    rate: float
    part: Part
    max_output: int


def offered_load(scenario: Scenario) -> tuple[OfferedLoad, ...]:
    """The offered load of each resource, the bound for all of them together last; see the module."""
    plant = build_plant(scenario, whole_catalogue(scenario))
    workloads = [composition(scenario, number) for number in range(len(scenario.workloads))]
    classes = [
        _Class(workload.rate * len(workload.homes) * part.count, part, workload.max_output)
        for workload in workloads
        for part in workload.parts
        if part.count > 0
    ]
    return tuple(_loads(scenario, plant, workloads, classes))


def _loads(
    scenario: Scenario, plant: Plant, workloads: Sequence[Composition], classes: Sequence[_Class]
) -> Iterator[OfferedLoad]:
    components = np.stack([_work(node, classes) for node in plant.nodes], axis=2)
    work = components.sum(axis=1)
    edges, clouds = work[:, : plant.edge_count], work[:, plant.edge_count :]
    for number, modality in enumerate(MODALITIES):
        first = [k for k, each in enumerate(classes) if each.part.stage == 0 and each.part.modality == number]
        if first:
            yield from _possible(f"explain {modality} on edge nodes", edges[first])
    yield from _possible("everything on edge nodes", edges)
    yield from _possible("everything in the cloud", clouds)
    if plant.edge_count < len(plant.nodes):
        yield from _uplinks(scenario, plant, workloads)
    yield from _possible("everything, split best", work)
    yield from _possible("lower bound for any policy", components.reshape(-1, len(plant.nodes)))


def _possible(resource: str, work: Matrix) -> Iterator[OfferedLoad]:
    load = least_load(work)
    if math.isfinite(load):
        yield OfferedLoad(resource, load)


def _uplinks(scenario: Scenario, plant: Plant, workloads: Sequence[Composition]) -> Iterator[OfferedLoad]:
    from ..random_streams import Streams
    from ..world.channels import make_channel

    sent = np.zeros(plant.edge_count)
    for workload in workloads:
        per_task = math.fsum(part.count * part.payload_bytes for part in workload.parts)
        sent[list(workload.homes)] += workload.rate * per_task
    for home, bytes_per_s in enumerate(sent.tolist()):
        link = plant.links.get(3 * home + UPLINK)
        if link is not None and bytes_per_s > 0:
            channel = make_channel(link.spec.channel, Streams(scenario.seed), link.id, link.spec.outages)
            load = 8 * bytes_per_s / (link.spec.copies * channel.mean_bps)
            yield OfferedLoad(f"{link.id} with all payloads", load)


def _work(node: PlantNode, classes: Sequence[_Class]) -> Matrix:
    """Share of the node's time that each component of each class would take [class, component]; inf if it cannot."""
    work = np.full((len(classes), _COMPONENTS), np.inf)
    models = [node.model_for[each.part.modality if each.part.stage == 0 else 0] for each in classes]
    able = [k for k, model in enumerate(models) if model >= 0]
    if able:
        rates = np.array([[classes[k].rate] for k in able])
        seconds = _seconds(node, [(classes[k], node.models[models[k]]) for k in able])
        work[able] = rates * seconds / (mean_pace(node.slowdown) * availability(node.crashes))
    return work


def _seconds(node: PlantNode, able: Sequence[tuple[_Class, HostedModel]]) -> Matrix:
    """Seconds of a node that is never idle which a subtask of each class takes, by component."""
    alone = np.array([_alone(node, each, model) for each, model in able])
    if isinstance(node.server, BatchingServer):
        return _batching_seconds(node, node.server, able, alone)
    if not isinstance(node.server, ApiServer):
        return alone / node.server.slots
    by_streams, by_requests = np.zeros_like(alone), np.zeros_like(alone)
    if node.server.streams:
        overhead = node.server.overhead_median * math.exp(node.server.overhead_sigma**2 / 2)
        by_streams = alone / node.server.streams
        by_streams[:, 0] += overhead / node.server.streams
    if node.server.request_rate:
        by_requests[:, 0] = 1 / node.server.request_rate
    return _tightest(able, by_streams, by_requests)


def _alone(node: PlantNode, each: _Class, model: HostedModel) -> list[float]:
    """Time of a subtask that is alone on a node, by component; without tokens it is its demand."""
    part, law, demand = each.part, model.law, each.part.demand_s / node.speed
    if part.prompt == 0 and part.output == 0:
        return [demand, 0.0, 0.0, 0.0, 0.0]
    encoder = model.encoder_s[part.modality] if part.stage == 0 else 0.0
    steps = max(part.output - 1, 0.0)
    context = steps * (part.prompt + 1) + steps * max(steps - 1, 0.0) / 2
    return [
        demand + encoder + law.prefill_overhead_s,
        part.prompt * law.prefill_s_per_token,
        steps * (law.decode_s + law.decode_s_per_sequence),
        0.0,
        context * law.decode_s_per_context_token,
    ]


def _batching_seconds(
    node: PlantNode, server: BatchingServer, able: Sequence[tuple[_Class, HostedModel]], alone: Matrix
) -> Matrix:
    """Times with a batch that is always as large as can be.

    An iteration costs decode_s, which its members share, and more for each member. What bounds the batch is its seats,
    or the KV memory, or, with chunked prefill, that prompts are read one after the other: of that bound each member
    takes its share. The scarcest for all classes together counts; each of them holds for any mix of work.
    """
    by_seats, by_memory, by_prompts = alone.copy(), alone.copy(), alone.copy()
    for k, (each, model) in enumerate(able):
        part, decode = each.part, model.law.decode_s
        steps = max(part.output - 1, 0.0)
        chunks = max(part.prompt / server.chunk, 1.0) if server.chunk and part.prompt + part.output > 0 else 0.0
        by_seats[k, 1] += chunks * decode / server.max_batch
        by_seats[k, 2] -= steps * decode * (1 - 1 / server.max_batch)
        by_memory[k, 2] -= steps * decode
        by_memory[k, 3] += (steps + chunks) * decode * (part.prompt + each.max_output) / node.kv_tokens
        by_prompts[k, 1] += chunks * decode
        by_prompts[k, 2] -= steps * decode
    return _tightest(able, by_seats, by_memory, by_prompts)


def _tightest(able: Sequence[tuple[_Class, HostedModel]], *bounds: Matrix) -> Matrix:
    """The bound under which the node would be busiest with all that it can run."""
    rates = np.array([[each.rate] for each, _ in able])
    return max(bounds, key=lambda seconds: float((rates * seconds).sum()))
