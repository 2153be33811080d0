"""The life of a subtask, from top to bottom: ready, decided, fetched for, served, done, and what follows from it.

A task arrives at its home and its sources are ready. A ready subtask is decided at once; what it needs is sent to the
node it was given; when all is there it joins the node's line. Served, it leaves an answer there, and its successors may
be ready in turn. The task is complete when the answers of its sinks are home. An attempt that a fault or a timeout ends
is taken back: the subtask is decided anew, or its task is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from ..plant import Plant, PlantNode
from ..quality import chance_of_right
from ..random_streams import Uniforms
from ..schema.faults import FaultPolicy
from ..schema.scenario import Quality, Verify
from ..tasks import Task
from ..world.deadlines import Deadlines
from ..world.job import Broken, Job
from ..world.kernel import FAULT, RETRY, Call, Kernel
from ..world.servers import Server
from ..world.service import alone_s, before_tokens_s, bill
from ..world.telemetry import Telemetry
from ..world.transport import Item, Transport
from .agent import Agent, Setting, read_decision
from .checking import CheckedCourse
from .course import Course
from .hearing import Hearing
from .knowledge import Board, Knowledge
from .observation import Observation
from .tables import NowhereError, Tables

_GIVEN_UP = 1 << 40
"""Inputs that are missing of a job which is not waited for any more, and sinks of a dropped task: never 0."""


class Witness(Protocol):
    """Who is told what has come to an end."""

    def subtask_done(self, job: Job) -> None:
        """A subtask has been served."""

    def attempt_lost(self, job: Job, cause: str, now_s: float) -> None:
        """An attempt at a subtask is over without an answer; the job holds what it cost."""

    def task_dropped(self, course: Course, now_s: float) -> None:
        """A task has been given up."""

    def task_done(self, course: Course, now_s: float) -> None:
        """The answers of a task's sinks are home."""


