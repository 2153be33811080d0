"""Templates: the families of graphs that the tasks of a workload are drawn from.

A sampler draws a graph for each task from a stream of uniforms that serves nothing else. Which modalities a task has,
and how many subtasks of a kind, takes one uniform each; so does each further choice. Structures come up again and
again, and are built once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import Protocol

from ..random_streams import Alternatives, Uniforms
from ..schema.base import MODALITIES, STAGES, Modality
from ..schema.workload import (
    Count,
    ExplainAnalyzeGenerate,
    Imported,
    Layered,
    ModalitySpec,
    PerceptionReasoningDecision,
    PlanExecuteAggregate,
    Template,
    Written,
)
from .graph import ANALYZE, EXPLAIN, GENERATE, TEXT, GraphError, TaskGraph, build_graph, stages_by_place
from .imports import import_graph
from .layered import LayeredGraphs

Modalities = Mapping[Modality, ModalitySpec]
Numbers = tuple[int, ...]

_KEPT = 8192
"""Structures of a template that are kept for reuse."""


class GraphSampler(Protocol):
    """Draws the graphs of a workload's tasks."""

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """The next task's graph."""

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Mean number of subtasks in a task, by stage and modality."""


def make_graph_sampler(template: Template, modalities: Modalities) -> GraphSampler:
    """The sampler of a template; GraphError where a graph that is written out or imported is none."""
    if isinstance(template, ExplainAnalyzeGenerate):
        return _ExplainAnalyzeGenerate(template, modalities)
    if isinstance(template, PerceptionReasoningDecision):
        return _PerceptionReasoningDecision(template, modalities)
    if isinstance(template, PlanExecuteAggregate):
        return _PlanExecuteAggregate(template, modalities)
    if isinstance(template, Layered):
        return LayeredGraphs(template, counts(template.subtasks), single_modalities(modalities))
    if isinstance(template, Written):
        return Fixed(written_graph(template))
    assert isinstance(template, Imported)
    return Fixed(import_graph(template.file, template.format).graph)


def mean_counts(template: Template, modalities: Modalities) -> dict[tuple[int, int], float]:
    """Mean number of subtasks in a task, by stage and modality: exact, but for layered graphs averaged over draws."""
    return make_graph_sampler(template, modalities).mean_counts()


class Fixed:
    """One graph for every task."""

    __slots__ = ("graph",)

    def __init__(self, graph: TaskGraph) -> None:
        self.graph = graph

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """The graph; takes no uniform."""
        return self.graph

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """The subtasks of the graph, counted."""
        kinds = sorted(zip(self.graph.stages, self.graph.modalities, strict=True))
        return {kind: float(kinds.count(kind)) for kind in kinds}


class _ExplainAnalyzeGenerate:
    """Explains without predecessors, Analyzes that read all or some of them, a Generate that reads all Analyzes."""

    __slots__ = ("_analyzes", "_explained", "_is_subset", "_most")

    def __init__(self, template: ExplainAnalyzeGenerate, modalities: Modalities) -> None:
        single = template.explain == "single"
        self._explained = single_modalities(modalities) if single else modality_sets(modalities)
        self._analyzes = counts(template.analyze)
        self._is_subset = template.join == "subset"
        self._most = template.analyze.max + len(MODALITIES)

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """Takes two uniforms, and for subsets one more for each Analyze and each modality there may be."""
        explained = self._explained.pick(uniforms.next())
        analyzes = self._analyzes.pick(uniforms.next())
        if self._is_subset:
            joins = _subsets(len(explained), analyzes, uniforms.take(self._most))
        else:
            joins = (tuple(range(len(explained))),) * analyzes
        return _explain_analyze_generate(explained, joins)

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Closed form."""
        return _first_counts(self._explained) | {(ANALYZE, TEXT): _mean(self._analyzes), (GENERATE, TEXT): 1.0}


class _PerceptionReasoningDecision:
    """Perceptions without predecessors, a chain of reasoning whose first step reads them all, a decision."""

    __slots__ = ("_perceived", "_steps")

    def __init__(self, template: PerceptionReasoningDecision, modalities: Modalities) -> None:
        self._perceived = modality_sets(modalities)
        self._steps = counts(template.reasoning)

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """Takes two uniforms."""
        perceived = self._perceived.pick(uniforms.next())
        return _perception_reasoning_decision(perceived, self._steps.pick(uniforms.next()))

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Closed form."""
        return _first_counts(self._perceived) | {(ANALYZE, TEXT): _mean(self._steps), (GENERATE, TEXT): 1.0}


class _PlanExecuteAggregate:
    """A plan of one modality, executions that read it, an aggregate that reads them all."""

    __slots__ = ("_executions", "_planned")

    def __init__(self, template: PlanExecuteAggregate, modalities: Modalities) -> None:
        self._planned = single_modalities(modalities)
        self._executions = counts(template.execute)

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """Takes two uniforms."""
        planned = self._planned.pick(uniforms.next())
        return _plan_execute_aggregate(planned[0], self._executions.pick(uniforms.next()))

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Closed form."""
        return _first_counts(self._planned) | {(ANALYZE, TEXT): _mean(self._executions), (GENERATE, TEXT): 1.0}


