"""Deciders that observe nothing: the next node in turn, and decisions that were recorded in another run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from simoffload.plant import Plant

from .program import Course, Factory
from .stations import Work


def candidates(plant: Plant, work: Work) -> Sequence[int]:
    """Numbers of the nodes that serve a subtask's modality and have the memory for it, ascending."""
    modality = work.task.graph.modalities[work.subtask]
    return [
        node.number
        for node in plant.nodes
        if node.model_for[modality] >= 0 and (node.server.kind != "batching" or work.reserved_tokens <= node.kv_tokens)
    ]


class RoundRobin:
    """The next node that can, after the one that the home used last."""

    def begin(self, factory: Factory) -> None:
        """Every home begins with its lowest node."""
        self._plant = factory.plant
        self._last: dict[int, int] = {}

    def decide(self, work: Work, course: Course) -> None:
        """The next node above the last, or the lowest."""
        nodes, home = candidates(self._plant, work), work.task.home
        work.node = self._last[home] = nodes[bisect_right(nodes, self._last.get(home, -1)) % len(nodes)]

    def notices(self) -> None:
        """Nothing is read of them."""


class Recorded:
    """Nodes by (task, subtask), as another run chose them."""

    def __init__(self, nodes: Mapping[tuple[int, int], int]) -> None:
        self._nodes = nodes

    def begin(self, factory: Factory) -> None:
        """Nothing to set up."""

    def decide(self, work: Work, course: Course) -> None:
        """The node that was recorded."""
        work.node = self._nodes[course.number, work.subtask]

    def notices(self) -> None:
        """Nothing is read of them."""
