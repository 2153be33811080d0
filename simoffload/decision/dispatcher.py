"""The life of a subtask, from top to bottom: ready, decided, fetched for, served, done, and what follows from it.

A task arrives at its home and its sources are ready. A ready subtask is decided at once; what it needs is sent to the
node it was given; when all is there it joins the node's line. Served, it leaves an answer there, and its successors may
be ready in turn. The task is complete when the answers of its sinks are home.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from ..plant import Plant
from ..quality import chance_of_right
from ..schema.scenario import Quality
from ..tasks import Task
from ..world.job import Job
from ..world.kernel import Kernel
from ..world.link import Transfer
from ..world.servers import Server
from ..world.service import alone_s, before_tokens_s, bill
from ..world.telemetry import Telemetry
from ..world.transport import Item, Transport
from .agent import Agent, Setting, read_decision
from .course import Course
from .hearing import Hearing
from .knowledge import Board, Knowledge
from .observation import Observation
from .order import observe_order
from .tables import NowhereError, Tables


class Witness(Protocol):
    """Who is told what has come to an end."""

    def subtask_done(self, job: Job) -> None:
        """A subtask has been served."""

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
    ) -> None:
        self._kernel = kernel
        self._plant = plant
        self._tables = tables
        self._transport = transport
        self._agent = agent
        self._setting = setting
        self._quality = quality
        self._bytes_per_token = bytes_per_token
        self._witness = witness
        self._servers: Sequence[Server] = ()
        self._knowledge: list[Knowledge] = []
        self.courses: dict[int, Course] = {}
        """The tasks in the system, by number."""
        self.arrived = 0
        self.completed = 0

    def connect(self, servers: Sequence[Server], telemetry: Telemetry, link_places: dict[int, int]) -> None:
        """Use these stations; `link_places` gives the place of each link among all."""
        board = Board(telemetry)
        self._servers = servers
        self._knowledge = [
            Knowledge(home, board, self._tables.mean_bps, link_places, Hearing(self._plant.nodes))
            for home in range(self._plant.edge_count)
        ]

    def arrive(self, task: Task) -> None:
        """A task arrives now: its sources are ready."""
        task.number = self.arrived
        self.arrived += 1
        course = self.courses[task.number] = Course(task, self._tables, self._bytes_per_token)
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
        job = self._make_job(course, seen, int(seen.candidates[row]), priority)
        transfer_s, service_s, finish_s = seen.estimate(row)
        if not math.isnan(service_s):
            job.expected_service_s = service_s
        job.expected_finish_s = now + finish_s
        course.jobs[subtask] = job
        course.foresee(seen.expected_end(row))
        knowledge.send(job, now if math.isnan(transfer_s) else now + transfer_s, job.expected_service_s)
        needs = [item for item in course.needs(subtask) if job.node not in item.holders]
        job.missing = len(needs)
        if not needs:
            self._servers[job.node].enter(job)
        for item in needs:
            self._transport.want(item, job.node, job, self._arrived, job)

    def _make_job(self, course: Course, seen: Observation, number: int, priority: float) -> Job:
        task, subtask, stage, modality = course.task, seen.subtask, seen.stage, seen.modality
        node = self._plant.nodes[number]
        model = node.models[node.model_for[modality]]
        prompt, output = seen.prompt_tokens, task.output[subtask]
        expected = task.expected_output[subtask]
        before = before_tokens_s(model, node.speed, stage, modality, prompt + output, task.demand_s[subtask])
        first, last = alone_s(model, before, prompt, output)
        foreseen = before_tokens_s(
            model, node.speed, stage, modality, prompt + expected, task.expected_demand_s[subtask]
        )
        table = course.table(subtask)
        interface_s = float(table.interface_s[table.row[number]])
        return Job(
            task=task,
            subtask=subtask,
            node=number,
            model=node.model_for[modality],
            priority=priority,
            prompt=prompt,
            output=output,
            before_tokens_s=before,
            first_after_s=first,
            last_after_s=last,
            expected_service_s=interface_s + alone_s(model, foreseen, prompt, expected)[1],
            ready_s=self._kernel.now,
        )

    def _arrived(self, job: Job) -> None:
        """One of the things that a job needs is there."""
        job.missing -= 1
        if job.missing == 0:
            self._servers[job.node].enter(job)

    def served(self, job: Job) -> None:
        """A job has been served: its answer appears, and what waited for it may be ready."""
        course = self.courses[job.task.number]
        graph = job.task.graph
        self._account(course, job)
        self._knowledge[job.task.home].hearing.add(job)
        self._witness.subtask_done(job)
        answer = Item(job.node, self._bytes_per_token * job.output)
        course.answers[job.subtask] = answer
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

    def _account(self, course: Course, job: Job) -> None:
        """Cost, energy, and whether the answer is right."""
        node = self._plant.nodes[job.node]
        bill(job, node)
        course.cost_usd += job.cost_usd
        course.energy_j += job.energy_j
        task, subtask = job.task, job.subtask
        before = (course.jobs[number] for number in task.graph.predecessors[subtask])
        chance = chance_of_right(
            self._quality,
            node.models[job.model],
            task.graph.stages[subtask],
            task.graph.modalities[subtask],
            task.difficulty[subtask],
            sum(1 for earlier in before if earlier is not None and not earlier.is_correct),
        )
        job.is_correct = chance > task.luck[subtask]

    def _answer_home(self, course: Course) -> None:
        course.sinks_left -= 1
        if course.sinks_left == 0:
            del self.courses[course.task.number]
            self.completed += 1
            self._witness.task_done(course, self._kernel.now)

    def choose_job(self, jobs: Sequence[Job]) -> int:
        """Which of the jobs that wait at a node goes next, as the agent says."""
        station = self._plant.nodes[jobs[0].node].id
        return self._choose(station, jobs, [job.entered_s for job in jobs], [0.0] * len(jobs))

    def choose_transfer(self, transfers: Sequence[Transfer]) -> int:
        """Which of the transfers that wait at a link goes next, as the agent says."""
        station = self._plant.links[transfers[0].link].id
        jobs = [transfer.job for transfer in transfers]
        joined_s = [transfer.queued_s for transfer in transfers]
        return self._choose(station, jobs, joined_s, [transfer.item.size_bytes for transfer in transfers])

    def _choose(self, station: str, jobs: Sequence[Job], joined_s: Sequence[float], sizes: Sequence[float]) -> int:
        courses = [self.courses[job.task.number] for job in jobs]
        now_s, reference_s = self._kernel.now, self._setting.latency_reference_s
        observation = observe_order(station, now_s, reference_s, jobs, courses, joined_s, sizes)
        return read_decision(self._agent.decide(observation), len(jobs), self._agent)[0]
