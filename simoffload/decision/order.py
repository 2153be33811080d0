"""What an agent sees when a server or a link falls free and two or more jobs wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..world.job import Job
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
