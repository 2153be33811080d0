"""The recorder: turns what ends in the world into rows, a fingerprint and running statistics.

Every row goes into the fingerprint, whatever is kept of it on disk; statistics leave out tasks that arrived before the
end of the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..decision.course import Course
from ..record.batches import Batches
from ..record.fingerprint import Fingerprint
from ..record.manifest import ROWS_PER_PART, PartInfo
from ..record.measures import PER_1000
from ..record.parts import PartWriter
from ..record.rounding import EXACT, Rounding
from ..record.rows import (
    ATTEMPTS,
    COMPLETED,
    DROPPED,
    IN_SYSTEM,
    LAYOUTS,
    LINKS,
    LOSSES,
    NODES,
    SUBTASKS,
    TASKS,
    Layout,
    RowBuffer,
    sampled,
)
from ..record.sketch import QuantileSketch
from ..record.tally import Tally
from ..schema.base import STAGES
from ..schema.scenario import Objective, Scenario
from ..world.job import Job
from ..world.link import Transfer
from ..world.occupancy import Occupancy

BUFFERED_ROWS = 4096
_CAUSES = {cause: number for number, cause in enumerate(LOSSES)}


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


class LossTally:
    """Attempts of measured tasks that ended without an answer, by cause, and what was done of them in vain."""

    __slots__ = ("attempts", "cost_usd", "dropped_tasks", "energy_j")

    def __init__(self) -> None:
        self.attempts = dict.fromkeys(LOSSES, 0)
        self.cost_usd = self.energy_j = 0.0
        self.dropped_tasks = 0


class Recorder:
    """Witness of a run. `written` is called when part files have been completed.

    All layouts go on to new part files at the same moment, when `rows_per_part` rows have come since the last time,
    kept or not: then nothing is held back. `cuts` counts these moments. Pickles; `continue_in` says where it goes on.
    """

    def __init__(
        self,
        objective: Objective,
        nodes: int,
        warm_up_s: float,
        directory: Path | None,
        kept_one_in: int,
        written: Callable[[tuple[PartInfo, ...]], None],
        drop_penalty: float = 0.0,
        rows_per_part: int = ROWS_PER_PART,
        rounding: Rounding = EXACT,
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
            {layout.name: PartWriter(directory, layout, rows_per_part, rounding) for layout in LAYOUTS}
            if keeps and directory
            else {}
        )
        self.cuts = 0
        self._rows_per_part = rows_per_part
        self._rows_since_cut = 0
        capacity = min(BUFFERED_ROWS, rows_per_part)
        self._buffers = {layout.name: RowBuffer(layout, capacity, self._take) for layout in LAYOUTS}
        self._tasks, self._subtasks = self._buffers[TASKS.name], self._buffers[SUBTASKS.name]
        self._links, self._nodes = self._buffers[LINKS.name], self._buffers[NODES.name]
        self._attempts = self._buffers[ATTEMPTS.name]
        self._last_areas = [(0.0, 0.0, 0.0)] * nodes
        self._last_s = 0.0
        self.latency_s, self.latency_batches = Tally(), Batches()
        self._followed_tasks: dict[str, Batches] = {}
        self._followed_subtasks: dict[str, Batches] = {}
        self.cost_usd, self.energy_j, self.objective = Tally(), Tally(), Tally()
        self.correct, self.deadline_met = Tally(), Tally()
        self.stages = {name: StageTally() for name in STAGES}
        self._by_stage = tuple(self.stages.values())
        self.nodes = [NodeTally() for _ in range(nodes)]
        self.losses = LossTally()
        self._drop_penalty = drop_penalty

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
            if self._followed_subtasks:
                self._follow_subtask(job)
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
        correct = all(course.right[number] for number in task.graph.sinks)
        met = -1 if task.deadline_s == math.inf else int(latency_s <= task.deadline_s)
        self._tasks.add(
            task.number, task.workload, task.home, task.arrival_s, now_s, COMPLETED, len(task.graph), latency_s,
            course.cost_usd, course.energy_j, task.weight, objective, correct, met,
        )  # fmt: skip
        if task.arrival_s < self._warm_up_s:
            return
        self.latency_s.add(latency_s)
        self.latency_batches.add(latency_s)
        self.cost_usd.add(course.cost_usd)
        self.energy_j.add(course.energy_j)
        self.objective.add(objective)
        self._follow_task(objective, course.cost_usd)
        self.correct.add(float(correct))
        if met >= 0:
            self.deadline_met.add(float(met))

    def attempt_lost(self, job: Job, cause: str, now_s: float) -> None:
        """An attempt at a subtask is over without an answer; what it came to is part of its task's cost."""
        self._attempts.add(
            job.task.number, job.subtask, job.node, _CAUSES[cause], job.ready_s, job.entered_s, job.start_s, now_s,
            job.cost_usd, job.energy_j,
        )  # fmt: skip
        if job.task.arrival_s >= self._warm_up_s:
            self.losses.attempts[cause] += 1
            self.losses.cost_usd += job.cost_usd
            self.losses.energy_j += job.energy_j
            self.nodes[job.node].energy_j += job.energy_j

    def task_dropped(self, course: Course, now_s: float) -> None:
        """A task has been given up: it counts in cost and objective, not in latency, and it has missed its deadline."""
        task = course.task
        met = -1 if task.deadline_s == math.inf else 0
        delay = task.weight * self._latency_factor * (now_s - task.arrival_s)
        objective = delay + self._cost_factor * course.cost_usd + self._drop_penalty
        self._tasks.add(
            task.number, task.workload, task.home, task.arrival_s, now_s, DROPPED, len(task.graph), math.nan,
            course.cost_usd, course.energy_j, task.weight, objective, -1, met,
        )  # fmt: skip
        if task.arrival_s >= self._warm_up_s:
            self.losses.dropped_tasks += 1
            self.cost_usd.add(course.cost_usd)
            self.energy_j.add(course.energy_j)
            self.objective.add(objective)
            self._follow_task(objective, course.cost_usd)
            if met >= 0:
                self.deadline_met.add(0.0)

    def follow(self, measure: str) -> Batches:
        """Batches of one of `MEASURES`, which are kept from now on; those of latency always are."""
        if measure == "latency":
            return self.latency_batches
        followed = self._followed_tasks if measure in ("objective", "cost") else self._followed_subtasks
        return followed.setdefault(measure, Batches())

    def _follow_task(self, objective: float, cost_usd: float) -> None:
        for measure, batches in self._followed_tasks.items():
            batches.add(objective if measure == "objective" else PER_1000 * cost_usd)

    def _follow_subtask(self, job: Job) -> None:
        for measure, batches in self._followed_subtasks.items():
            waited = measure == "waiting"
            batches.add(job.start_s - job.entered_s if waited else job.finish_s - job.start_s)

    def nodes_seen(self, occupancies: Sequence[Occupancy], now_s: float) -> None:
        """A stretch has ended: a row per node with its averages since the last one."""
        elapsed = now_s - self._last_s
        if elapsed <= 0:
            return
        for number, occupancy in enumerate(occupancies):
            occupancy.advance(now_s)
            waiting, serving, busy = occupancy.waiting_area, occupancy.serving_area, occupancy.busy_area
            waited, served, worked = self._last_areas[number]
            self._nodes.add(
                now_s, number, (waiting - waited) / elapsed, (serving - served) / elapsed, (busy - worked) / elapsed
            )
            self._last_areas[number] = waiting, serving, busy
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
        self._cut()
        return self._fingerprint.hexdigest()

    def continue_in(
        self, directory: Path, listed: Sequence[PartInfo], written: Callable[[tuple[PartInfo, ...]], None]
    ) -> None:
        """Go on from a pickle in a run directory, the first of whose `listed` parts are those written before it."""
        self._written = written
        for writer in self._writers.values():
            writer.continue_in(directory, listed)

    def repeat(self, listed: Sequence[PartInfo]) -> None:
        """Let these parts come out as they were, or not at all: RecordError where rows are to be written otherwise."""
        for writer in self._writers.values():
            writer.repeat(listed)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_written"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._written = _write_nothing

    @property
    def latency_sketch(self) -> QuantileSketch:
        """Quantiles of the latencies of all measured tasks."""
        return self.latency_batches.sketch()

    @property
    def parts(self) -> tuple[PartInfo, ...]:
        """All part files, by layout."""
        return tuple(part for writer in self._writers.values() for part in writer.parts)

    def _take(self, layout: Layout, rows: memoryview) -> None:
        self._fingerprint.update(layout, rows)
        writer = self._writers.get(layout.name)
        if writer is not None:
            writer.write(sampled(layout, rows, self._kept_one_in))
        self._rows_since_cut += len(rows) // layout.size
        if self._rows_since_cut >= self._rows_per_part:
            self._cut()

    def _cut(self) -> None:
        """Write out what is held back as part files, smaller ones where a layout has few rows."""
        self._rows_since_cut = 0
        for buffer in self._buffers.values():
            buffer.flush()
        for writer in self._writers.values():
            writer.flush()
        self.cuts += 1
        self._written(self.parts)


def statistics_of(scenario: Scenario) -> Recorder:
    """The recorder of a run of this scenario that leaves nothing on disk."""
    nodes = len(scenario.edges) + len(scenario.clouds)
    penalty = scenario.faults.drop_penalty
    return Recorder(scenario.objective, nodes, scenario.warm_up, None, 0, _write_nothing, penalty)


def _write_nothing(parts: tuple[PartInfo, ...]) -> None:
    """No part files are written."""
