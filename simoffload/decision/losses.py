"""Attempts that end without an answer, by a crash, a shut door or a timeout, and what becomes of their subtasks.

What is left of such an attempt is taken back from wherever it is, and what was done of it is paid for. The policy says
the rest: the subtask is decided anew at once, or tried again later, so often; or its task is given up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from ..plant import Plant
from ..schema.faults import FaultPolicy
from ..world.deadlines import Deadlines
from ..world.job import Broken, Job
from ..world.kernel import FAULT, RETRY, Call, Kernel
from ..world.servers import Server
from ..world.service import bill
from .course import Course
from .knowledge import Knowledge

GIVEN_UP = 1 << 40
"""Inputs that are missing of a job which is not waited for any more, and sinks of a dropped task: never 0."""


class LossWitness(Protocol):
    """Who is told what has been lost."""

    def attempt_lost(self, job: Job, cause: str, now_s: float) -> None:
        """An attempt at a subtask is over without an answer; the job holds what it cost."""


class Losses:
    """Ends attempts, and sees to what follows from that.

    `decide(course, subtask)` is asked when a subtask is to be given a place anew, `give_up(course)` when its task is
    dropped; `courses` are those in the system, by number.
    """

    def __init__(
        self,
        kernel: Kernel,
        plant: Plant,
        faults: FaultPolicy,
        timeouts_s: Sequence[Sequence[float]] | None,
        witness: LossWitness,
        courses: dict[int, Course],
        decide: Callable[[Course, int], None],
        give_up: Callable[[Course], None],
    ) -> None:
        """`timeouts_s` gives by workload and node how long an attempt may take; None: every one for ever."""
        self._kernel = kernel
        self._plant = plant
        self._faults = faults
        self._witness = witness
        self._courses = courses
        self._decide = decide
        self._give_up = give_up
        self._deadlines = [
            [Deadlines(kernel, allowed_s, self._timed_out) if allowed_s < math.inf else None for allowed_s in of_nodes]
            for of_nodes in timeouts_s or ()
        ]
        """By workload and node."""
        self.has_deadlines = timeouts_s is not None
        """Whether there is an attempt that may not take for ever."""
        self._servers: Sequence[Server] = ()
        self._doors: list[Callable[[Job], None]] = []
        self._knowledge: Sequence[Knowledge] = ()

    def connect(
        self, servers: Sequence[Server], doors: list[Callable[[Job], None]], knowledge: Sequence[Knowledge]
    ) -> None:
        """Use these stations, the doors that jobs go in by, which may be shut, and what homes know."""
        self._servers = servers
        self._doors = doors
        self._knowledge = knowledge

    def watch(self, job: Job) -> None:
        """An attempt begins now."""
        deadlines = self._deadlines_of(job)
        if deadlines is not None:
            deadlines.watch(job)

    def ended(self, job: Job) -> None:
        """An attempt has ended, whichever way: nothing is due any more."""
        deadlines = self._deadlines_of(job)
        if deadlines is not None:
            deadlines.forget(job)

    def _deadlines_of(self, job: Job) -> Deadlines | None:
        return self._deadlines[job.task.workload][job.node] if self.has_deadlines else None

    def crash(self, number: int) -> None:
        """A node goes down: what it serves, and what waits there, goes the way of the policy."""
        server, policy = self._servers[number], self._faults
        lost: list[tuple[Job, str]] = []
        for broken in server.crash():
            self._bill_lost(broken)
            broken.job.missing = GIVEN_UP
            lost.append((broken.job, policy.in_service))
        if policy.waiting != "stay":
            for _, job in list(server.line.in_order()):
                self._withdraw(server, job)
                job.missing = GIVEN_UP
                lost.append((job, policy.waiting))
        if policy.arriving != "wait":
            self._doors[number] = self._turn_away
        self._end_attempts(lost, "crash")

    def repair(self, number: int) -> None:
        """A node is up again."""
        server = self._servers[number]
        self._doors[number] = server.enter
        server.repair()

    def _turn_away(self, job: Job) -> None:
        """A job comes to a node that is down and where none may wait; it is told once the event under way is over."""
        job.missing = GIVEN_UP
        self._kernel.at(self._kernel.now, FAULT, Call(self._turned_away, job))

    def _turned_away(self, job: Job) -> None:
        if self._is_awaited(job):
            self._end_attempts([(job, self._faults.arriving)], "turned_away")

    def _timed_out(self, jobs: list[Job]) -> None:
        """Attempts are due; whatever else is due in this instant is taken back with them, by task and subtask."""
        over = jobs + [job for row in self._deadlines for each in row if each is not None for job in each.due()]
        over.sort(key=lambda job: (job.task.number, job.subtask))
        self._end_attempts([(job, "lose") for job in over], "timeout")

    def _is_awaited(self, job: Job) -> bool:
        """Whether a job is an attempt under way."""
        course = self._courses.get(job.task.number)
        return course is not None and course.jobs[job.subtask] is job and math.isnan(job.finish_s)

    def _take_back(self, jobs: Sequence[Job]) -> None:
        """Let go of jobs wherever they are: on their way, waiting, or in service; some may be gone already.

        Those in service go last, so that none of the others is begun in their place. Where models are loaded, nobody is
        begun before all are gone.
        """
        servers = self._servers
        for job in sorted(jobs, key=lambda job: job in servers[job.node].in_service):
            if not job.missing:
                self._withdraw(servers[job.node], job)
            job.missing = GIVEN_UP
        for number in dict.fromkeys(job.node for job in jobs):
            servers[number].go_on()

    def _withdraw(self, server: Server, job: Job) -> None:
        broken = server.withdraw(job)
        if broken is not None:
            self._bill_lost(broken)

    def _bill_lost(self, broken: Broken) -> None:
        """What was done of an attempt is paid for, as the policy says."""
        job = broken.job
        course = self._courses[job.task.number]
        bill(job, self._plant.nodes[job.node], self._kernel.now, broken.written)
        if self._faults.lost_work == "free":
            job.cost_usd = 0.0
        course.cost_usd += job.cost_usd
        course.energy_j += job.energy_j

    def _end_attempts(self, lost: Sequence[tuple[Job, str]], cause: str) -> None:
        """Attempts have failed; each comes with what becomes of its subtask. Those that are left at stations go."""
        hopeless = dict.fromkeys(job.task.number for job, fate in lost if self._is_hopeless(job, fate))
        given_up = [self._courses[number] for number in hopeless]
        self._take_back([job for job, _ in lost] + [job for course in given_up for job in course.under_way()])
        for job, _ in lost:
            self.ended(job)
            knowledge = self._knowledge[job.task.home]
            knowledge.forget(job)
            if cause != "timeout":
                knowledge.found_down(self._plant.nodes[job.node], self._kernel.now)
            self._courses[job.task.number].jobs[job.subtask] = None
            self._witness.attempt_lost(job, cause, self._kernel.now)
        for course in given_up:
            self._drop(course)
        for job, fate in lost:
            if job.task.number in hopeless:
                continue
            course = self._courses[job.task.number]
            if fate == "migrate":
                self._decide(course, job.subtask)
            else:
                self._try_later(course, job.subtask)

    def _is_hopeless(self, job: Job, fate: str) -> bool:
        """Whether the task of a lost attempt is given up."""
        losses = self._courses[job.task.number].losses.get(job.subtask, 0)
        return fate == "drop" or (fate == "lose" and losses >= self._faults.retry.limit)

    def _try_later(self, course: Course, subtask: int) -> None:
        retry, losses = self._faults.retry, course.losses.get(subtask, 0)
        course.losses[subtask] = losses + 1
        wait_s = min(retry.first, retry.most)
        for _ in range(losses):
            wait_s = min(wait_s * retry.factor, retry.most)
        self._kernel.at(self._kernel.now + wait_s, RETRY, Call(self._try_again, (course, subtask)))

    def _try_again(self, item: tuple[Course, int]) -> None:
        course, subtask = item
        if self._courses.get(course.task.number) is course:
            self._decide(course, subtask)

    def _drop(self, course: Course) -> None:
        """Of the other subtasks of a task that is given up nothing is waited for any more."""
        for job in course.under_way():
            self.ended(job)
            self._knowledge[job.task.home].forget(job)
            self._witness.attempt_lost(job, "dropped", self._kernel.now)
        self._give_up(course)
