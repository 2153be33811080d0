"""The simulator's own station, fed by a plain source: kernel, line and server, with their statistics.

`waits_s` keeps the running statistics of the station (mean and greatest numbers waiting and in service, waiting times,
Little's law). `recorded_waits_s` also makes a task of every job and writes a full row about it to disk, as a run does.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from simoffload.plant import PlantNode, build_plant
from simoffload.run.recorder import Recorder
from simoffload.schema import Scenario, load_scenario, whole_catalogue
from simoffload.tasks import Task
from simoffload.tasks.graph import TaskGraph, build_graph
from simoffload.world.job import Job
from simoffload.world.kernel import ARRIVAL, Call, Kernel
from simoffload.world.line import FifoLine
from simoffload.world.slots import SlotsServer

from .load import Load

MakeJob = Callable[[int, float, float], Job]
"""(number, arrival in s, service in s) -> job."""


class Source:
    """Lets the jobs of a load enter a server."""

    def __init__(self, kernel: Kernel, server: SlotsServer, load: Load, make_job: MakeJob) -> None:
        self._kernel = kernel
        self._enter = server.enter
        self._make_job = make_job
        self._gaps_s, self._services_s = load.gaps_s, load.services_s
        self._jobs = load.jobs
        self._arrived = 0
        self._call = Call(self._arrive)
        kernel.at(next(self._gaps_s), ARRIVAL, self._call)

    def _arrive(self, item: None) -> None:
        now = self._kernel.now
        self._enter(self._make_job(self._arrived, now, next(self._services_s)))
        self._arrived += 1
        if self._arrived < self._jobs:
            self._kernel.at(now + next(self._gaps_s), ARRIVAL, self._call)


def waits_s(load: Load) -> list[float]:
    """The wait of every job; jobs are the subtasks of one task without end."""
    graph, waits = _graph(), [0.0] * load.jobs
    task = _task(graph, -1, 0.0, 0.0)

    def done(job: Job) -> None:
        waits[job.subtask] = job.start_s - job.entered_s

    kernel = Kernel()
    server = SlotsServer(kernel, _node(load.servers), FifoLine(), done)
    _run(kernel, server, load, partial(_job, task))
    return waits


def recorded_waits_s(load: Load) -> list[float]:
    """The same with a task per job, rows of all jobs on disk, and the statistics of a run."""
    graph, waits = _graph(), [0.0] * load.jobs

    def make_job(number: int, now_s: float, service_s: float) -> Job:
        return _job(_task(graph, number, now_s, service_s), 0, now_s, service_s)

    def done(job: Job) -> None:
        waits[job.task.number] = job.start_s - job.entered_s
        subtask_done(job)

    with tempfile.TemporaryDirectory() as directory:
        recorder = Recorder(_scenario(load.servers).objective, 1, 0.0, Path(directory), 1, lambda parts: None)
        subtask_done = recorder.subtask_done
        kernel = Kernel()
        server = SlotsServer(kernel, _node(load.servers), FifoLine(), done)
        _run(kernel, server, load, make_job)
        recorder.nodes_seen([server.occupancy], kernel.now)
        recorder.close()
    return waits


def _run(kernel: Kernel, server: SlotsServer, load: Load, make_job: MakeJob) -> None:
    Source(kernel, server, load, make_job)
    kernel.advance(math.inf)
    seen = server.occupancy.summary(kernel.now)
    assert seen.starts == seen.completions == load.jobs and seen.little_residual < 1e-6


def _job(task: Task, number: int, now_s: float, service_s: float) -> Job:
    """By position: arguments by name would take as long as an event."""
    node = model = prompt = output = 0
    priority, expected_s = 0.0, 1.0
    return Job(
        task, number, node, model, priority, prompt, output, service_s, service_s, service_s, expected_s, now_s,
    )  # fmt: skip


def _task(graph: TaskGraph, number: int, now_s: float, service_s: float) -> Task:
    return Task(
        workload=0,
        home=0,
        arrival_s=now_s,
        graph=graph,
        weight=1.0,
        deadline_s=math.inf,
        max_output=1,
        prompt=[0],
        output=[0],
        expected_output=[0.0],
        payload_bytes=[0.0],
        demand_s=[service_s],
        expected_demand_s=[1.0],
        difficulty=[0.0],
        luck=[0.0],
        api_noise=[0.0],
        number=number,
    )


@cache
def _graph() -> TaskGraph:
    return build_graph([0], [0], [[]])


@cache
def _scenario(servers: int) -> Scenario:
    station = "{id: station, hardware: counter, models: [clerk], discipline: fifo, server: {kind: slots, slots: %d}}"
    return load_scenario("theory/mm1", [f"edges=[{station % servers}]"])


@cache
def _node(servers: int) -> PlantNode:
    scenario = _scenario(servers)
    return build_plant(scenario, whole_catalogue(scenario)).nodes[0]