def modality_sets(modalities: Modalities) -> Alternatives[Numbers]:
    """The sets of modalities that a task may have: each with its own share, given that there is one at least."""
    present = {MODALITIES.index(modality): spec.share for modality, spec in modalities.items() if spec.share > 0}
    numbers = sorted(present)
    sets = [each for size in range(1, len(numbers) + 1) for each in combinations(numbers, size)]
    weights = [math.prod(present[n] if n in each else 1 - present[n] for n in numbers) for each in sets]
    return Alternatives(sets, weights)


def single_modalities(modalities: Modalities) -> Alternatives[Numbers]:
    """The modality of a task that has one only, in proportion to the shares; as sets of one."""
    shares = {MODALITIES.index(modality): spec.share for modality, spec in modalities.items()}
    numbers = sorted(shares)
    return Alternatives([(number,) for number in numbers], [shares[number] for number in numbers])


def counts(count: Count) -> Alternatives[int]:
    """The values of a count."""
    values = range(count.min, count.max + 1)
    return Alternatives(values, [1.0] * len(values) if count.weights is None else count.weights)


def written_graph(template: Written) -> TaskGraph:
    """The graph that a scenario writes out; GraphError where it is none."""
    places = {subtask.id: number for number, subtask in enumerate(template.subtasks)}
    predecessors = []
    for subtask in template.subtasks:
        for name in subtask.after:
            if name not in places:
                raise GraphError(f"subtask '{subtask.id}' comes after '{name}', which does not exist")
        predecessors.append([places[name] for name in dict.fromkeys(subtask.after)])
    by_place = stages_by_place(predecessors)
    stages = [
        by_place[number] if subtask.stage is None else STAGES.index(subtask.stage)
        for number, subtask in enumerate(template.subtasks)
    ]
    read = [
        MODALITIES.index(subtask.modality) if stage == EXPLAIN else TEXT
        for subtask, stage in zip(template.subtasks, stages, strict=True)
    ]
    return build_graph(stages, read, predecessors, [subtask.id for subtask in template.subtasks])


def _first_counts(sets: Alternatives[Numbers]) -> dict[tuple[int, int], float]:
    pairs = list(zip(sets.values, sets.chances, strict=True))
    present = sorted({number for each, _ in pairs for number in each})
    return {(EXPLAIN, n): math.fsum(chance for each, chance in pairs if n in each) for n in present}


def _mean(values: Alternatives[int]) -> float:
    return math.fsum(value * chance for value, chance in zip(values.values, values.chances, strict=True))


_SUBSETS = [
    [each for size in range(1, count + 1) for each in combinations(range(count), size)]
    for count in range(len(MODALITIES) + 1)
]
"""By size of a set, its subsets but the empty one."""


def _subsets(explains: int, analyzes: int, uniforms: Sequence[float]) -> tuple[Numbers, ...]:
    """What each Analyze reads: any subset but the empty one; an Explain that nobody took goes to any Analyze."""
    subsets = _SUBSETS[explains]
    joins = [subsets[int(uniforms[k] * len(subsets))] for k in range(analyzes)]
    for number in range(explains):
        if not any(number in join for join in joins):
            taker = int(uniforms[analyzes + number] * analyzes)
            joins[taker] = (*joins[taker], number)
    return tuple(joins)


@lru_cache(maxsize=_KEPT)
def _explain_analyze_generate(explained: Numbers, joins: tuple[Numbers, ...]) -> TaskGraph:
    first, middle = len(explained), len(joins)
    return build_graph(
        (EXPLAIN,) * first + (ANALYZE,) * middle + (GENERATE,),
        explained + (TEXT,) * (middle + 1),
        ((),) * first + joins + (tuple(range(first, first + middle)),),
        _named("explain", explained) + tuple(f"analyze-{k + 1}" for k in range(middle)) + ("generate",),
    )


@lru_cache(maxsize=_KEPT)
def _perception_reasoning_decision(perceived: Numbers, steps: int) -> TaskGraph:
    first = len(perceived)
    chain = tuple((first + k,) for k in range(steps))
    return build_graph(
        (EXPLAIN,) * first + (ANALYZE,) * steps + (GENERATE,),
        perceived + (TEXT,) * (steps + 1),
        ((),) * first + (tuple(range(first)), *chain),
        _named("perceive", perceived) + tuple(f"reason-{k + 1}" for k in range(steps)) + ("decide",),
    )


@lru_cache(maxsize=_KEPT)
def _plan_execute_aggregate(planned: int, executions: int) -> TaskGraph:
    return build_graph(
        (EXPLAIN,) + (ANALYZE,) * executions + (GENERATE,),
        (planned,) + (TEXT,) * (executions + 1),
        ((),) + ((0,),) * executions + (tuple(range(1, executions + 1)),),
        ("plan", *(f"execute-{k + 1}" for k in range(executions)), "aggregate"),
    )


def _named(what: str, modalities: Numbers) -> tuple[str, ...]:
    return tuple(f"{what}-{MODALITIES[number]}" for number in modalities)
