"""A finished static schedule, and the insertion policy by which list schedulers build one.

The insertion policy (Topcuoglu, Hariri and Wu 2002, section 4.1) lets a task fill a gap between two tasks already
placed on a processor, if the gap is long enough from the moment the task's data are there.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

from .instance import Instance

SLACK = 1e-9
"""Relative to the makespan: what rounding may do before `check` calls it a fault."""


class ScheduleError(ValueError):
    """A schedule that breaks a rule; the message names the tasks."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Per task of the instance: its processor, start and finish."""

    instance: Instance
    processor: tuple[int, ...]
    start: tuple[float, ...]
    finish: tuple[float, ...]

    @property
    def makespan(self) -> float:
        """Finish of the last task."""
        return max(self.finish)

    def check(self) -> None:
        """Raise `ScheduleError` unless durations, precedence and exclusive use of each processor hold."""
        slack = SLACK * max(1.0, self.makespan)
        self._check_durations(slack)
        self._check_precedence(slack)
        self._check_overlap(slack)

    def _check_durations(self, slack: float) -> None:
        for task, processor in enumerate(self.processor):
            cost = self.instance.cost[task][processor]
            if self.start[task] < -slack:
                raise ScheduleError(f"task {task} starts at {self.start[task]}, before time 0")
            if not abs(self.finish[task] - self.start[task] - cost) <= slack:
                raise ScheduleError(f"task {task} does not last its cost {cost} on processor {processor}")

    def _check_precedence(self, slack: float) -> None:
        for source, target, data in self.instance.arcs:
            travel = self.instance.communication(data, self.processor[source], self.processor[target])
            if self.start[target] < self.finish[source] + travel - slack:
                raise ScheduleError(f"task {target} starts before the data of task {source} are there")

    def _check_overlap(self, slack: float) -> None:
        for processor in range(self.instance.processors):
            free_at, last = 0.0, -1
            here = [task for task, where in enumerate(self.processor) if where == processor]
            for task in sorted(here, key=lambda task: (self.start[task], self.finish[task])):
                if self.start[task] < free_at - slack:
                    raise ScheduleError(f"tasks {last} and {task} overlap on processor {processor}")
                free_at, last = self.finish[task], task


class Plan:
    """A schedule being built: tasks are placed one by one, each after its predecessors."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._processor = [-1] * len(instance)
        self._start = [0.0] * len(instance)
        self._finish = [0.0] * len(instance)
        self._busy: list[list[tuple[float, float]]] = [[] for _ in range(instance.processors)]

    def earliest_finish(self, task: int, processor: int) -> float:
        """Earliest finish of a task on a processor, gaps included; infinity if it cannot run there."""
        return self._earliest_start(task, processor) + self.instance.cost[task][processor]

    def place(self, task: int, processor: int) -> None:
        """Put a task at its earliest start on a processor."""
        start = self._earliest_start(task, processor)
        finish = start + self.instance.cost[task][processor]
        self._processor[task], self._start[task], self._finish[task] = processor, start, finish
        insort(self._busy[processor], (start, finish))

    def schedule(self) -> Schedule:
        """The schedule, once every task is placed."""
        return Schedule(self.instance, tuple(self._processor), tuple(self._start), tuple(self._finish))

    def _earliest_start(self, task: int, processor: int) -> float:
        start, cost = self._data_ready(task, processor), self.instance.cost[task][processor]
        for busy_from, busy_to in self._busy[processor]:
            if start + cost <= busy_from:
                break
            start = max(start, busy_to)
        return start

    def _data_ready(self, task: int, processor: int) -> float:
        ready = 0.0
        for before, data in self.instance.predecessors[task]:
            travel = self.instance.communication(data, self._processor[before], processor)
            ready = max(ready, self._finish[before] + travel)
        return ready
