"""Random layered graphs with the parameters of daggen (Suter and Hunold, github.com/frs69wq/daggen).

Layers hold about n**fat subtasks, give or take a share 1 - regularity. A subtask reads at least one other and at most
a share `density` of the size of the layer before its own, each from a layer at most `jump` layers back.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

from ..random_streams import Alternatives, Streams, Uniforms
from ..schema.workload import Layered
from .graph import TEXT, TaskGraph, build_graph, stages_by_place

_MOST_DRAWN, _LEAST_DRAWN, _ENOUGH = 4000, 200, 60_000
"""Graphs over which counts are averaged; not so many where they have this many subtasks already."""


class LayeredGraphs:
    """Draws layered graphs; each source reads one modality."""

    __slots__ = ("_modalities", "_sizes", "_template")

    def __init__(self, template: Layered, sizes: Alternatives[int], modalities: Alternatives[tuple[int, ...]]) -> None:
        self._template = template
        self._sizes = sizes
        self._modalities = modalities

    def draw(self, uniforms: Uniforms) -> TaskGraph:
        """The next task's graph; takes a uniform for each choice."""
        layers = self._layers(self._sizes.pick(uniforms.next()), uniforms)
        predecessors: list[Sequence[int]] = [() for _ in layers[0]]
        for place in range(1, len(layers)):
            predecessors += [self._parents(layers[:place], uniforms) for _ in layers[place]]
        read = [self._modalities.pick(uniforms.next())[0] for _ in layers[0]]
        stages = stages_by_place(predecessors)
        return build_graph(stages, read + [TEXT] * (len(stages) - len(read)), predecessors)

    def _layers(self, size: int, uniforms: Uniforms) -> list[range]:
        """The subtasks of each layer, numbered through."""
        width = int(math.pow(size, self._template.fat) + 1e-9)
        spread = 1 - self._template.regularity
        layers: list[range] = []
        first = 0
        while first < size:
            drawn = int(width * (1 + spread * (2 * uniforms.next() - 1)))
            end = min(first + max(drawn, 1), size)
            layers.append(range(first, end))
            first = end
        return layers

    def _parents(self, before: Sequence[range], uniforms: Uniforms) -> Sequence[int]:
        """What a subtask of the layer after `before` reads; one that it reads already gives way to its neighbour."""
        most = len(before[-1])
        parents: dict[int, None] = {}
        for _ in range(min(1 + int(uniforms.next() * self._template.density * most), most)):
            layer = before[max(len(before) - 1 - int(uniforms.next() * self._template.jump), 0)]
            start = int(uniforms.next() * len(layer))
            for number in chain(layer[start:], layer[:start]):
                if number not in parents:
                    parents[number] = None
                    break
        return list(parents)

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Mean number of subtasks in a task by stage and modality, averaged over draws that are always the same."""
        uniforms = Uniforms(Streams(0).generator("layered graphs", "mean counts"))
        totals: Counter[tuple[int, int]] = Counter()
        drawn = 0
        while drawn < _LEAST_DRAWN or (drawn < _MOST_DRAWN and totals.total() < _ENOUGH):
            graph = self.draw(uniforms)
            totals.update(zip(graph.stages, graph.modalities, strict=True))
            drawn += 1
        return {kind: totals[kind] / drawn for kind in sorted(totals)}
