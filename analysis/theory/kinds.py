"""The kinds of subtasks that a scenario's workloads are made of, and how long each takes at a node.

A kind is a workload's subtasks of one stage and modality, or one subtask of a graph that is written out. Where only
demands count (no tokens), their laws are those of the scenario; else they are those of tasks that its own sources draw.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from simoffload.plant import HostedModel, PlantNode
from simoffload.random_streams import Streams
from simoffload.run.composition import Composition, Part, composition
from simoffload.schema import Scenario
from simoffload.schema.nodes import ApiServer, BatchingServer
from simoffload.schema.workload import (
    GammaArrivals,
    PeriodicArrivals,
    PoissonArrivals,
    WeibullArrivals,
    Workload,
    Written,
)
from simoffload.tasks import Task
from simoffload.tasks.graph import EXPLAIN
from simoffload.world.source import make_sources

from .alone import alone_s, shared_s
from .demand_laws import law_of
from .service import ServiceLaw, discrete, scaled

Floats = NDArray[np.float64]

DRAWN = 2000
"""Tasks that are drawn of a workload for the laws of its lengths."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Subtasks of a kind as they were drawn, one entry each."""

    prompt: Floats
    """Tokens, those of the predecessors' answers included."""
    output: Floats
    demand_s: Floats
    api_noise: Floats


@dataclass(frozen=True, slots=True)
class Kind:
    """Subtasks of a kind; `demand` is the law of their only demand, else `lengths` are drawn ones."""

    workload: Workload
    composition: Composition
    part: Part
    is_source: bool
    """Whether they come with their task; else they come when others are done."""
    demand: ServiceLaw | None
    lengths: Lengths | None
    name: str = ""
    """Of the subtask, where the kind is one of a graph that is written out."""

    @property
    def key(self) -> str | tuple[int, int]:
        """What tells it from the other kinds of its workload."""
        return self.name or (self.part.stage, self.part.modality)

    @property
    def rate_at_home(self) -> float:
        """Subtasks per second from each home."""
        return self.composition.rate * self.part.count

    @property
    def rate(self) -> float:
        """Subtasks per second."""
        return self.rate_at_home * len(self.composition.homes)

    def model(self, node: PlantNode) -> HostedModel | None:
        """What serves them at a node; None if nothing does."""
        number = node.model_for[self.part.modality if self.part.stage == EXPLAIN else 0]
        return node.models[number] if number >= 0 else None

    def law(self, node: PlantNode) -> ServiceLaw | None:
        """How long one takes that is alone at a node which serves them; None if no time at all."""
        if self.lengths is None:
            return None if self.demand is None else scaled(self.demand, 1 / node.speed)
        times_s = self._alone_s(node, self.lengths)
        if isinstance(node.server, ApiServer):
            times_s = times_s + node.server.overhead_median * np.exp(
                node.server.overhead_sigma * self.lengths.api_noise
            )
        return discrete(times_s) if times_s.any() else None

    def share_of_batch_s(self, node: PlantNode, members: Floats) -> Floats:
        """Seconds of a batch of these many members that one takes, on average.

        As if alone for all but the part of each iteration that the members share.
        """
        model = self.model(node)
        assert model is not None
        if self.lengths is None:
            return np.full(len(members), 0.0 if self.demand is None else self.demand.mean_s / node.speed)
        shared = float(shared_s(model.law, self.lengths.output).mean())
        return float(self._alone_s(node, self.lengths).mean()) - shared + shared / members

    def _alone_s(self, node: PlantNode, lengths: Lengths) -> Floats:
        model = self.model(node)
        assert model is not None
        encoder_s = model.encoder_s[self.part.modality] if self.part.stage == EXPLAIN else 0.0
        return alone_s(model.law, encoder_s, lengths.prompt, lengths.output, lengths.demand_s / node.speed)


def kinds_of(scenario: Scenario) -> list[Kind]:
    """All kinds of which there are any."""
    return [
        kind for number in range(len(scenario.workloads)) for kind in _kinds(scenario, number) if kind.part.count > 0
    ]


def arrival_cv(workload: Workload) -> float:
    """CV of the times between a home's tasks; nan where it is not a number of the scenario (phases, traces)."""
    arrivals = workload.arrivals
    if isinstance(arrivals, PoissonArrivals):
        return 1.0
    if isinstance(arrivals, (GammaArrivals, WeibullArrivals)):
        return arrivals.cv
    if isinstance(arrivals, PeriodicArrivals):
        return math.sqrt(2 / 3) * arrivals.jitter / arrivals.period
    return math.nan


def slots_of(node: PlantNode) -> int:
    """Subtasks that a node serves at once, each as if alone; 0: no limit."""
    return 1 if isinstance(node.server, BatchingServer) else node.capacity


def _kinds(scenario: Scenario, number: int) -> Iterator[Kind]:
    workload, found = scenario.workloads[number], composition(scenario, number)
    template = workload.template
    if isinstance(template, Written) and all(part.prompt == part.output == 0 for part in found.parts):
        stages = (workload.stages.explain, workload.stages.analyze, workload.stages.generate)
        for subtask, part in zip(template.subtasks, found.parts, strict=True):
            law = law_of(subtask.demand or stages[part.stage].demand)
            yield Kind(workload, found, part, not subtask.after, law, None, subtask.id)
        return
    drawn = _drawn(scenario, workload)
    for part in found.parts:
        lengths = drawn.get((part.stage, part.modality))
        if lengths is not None:
            yield Kind(workload, found, part, part.stage == EXPLAIN, None, lengths)


def drawn_tasks(scenario: Scenario, workload: Workload) -> Iterator[Task]:
    """About `DRAWN` tasks of a workload, as its own sources draw them at all homes."""
    alone = scenario.model_copy(update={"workloads": [workload]})
    sources = make_sources(alone, [edge.id for edge in scenario.edges], Streams(scenario.seed))
    for source in sources:
        yield from islice(iter(source.next, None), math.ceil(DRAWN / len(sources)))


def _drawn(scenario: Scenario, workload: Workload) -> dict[tuple[int, int], Lengths]:
    rows: dict[tuple[int, int], list[tuple[float, ...]]] = {}
    for task in drawn_tasks(scenario, workload):
        graph = task.graph
        for i, kind in enumerate(zip(graph.stages, graph.modalities, strict=True)):
            heard = sum(task.output[p] for p in graph.predecessors[i])
            row = (task.prompt[i] + heard, task.output[i], task.demand_s[i], task.api_noise[i])
            rows.setdefault(kind, []).append(row)
    return {kind: Lengths(*np.array(found, dtype=np.float64).T) for kind, found in rows.items()}
