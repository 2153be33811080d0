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
from ..world.item import Item
from ..world.job import Job
from ..world.kernel import Kernel
from ..world.servers import Server
from ..world.service import alone_s, before_tokens_s, bill
from ..world.telemetry import Telemetry
from ..world.transport import Transport
from .agent import Agent, Setting, read_decision
from .checking import CheckedCourse
from .course import Course
from .hearing import Hearing
from .knowledge import Board, Knowledge
from .losses import GIVEN_UP, Losses, LossWitness
from .observation import Observation
from .tables import NowhereError, Tables


class Witness(LossWitness, Protocol):
    """Who is told what has come to an end."""

    def subtask_done(self, job: Job) -> None:
        """A subtask has been served."""

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
        self.losses = Losses(kernel, plant, faults, timeouts_s, witness, self.courses, self._decide, self._give_up)

    def connect(self, servers: Sequence[Server], telemetry: Telemetry, link_places: dict[int, int]) -> None:
        """Use these stations; `link_places` gives the place of each link among all."""
        board = Board(telemetry)
        self._doors = [server.enter for server in servers]
        self._knowledge = [
            Knowledge(home, board, self._tables.mean_bps, link_places, Hearing(self._plant.nodes))
            for home in range(self._plant.edge_count)
        ]
        self.losses.connect(servers, self._doors, self._knowledge)

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
        if self.losses.has_deadlines:
            self.losses.watch(job)
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
        if self.losses.has_deadlines:
            self.losses.ended(job)
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
        self.losses.ended(job)
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

    def _give_up(self, course: Course) -> None:
        """A task is dropped: its answer will never be home."""
        course.sinks_left = GIVEN_UP
        self._gone(course)
        self.dropped += 1
        self._witness.task_dropped(course, self._kernel.now)

    def course_of(self, task: Task) -> Course:
        """The course of a task; of one that was dropped, whose data may still wait for a link, another like it."""
        return self.courses.get(task.number) or self._plain_course(task)
