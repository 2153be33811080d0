"""What a home hears of the ends of its own subtasks: where each ran, and how long that took.

An answer that has come tells how long it is and how long its service took, as an interface that counts tokens does.
With the serving law of its node, which everybody knows, a home can say how long that should have taken. Nothing is
heard of the subtasks of others, or of one's own before they end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..plant import PlantNode
from ..world.job import Job
from ..world.service import alone_s, before_tokens_s


class Heard(NamedTuple):
    """The end of one of the home's own subtasks."""

    node: int
    """Number of the node on which it ran."""
    expected_s: float
    """Service at the node's full pace, of an answer as long as it turned out to be: as expected when it was sent, plus
    what the tokens written beyond the expected ones take alone."""
    service_s: float
    """The service it took, loading a model aside."""
    end_s: float


class Hearing:
    """The ends that a home has heard of since its last decision; a tuple is made of them when somebody asks."""

    __slots__ = ("_ended", "_heard", "_nodes")

    def __init__(self, nodes: Sequence[PlantNode]) -> None:
        self._nodes = nodes
        self._ended: list[Job] = []
        """Ends after the decision under way, or after the last one."""
        self._heard: list[Job] = []

    def add(self, job: Job) -> None:
        """One of the home's own subtasks has been served."""
        self._ended.append(job)

    def next_decision(self) -> None:
        """From now on what has ended up to now is what is heard."""
        self._heard = self._ended
        self._ended = []

    @property
    def heard(self) -> tuple[Heard, ...]:
        """In the order in which they ended."""
        return tuple(_heard(job, self._nodes[job.node]) for job in self._heard)


def _heard(job: Job, node: PlantNode) -> Heard:
    service_s = job.finish_s - job.start_s - job.swap_s
    foreseen_s = _alone_s(job, node, job.task.expected_output[job.subtask])
    beyond_s = _alone_s(job, node, job.output) - foreseen_s
    return Heard(job.node, job.expected_service_s + beyond_s, service_s, job.finish_s)


def _alone_s(job: Job, node: PlantNode, output: float) -> float:
    """Service alone on the node at full pace of an answer of so many tokens, with the further demand expected."""
    graph, subtask = job.task.graph, job.subtask
    model, demand_s = node.models[job.model], job.task.expected_demand_s[subtask]
    stage, modality = graph.stages[subtask], graph.modalities[subtask]
    before_s = before_tokens_s(model, node.speed, stage, modality, job.prompt + output, demand_s)
    return alone_s(model, before_s, job.prompt, output)[1]
