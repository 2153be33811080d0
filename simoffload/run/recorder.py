"""The recorder: turns what ends in the world into rows, a fingerprint and running statistics.

Every row goes into the fingerprint, whatever is kept of it on disk; statistics leave out tasks that arrived before the
end of the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from ..decision.course import Course
from ..record.fingerprint import Fingerprint
from ..record.manifest import PartInfo
from ..record.parts import PartWriter
from ..record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout, RowBuffer, sampled
from ..record.sketch import QuantileSketch
from ..record.tally import Tally
from ..schema.base import STAGES
from ..schema.scenario import Objective, Scenario
from ..world.job import Job
from ..world.link import Transfer
from ..world.occupancy import Occupancy

BUFFERED_ROWS = 4096
COMPLETED, IN_SYSTEM = 0, 2
"""Status of a task."""


class StageTally:
    """Times of the subtasks of a stage."""

    __slots__ = ("service_s", "transfer_s", "waiting_s")

    def __init__(self) -> None:
        self.transfer_s, self.waiting_s, self.service_s = Tally(), Tally(), Tally()

    def add(self, job: Job) -> None:
        """Take in a subtask that has been served."""
        self.transfer_s.add(job.entered_s - job.ready_s)
        self.waiting_s.add(job.start_s - job.entered_s)
        self.service_s.add(job.finish_s - job.start_s)


class NodeTally:
    """What a node has done for measured tasks."""

    __slots__ = ("energy_j", "service_s", "subtasks")

    def __init__(self) -> None:
        self.energy_j = 0.0
        self.service_s = Tally()
        self.subtasks = 0


class Recorder:
    """Witness of a run. `written` is called when a part file has been completed."""

    def __init__(
        self,
        objective: Objective,
        nodes: int,
        warm_up_s: float,
        directory: Path | None,
        kept_one_in: int,
        written: Callable[[tuple[PartInfo, ...]], None],
    ) -> None:
        assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
        self._latency_factor = objective.latency_weight / objective.latency_reference
        self._cost_factor = (1.0 - objective.latency_weight) / objective.cost_reference
        self._warm_up_s = warm_up_s
        self._kept_one_in = kept_one_in
        self._written = written
        self._fingerprint = Fingerprint()
        keeps = directory is not None and kept_one_in > 0
        self._writers = (
            {layout.name: PartWriter(directory, layout) for layout in LAYOUTS} if keeps and directory else {}
        )
        self._buffers = {layout.name: RowBuffer(layout, BUFFERED_ROWS, self._take) for layout in LAYOUTS}
        self._tasks, self._subtasks = self._buffers[TASKS.name], self._buffers[SUBTASKS.name]
        self._links, self._nodes = self._buffers[LINKS.name], self._buffers[NODES.name]
        self._last_areas = [(0.0, 0.0, 0.0)] * nodes
        self._last_s = 0.0
        self.latency_s, self.latency_sketch = Tally(), QuantileSketch()
        self.cost_usd, self.energy_j, self.objective = Tally(), Tally(), Tally()
        self.correct, self.deadline_met = Tally(), Tally()
        self.stages = {name: StageTally() for name in STAGES}
        self._by_stage = tuple(self.stages.values())
        self.nodes = [NodeTally() for _ in range(nodes)]

    def subtask_done(self, job: Job) -> None:
        """A subtask has been served."""
        task, subtask = job.task, job.subtask
        graph = task.graph
        stage = graph.stages[subtask]
        self._subtasks.add(
            task.number, subtask, stage, graph.modalities[subtask], job.node, job.ready_s, job.entered_s, job.start_s,
            job.first_token_s, job.finish_s, job.prompt, job.output, task.expected_output[subtask], job.swap_s,
            job.cost_usd, job.energy_j, job.priority, job.expected_finish_s, job.is_correct,
        )  # fmt: skip
        if task.arrival_s >= self._warm_up_s:
            self._by_stage[stage].add(job)
            node = self.nodes[job.node]
            node.subtasks += 1
            node.energy_j += job.energy_j
            node.service_s.add(job.finish_s - job.start_s)

    def transfer_done(self, transfer: Transfer, now_s: float) -> None:
        """A link has delivered a transfer."""
        job = transfer.job
        self._links.add(
            job.task.number, job.subtask, transfer.link, transfer.item.size_bytes, transfer.queued_s, transfer.start_s,
            transfer.end_s, now_s,
        )  # fmt: skip

    def task_done(self, course: Course, now_s: float) -> None:
        """The answers of a task's sinks are home."""
        task = course.task
        latency_s = now_s - task.arrival_s
        objective = task.weight * self._latency_factor * latency_s + self._cost_factor * course.cost_usd
        sinks = [course.jobs[number] for number in task.graph.sinks]
        correct = all(job is not None and job.is_correct for job in sinks)
        met = -1 if task.deadline_s == math.inf else int(latency_s <= task.deadline_s)
        self._tasks.add(
            task.number, task.workload, task.home, task.arrival_s, now_s, COMPLETED, len(task.graph), latency_s,
            course.cost_usd, course.energy_j, task.weight, objective, correct, met,
        )  # fmt: skip
        if task.arrival_s < self._warm_up_s:
            return
        self.latency_s.add(latency_s)
        self.latency_sketch.add(latency_s)
        self.cost_usd.add(course.cost_usd)
        self.energy_j.add(course.energy_j)
        self.objective.add(objective)
        self.correct.add(float(correct))
        if met >= 0:
            self.deadline_met.add(float(met))

    def nodes_seen(self, occupancies: Sequence[Occupancy], now_s: float) -> None:
        """A stretch has ended: a row per node with its averages since the last one."""
        elapsed = now_s - self._last_s
        if elapsed <= 0:
            return
        for number, occupancy in enumerate(occupancies):
            occupancy.advance(now_s)
            areas = (occupancy.waiting_area, occupancy.serving_area, occupancy.busy_area)
            waiting, serving, busy = (
                (after - before) / elapsed for after, before in zip(areas, self._last_areas[number], strict=True)
            )
            self._nodes.add(now_s, number, waiting, serving, busy)
            self._last_areas[number] = areas
        self._last_s = now_s

    def areas_reset(self) -> None:
        """The occupancies have begun to count anew, right after `nodes_seen`."""
        self._last_areas = [(0.0, 0.0, 0.0)] * len(self._last_areas)

    def left_over(self, courses: Sequence[Course]) -> None:
        """The run has ended with these tasks in the system."""
        for course in courses:
            task = course.task
            self._tasks.add(
                task.number, task.workload, task.home, task.arrival_s, math.nan, IN_SYSTEM, len(task.graph), math.nan,
                course.cost_usd, course.energy_j, task.weight, math.nan, -1, -1,
            )  # fmt: skip

    def close(self) -> str:
        """Write out what is held back; the fingerprint of all rows."""
        for buffer in self._buffers.values():
            buffer.flush()
        for writer in self._writers.values():
            writer.flush()
        self._written(self.parts)
        return self._fingerprint.hexdigest()

    @property
    def parts(self) -> tuple[PartInfo, ...]:
        """All part files, by layout."""
        return tuple(part for writer in self._writers.values() for part in writer.parts)

    def _take(self, layout: Layout, rows: memoryview) -> None:
        self._fingerprint.update(layout, rows)
        writer = self._writers.get(layout.name)
        if writer is not None and writer.write(sampled(layout, rows, self._kept_one_in)):
            self._written(self.parts)


def statistics_of(scenario: Scenario) -> Recorder:
    """The recorder of a run of this scenario that leaves nothing on disk."""
    nodes = len(scenario.edges) + len(scenario.clouds)
    return Recorder(scenario.objective, nodes, scenario.warm_up, None, 0, _write_nothing)


def _write_nothing(parts: tuple[PartInfo, ...]) -> None:
    """No part files are written."""