class Dispatcher:
    """Walks the subtasks of all tasks in the system through the world, asking the agent where each one goes."""

    def __init__(
        self,
        kernel: Kernel,
        plant: Plant,
        tables: Tables,
        transport: Transport,
        agent: Agent,
        setting: Setting,
        quality: Quality,
        bytes_per_token: float,
        witness: Witness,
        faults: FaultPolicy,
        timeouts_s: Sequence[Sequence[float]] | None,
    ) -> None:
        """`timeouts_s` gives by workload and node how long an attempt may take; None: every one for ever."""
        self._kernel = kernel
        self._plant = plant
        self._tables = tables
        self._transport = transport
        self._agent = agent
        self._setting = setting
        self._quality = quality
        self._bytes_per_token = bytes_per_token
        self._witness = witness
        self._faults = faults
        self._deadlines = [
            [Deadlines(kernel, allowed_s, self._timed_out) if allowed_s < math.inf else None for allowed_s in of_nodes]
            for of_nodes in timeouts_s or ()
        ]
        """By workload and node; empty where every attempt may take for ever."""
        self._servers: Sequence[Server] = ()
        self._new_course: Callable[[Task], Course] = self._plain_course
        self._doors: list[Callable[[Job], None]] = []
        """By node, where a job goes whose inputs are there."""
        self._knowledge: list[Knowledge] = []
        self.courses: dict[int, Course] = {}
        """The tasks in the system, by number."""
        self.subtasks = 0
        """Of the tasks in the system."""
        self.arrived = 0
        self.completed = 0
        self.dropped = 0

    def connect(self, servers: Sequence[Server], telemetry: Telemetry, link_places: dict[int, int]) -> None:
        """Use these stations; `link_places` gives the place of each link among all."""
        board = Board(telemetry)
        self._servers = servers
        self._doors = [server.enter for server in servers]
        self._knowledge = [
            Knowledge(home, board, self._tables.mean_bps, link_places, Hearing(self._plant.nodes))
            for home in range(self._plant.edge_count)
        ]

    def check(self, verify: Verify, draws: Uniforms) -> None:
        """From now on the answers of sinks are checked: `checked` takes the place of `served`."""
        self._checks = verify, draws
        self._new_course = self._checked_course

    def _plain_course(self, task: Task) -> Course:
        return Course(task, self._tables, self._bytes_per_token)

    def _checked_course(self, task: Task) -> Course:
        return CheckedCourse(task, self._tables, self._bytes_per_token, *self._checks)

    def arrive(self, task: Task) -> None:
        """A task arrives now: its sources are ready."""
        task.number = self.arrived
        self.arrived += 1
        course = self.courses[task.number] = self._new_course(task)
        self.subtasks += len(task.graph)
        for subtask in task.graph.sources:
            self._decide(course, subtask)

    def _decide(self, course: Course, subtask: int) -> None:
        """A subtask is ready: ask the agent where it goes."""
        knowledge = self._knowledge[course.task.home]
        knowledge.look(self._kernel.now)
        agent = self._agent
        try:
            observation = Observation(course, subtask, knowledge, self._setting, agent.order)
        except NowhereError as error:
            name = course.task.graph.names[subtask]
            raise NowhereError(f"subtask '{name}' of task {course.task.number} can run nowhere: {error}") from None
        row, wanted = read_decision(agent.decide(observation), len(observation.candidates), agent)
        priority = observation.priority_of(row, wanted)
        self._place(course, subtask, observation, row, priority, knowledge)

    def _place(
        self, course: Course, subtask: int, seen: Observation, row: int, priority: float, knowledge: Knowledge
    ) -> None:
        """Give a subtask to a node: what it needs sets out."""
        now = self._kernel.now
        transfer_s, service_s, finish_s = seen.estimate(row)
        job = self._make_job(course, seen, int(seen.candidates[row]), priority, service_s)
        job.expected_finish_s = now + finish_s
        course.jobs[subtask] = job
        course.foresee(seen.expected_end(row))
        knowledge.send(job, now if math.isnan(transfer_s) else now + transfer_s, job.expected_service_s)
        deadlines = self._deadlines_of(job)
        if deadlines is not None:
            deadlines.watch(job)
        needs = [item for item in seen.needs if job.node not in item.holders]
        job.missing = len(needs)
        if not needs:
            self._doors[job.node](job)
        for item in needs:
            self._transport.want(item, job.node, job, self._arrived, job)

    def _make_job(self, course: Course, seen: Observation, number: int, priority: float, expected_s: float) -> Job:
        """The job of a subtask on a node, with the service that was expected of it; nan: nobody has asked for that."""
        task, subtask, prompt = course.task, seen.subtask, seen.prompt_tokens
        node = self._plant.nodes[number]
        model = node.model_for[seen.modality]
        law, output = node.models[model], task.output[subtask]
        before_s = before_tokens_s(law, node.speed, seen.stage, seen.modality, prompt + output, task.demand_s[subtask])
        first_s, last_s = alone_s(law, before_s, prompt, output)
        if math.isnan(expected_s):
            expected_s = self._expected_alone_s(course, seen, node)
        return Job(
            task, subtask, number, model, priority, prompt, output, before_s, first_s, last_s, expected_s,
            self._kernel.now,
        )  # fmt: skip

    def _expected_alone_s(self, course: Course, seen: Observation, node: PlantNode) -> float:
        """Expected service of a subtask alone on a node, the overhead of an interface included."""
        law, table = node.models[node.model_for[seen.modality]], course.table(seen.subtask)
        prompt, output = seen.prompt_tokens, seen.expected_output_tokens
        before_s = before_tokens_s(law, node.speed, seen.stage, seen.modality, prompt + output, seen.expected_demand_s)
        return float(table.interface_s[table.row[node.number]]) + alone_s(law, before_s, prompt, output)[1]

    def _arrived(self, job: Job) -> None:
        """One of the things that a job needs is there."""
        job.missing -= 1
        if job.missing == 0:
            self._doors[job.node](job)

    def served(self, job: Job) -> None:
        """A job has been served: its answer appears, and what waited for it may be ready."""
        course = self.courses[job.task.number]
        graph = job.task.graph
        if self._deadlines:
            self._is_over(job)
        self._account(course, job)
        self._knowledge[job.task.home].hearing.add(job)
        self._witness.subtask_done(job)
        answer = Item(job.node, self._bytes_per_token * job.output)
        course.answered(job, answer)
        successors = graph.successors[job.subtask]
        for successor in successors:
            course.missing[successor] -= 1
            if course.missing[successor] == 0:
                self._decide(course, successor)
        if not successors:
            if job.task.home == job.node:
                self._answer_home(course)
            else:
                self._transport.want(answer, job.task.home, job, self._answer_home, course)

    def checked(self, job: Job) -> None:
        """The same where answers are checked: a subtask whose answer fails is done again in the cloud."""
        course = self.courses[job.task.number]
        assert isinstance(course, CheckedCourse)
        if not course.fails(job.subtask, self._is_right(course, job)):
            self.served(job)
            return
        self._is_over(job)
        self._account(course, job)
        self._knowledge[job.task.home].hearing.add(job)
        self._witness.attempt_lost(job, "rejected", self._kernel.now)
        course.send_back(job.subtask)
        self._decide(course, job.subtask)

    def _account(self, course: Course, job: Job) -> None:
        """Cost, energy, and whether the answer is right."""
        bill(job, self._plant.nodes[job.node], job.finish_s, job.output)
        course.cost_usd += job.cost_usd
        course.energy_j += job.energy_j
        job.is_correct = self._is_right(course, job)

    def _is_right(self, course: Course, job: Job) -> bool:
        node, task, subtask = self._plant.nodes[job.node], job.task, job.subtask
        wrong_before = 0
        for number in task.graph.predecessors[subtask]:
            if not course.right[number]:
                wrong_before += 1
        chance = chance_of_right(
            self._quality,
            node.models[job.model],
            task.graph.stages[subtask],
            task.graph.modalities[subtask],
            task.difficulty[subtask],
            wrong_before,
        )
        return chance > task.luck[subtask]

    def _answer_home(self, course: Course) -> None:
        course.sinks_left -= 1
        if course.sinks_left == 0:
            self._gone(course)
            self.completed += 1
            self._witness.task_done(course, self._kernel.now)

    def _gone(self, course: Course) -> None:
        del self.courses[course.task.number]
        self.subtasks -= len(course.task.graph)

    # ------------------------------------------------------------------------------------------ what faults end

    def crash(self, number: int) -> None:
        """A node goes down: what it serves, and what waits there, goes the way of the policy."""
        server, policy = self._servers[number], self._faults
        lost: list[tuple[Job, str]] = []
        for broken in server.crash():
            self._bill_lost(broken)
            broken.job.missing = _GIVEN_UP
            lost.append((broken.job, policy.in_service))
        if policy.waiting != "stay":
            for _, job in list(server.line.in_order()):
                self._withdraw(server, job)
                job.missing = _GIVEN_UP
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
        job.missing = _GIVEN_UP
        self._kernel.at(self._kernel.now, FAULT, Call(self._turned_away, job))

    def _turned_away(self, job: Job) -> None:
        if self._is_awaited(job):
            self._end_attempts([(job, self._faults.arriving)], "turned_away")

    def _deadlines_of(self, job: Job) -> Deadlines | None:
        return self._deadlines[job.task.workload][job.node] if self._deadlines else None

    def _is_over(self, job: Job) -> None:
        """An attempt has ended, whichever way: nothing is due any more."""
        deadlines = self._deadlines_of(job)
        if deadlines is not None:
            deadlines.forget(job)

    def _timed_out(self, jobs: list[Job]) -> None:
        """Attempts are due; whatever else is due in this instant is taken back with them, by task and subtask."""
        over = jobs + [job for row in self._deadlines for each in row if each is not None for job in each.due()]
        over.sort(key=lambda job: (job.task.number, job.subtask))
        self._end_attempts([(job, "lose") for job in over], "timeout")

    def _is_awaited(self, job: Job) -> bool:
        """Whether a job is an attempt under way."""
        course = self.courses.get(job.task.number)
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
            job.missing = _GIVEN_UP
        for number in dict.fromkeys(job.node for job in jobs):
            servers[number].go_on()

    def _withdraw(self, server: Server, job: Job) -> None:
        broken = server.withdraw(job)
        if broken is not None:
            self._bill_lost(broken)

    def _bill_lost(self, broken: Broken) -> None:
        """What was done of an attempt is paid for, as the policy says."""
        job = broken.job
        course = self.courses[job.task.number]
        bill(job, self._plant.nodes[job.node], self._kernel.now, broken.written)
        if self._faults.lost_work == "free":
            job.cost_usd = 0.0
        course.cost_usd += job.cost_usd
        course.energy_j += job.energy_j

    def _end_attempts(self, lost: Sequence[tuple[Job, str]], cause: str) -> None:
        """Attempts have failed; each comes with what becomes of its subtask. Those that are left at stations go."""
        hopeless = dict.fromkeys(job.task.number for job, fate in lost if self._is_hopeless(job, fate))
        given_up = [self.courses[number] for number in hopeless]
        self._take_back([job for job, _ in lost] + [job for course in given_up for job in course.under_way()])
        for job, _ in lost:
            self._is_over(job)
            knowledge = self._knowledge[job.task.home]
            knowledge.forget(job)
            if cause != "timeout":
                knowledge.found_down(self._plant.nodes[job.node], self._kernel.now)
            self.courses[job.task.number].jobs[job.subtask] = None
            self._witness.attempt_lost(job, cause, self._kernel.now)
        for course in given_up:
            self._drop(course)
        for job, fate in lost:
            if job.task.number in hopeless:
                continue
            course = self.courses[job.task.number]
            if fate == "migrate":
                self._decide(course, job.subtask)
            else:
                self._try_later(course, job.subtask)

    def _is_hopeless(self, job: Job, fate: str) -> bool:
        """Whether the task of a lost attempt is given up."""
        losses = self.courses[job.task.number].losses.get(job.subtask, 0)
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
        if self.courses.get(course.task.number) is course:
            self._decide(course, subtask)

    def _drop(self, course: Course) -> None:
        """A task is given up: of its other subtasks nothing is waited for any more."""
        now_s = self._kernel.now
        course.sinks_left = _GIVEN_UP
        for job in course.under_way():
            self._is_over(job)
            self._knowledge[job.task.home].forget(job)
            self._witness.attempt_lost(job, "dropped", now_s)
        self._gone(course)
        self.dropped += 1
        self._witness.task_dropped(course, now_s)

    def course_of(self, task: Task) -> Course:
        """The course of a task; of one that was dropped, whose data may still wait for a link, another like it."""
        return self.courses.get(task.number) or self._plain_course(task)
