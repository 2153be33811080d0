"""The cost of an episode as it runs up, and the potential that makes each step's share of it meaningful.

The objective J is a sum over tasks, w weight L/L_ref + (1 - w) C/C_ref. It runs up continuously while tasks are in the
system and in jumps when something is billed, so the sum of all steps' increments is the objective of the episode,
exactly. The potential is the expected time to the end of all tasks in the system, in the same units; adding its
differences to the increments takes most of the noise away. What arrives between two steps adds to the potential
whatever anybody does, and is left out of the step.

Where nothing is discounted this changes no policy's rank (Ng, Harada, Russell 1999). A learner that discounts these
increments as they are, by exp(-time / horizon), does change it: the differences then no longer cancel, and leave what
a holding cost of potential / horizon per second would add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..world.job import Job
    from .world import World


class Ledger:
    """Reads J and the potential off a world whose recorder measures all tasks (no warm-up)."""

    def __init__(self, world: World) -> None:
        objective = world.scenario.objective
        assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
        assert world.scenario.warm_up == 0.0, "tasks of a warm-up would be in no sum"
        self._world = world
        self._per_s = objective.latency_weight / objective.latency_reference
        self._per_usd = (1.0 - objective.latency_weight) / objective.cost_reference
        self._arrived = 0

    def cost(self) -> float:
        """J so far: of tasks that are done, and of those in the system up to now."""
        world = self._world
        now = world.kernel.now
        running = 0.0
        for course in world.dispatcher.courses.values():
            task = course.task
            running += self._per_s * task.weight * (now - task.arrival_s) + self._per_usd * course.cost_usd
        return world.recorder.objective.sum + running

    def potential(self) -> float:
        """Expected time to the end of the tasks in the system, weighted and in units of J."""
        now = self._world.kernel.now
        courses = self._world.dispatcher.courses.values()
        return self._per_s * sum(course.task.weight * max(course.expected_end_s - now, 0.0) for course in courses)

    def cost_of(self, job: Job, end_s: float) -> float:
        """What a job alone came to: its time from ready to its end, weighted, and its bill, in units of J."""
        return self._per_s * job.task.weight * (end_s - job.ready_s) + self._per_usd * job.cost_usd

    def settle(self) -> float:
        """Potential at their arrival of the tasks that came since the last time, one of them perhaps just now."""
        dispatcher = self._world.dispatcher
        brought = 0.0
        for number in range(self._arrived, dispatcher.arrived):
            course = dispatcher.courses.get(number)
            if course is not None:
                expected = max(course.ranks_s[subtask] for subtask in course.task.graph.sources)
                brought += self._per_s * course.task.weight * expected
        self._arrived = dispatcher.arrived
        return brought
