"""The graph of a task: which subtasks it has, of which stage and modality, and which must wait for which.

Graphs hold structure only; how long prompts and answers are belongs to each task. Most tasks of a workload share a few
structures, so a graph is made once and shared: building the same structure again gives the same object, as long as
somebody holds it. Graphs are therefore compared, and serve as keys, by identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any
from weakref import WeakValueDictionary

from ..schema.base import MODALITIES, STAGES

EXPLAIN, ANALYZE, GENERATE = range(3)
"""Numbers of the stages."""
TEXT = 0
"""Number of the modality that every stage but the first reads."""

Arcs = tuple[tuple[int, ...], ...]
Key = tuple[tuple[int, ...], tuple[int, ...], Arcs, tuple[str, ...]]


class GraphError(ValueError):
    """Subtasks that make no graph of a task: what is wrong, and with which of them."""


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class TaskGraph:
    """The structure of a task; `build_graph` makes it. Subtasks are numbered from 0, tuples are indexed by number."""

    stages: tuple[int, ...]
    """0 explain, 1 analyze, 2 generate."""
    modalities: tuple[int, ...]
    """Numbers in `MODALITIES`; 0, text, after the first stage."""
    predecessors: Arcs
    """Subtasks whose answers each one reads, in increasing order."""
    successors: Arcs
    sources: tuple[int, ...]
    sinks: tuple[int, ...]
    topological: tuple[int, ...]
    """Every subtask after its predecessors, by number where that leaves a choice."""
    names: tuple[str, ...]

    def __len__(self) -> int:
        """Number of subtasks."""
        return len(self.stages)

    def __reduce__(self) -> tuple[Any, ...]:
        return build_graph, (self.stages, self.modalities, self.predecessors, self.names)


_KNOWN: WeakValueDictionary[Key, TaskGraph] = WeakValueDictionary()


def build_graph(
    stages: Sequence[int],
    modalities: Sequence[int],
    predecessors: Sequence[Sequence[int]],
    names: Sequence[str] | None = None,
) -> TaskGraph:
    """The graph with this structure; GraphError names what keeps it from being one.

    Names must differ; without them subtasks are called after their stage: explain-1, explain-2, analyze-1.
    """
    earlier = tuple(tuple(sorted(before)) for before in predecessors)
    named = tuple(names) if names is not None else _stage_names(stages)
    key = (tuple(stages), tuple(modalities), earlier, named)
    graph = _KNOWN.get(key)
    if graph is None:
        graph = _KNOWN[key] = _graph(*key)
    return graph


def stages_by_place(predecessors: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """The stage of each subtask where nothing else says it: sources explain, sinks generate, the others analyze."""
    followed = {number for before in predecessors for number in before}
    return tuple(
        EXPLAIN if not before else ANALYZE if number in followed else GENERATE
        for number, before in enumerate(predecessors)
    )


def _graph(
    stages: tuple[int, ...], modalities: tuple[int, ...], predecessors: Arcs, names: tuple[str, ...]
) -> TaskGraph:
    _check(stages, modalities, predecessors, names)
    following: list[list[int]] = [[] for _ in stages]
    for number, before in enumerate(predecessors):
        for other in before:
            following[other].append(number)
    successors = tuple(tuple(after) for after in following)
    return TaskGraph(
        stages=stages,
        modalities=modalities,
        predecessors=predecessors,
        successors=successors,
        sources=tuple(number for number, before in enumerate(predecessors) if not before),
        sinks=tuple(number for number, after in enumerate(successors) if not after),
        topological=_in_order(predecessors, successors, names),
        names=names,
    )


def _stage_names(stages: Sequence[int]) -> tuple[str, ...]:
    counts = [0] * len(STAGES)
    names = []
    for stage in stages:
        if not 0 <= stage < len(STAGES):
            raise GraphError(f"there is no stage {stage}")
        counts[stage] += 1
        names.append(f"{STAGES[stage]}-{counts[stage]}")
    return tuple(names)


def _check(stages: tuple[int, ...], modalities: tuple[int, ...], predecessors: Arcs, names: tuple[str, ...]) -> None:
    count = len(stages)
    if count == 0:
        raise GraphError("a task needs at least one subtask")
    if not len(modalities) == len(predecessors) == len(names) == count:
        sizes = f"{count} stages, {len(modalities)} modalities, {len(predecessors)} predecessors, {len(names)} names"
        raise GraphError(f"each subtask needs one of each, not {sizes}")
    if len(set(names)) < count:
        raise GraphError(f"two subtasks are called '{next(name for name in names if names.count(name) > 1)}'")
    for number, name in enumerate(names):
        if not 0 <= stages[number] < len(STAGES):
            raise GraphError(f"subtask '{name}': there is no stage {stages[number]}")
        if not 0 <= modalities[number] < len(MODALITIES):
            raise GraphError(f"subtask '{name}': there is no modality {modalities[number]}")
        if stages[number] != EXPLAIN and modalities[number] != TEXT:
            raise GraphError(f"subtask '{name}': only the first stage reads {MODALITIES[modalities[number]]}")
        before = predecessors[number]
        for other in before:
            if not 0 <= other < count:
                raise GraphError(f"subtask '{name}' waits for subtask {other}, which does not exist")
        if len(set(before)) < len(before):
            raise GraphError(f"subtask '{name}' names a predecessor twice")


def _in_order(predecessors: Arcs, successors: Arcs, names: tuple[str, ...]) -> tuple[int, ...]:
    """Every subtask after its predecessors (Kahn 1962), the smallest number first among those that may come next."""
    waiting = [len(before) for before in predecessors]
    ready = [number for number, count in enumerate(waiting) if count == 0]
    heapify(ready)
    order = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for after in successors[number]:
            waiting[after] -= 1
            if waiting[after] == 0:
                heappush(ready, after)
    if len(order) < len(waiting):
        circle = " -> ".join(names[number] for number in _circle(predecessors, waiting))
        raise GraphError(f"subtasks wait for one another in a circle: {circle}")
    return tuple(order)


def _circle(predecessors: Arcs, waiting: Sequence[int]) -> list[int]:
    """Subtasks each of which waits for the next, from the first of them in number back to it."""
    places: dict[int, int] = {}
    number = next(number for number, count in enumerate(waiting) if count > 0)
    while number not in places:
        places[number] = len(places)
        number = next(other for other in predecessors[number] if waiting[other] > 0)
    members = list(places)[places[number] :]
    first = members.index(min(members))
    return [*members[first:], *members[:first], members[first]]
