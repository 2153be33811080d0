"""Random layered graphs with the parameters of daggen (Suter and Hunold, github.com/frs69wq/daggen).

Layers hold about n**fat subtasks, give or take a share 1 - regularity. A subtask reads at least one other and at most
a share `density` of the size of the layer before its own, each from a layer at most `jump` layers back.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..random_streams import Alternatives, Streams, Uniforms
from ..schema.workload import Layered
from .graph import TEXT, TaskGraph, build_graph, stages_by_place

_DRAWN = 4000
"""Graphs over which counts are averaged."""


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
        parents: list[int] = []
        for _ in range(min(1 + int(uniforms.next() * self._template.density * most), most)):
            layer = before[max(len(before) - 1 - int(uniforms.next() * self._template.jump), 0)]
            start = int(uniforms.next() * len(layer))
            turned = (*layer[start:], *layer[:start])
            parents += [number for number in turned if number not in parents][:1]
        return parents

    def mean_counts(self) -> dict[tuple[int, int], float]:
        """Mean number of subtasks in a task by stage and modality, averaged over draws that are always the same."""
        uniforms = Uniforms(Streams(0).generator("layered graphs", "mean counts"))
        totals: dict[tuple[int, int], int] = {}
        for _ in range(_DRAWN):
            graph = self.draw(uniforms)
            for kind in zip(graph.stages, graph.modalities, strict=True):
                totals[kind] = totals.get(kind, 0) + 1
        return {kind: totals[kind] / _DRAWN for kind in sorted(totals)}
