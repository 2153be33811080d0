"""What an agent sees when a server or a link falls free and two or more jobs wait for it, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..plant import Plant
from ..tasks import Task
from ..world.job import Job
from ..world.kernel import Kernel
from ..world.link import Transfer
from .agent import Agent, Setting, orders_from, read_decision
from .course import Course

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OrderObservation:
    """Rows are the waiting jobs in the order in which they joined the line; arrays have an entry per row.

    A node sees its own line as it is now.
    """

    kind: ClassVar[str] = "order"
    now_s: float
    latency_reference_s: float
    station: str
    """Name of the node or link that has fallen free."""
    expected_service_s: Floats
    """Expected service at the node; on a link the expected service where the job goes."""
    bytes: Floats
    """What is to be carried; 0 at a node."""
    waited_s: Floats
    """Since it joined this line."""
    task_weight: Floats
    task_age_s: Floats
    upward_rank_s: Floats
    stage: NDArray[np.int64]
    candidates: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Rows by number: 0, 1, ..."""


def observe_order(
    station: str,
    now_s: float,
    latency_reference_s: float,
    jobs: Sequence[Job],
    courses: Sequence[Course],
    joined_s: Sequence[float],
    sizes: Sequence[float],
) -> OrderObservation:
    """The observation of jobs at a station, with their tasks' courses, when they joined, and the bytes to carry."""
    return OrderObservation(
        now_s=now_s,
        latency_reference_s=latency_reference_s,
        station=station,
        expected_service_s=np.array([job.expected_service_s for job in jobs]),
        bytes=np.array(sizes, dtype=np.float64),
        waited_s=now_s - np.array(joined_s),
        task_weight=np.array([job.task.weight for job in jobs]),
        task_age_s=np.array([now_s - job.task.arrival_s for job in jobs]),
        upward_rank_s=np.array([course.ranks_s[job.subtask] for course, job in zip(courses, jobs, strict=True)]),
        stage=np.array([job.task.graph.stages[job.subtask] for job in jobs], dtype=np.int64),
        candidates=np.arange(len(jobs)),
    )


class NextInLine:
    """Asks an agent who goes next; where fewer wait than it wants to be asked for, the first come does."""

    def __init__(
        self, kernel: Kernel, plant: Plant, agent: Agent, setting: Setting, course_of: Callable[[Task], Course]
    ) -> None:
        self._kernel = kernel
        self._plant = plant
        self._agent = agent
        self._setting = setting
        self._course_of = course_of
        self._fewest = orders_from(agent)

    def among_jobs(self, jobs: Sequence[Job]) -> int:
        """The place of the one of the jobs that wait at a node."""
        if len(jobs) < self._fewest:
            return 0
        station = self._plant.nodes[jobs[0].node].id
        return self._asked(station, jobs, [job.entered_s for job in jobs], [0.0] * len(jobs))

    def among_transfers(self, transfers: Sequence[Transfer]) -> int:
        """The place of the one of the transfers that wait at a link."""
        if len(transfers) < self._fewest:
            return 0
        station = self._plant.links[transfers[0].link].id
        jobs = [transfer.job for transfer in transfers]
        joined_s = [transfer.queued_s for transfer in transfers]
        return self._asked(station, jobs, joined_s, [transfer.item.size_bytes for transfer in transfers])

    def _asked(self, station: str, jobs: Sequence[Job], joined_s: Sequence[float], sizes: Sequence[float]) -> int:
        courses = [self._course_of(job.task) for job in jobs]
        now_s, reference_s = self._kernel.now, self._setting.latency_reference_s
        observation = observe_order(station, now_s, reference_s, jobs, courses, joined_s, sizes)
        return read_decision(self._agent.decide(observation), len(jobs), self._agent)[0]
