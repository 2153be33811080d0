"""Whole worlds for tests: built from a scenario's dictionaries, run to their end, with everything that ended kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from simoffload.decision import Decision, Setting
from simoffload.decision.course import Course
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.world.item import Item
from simoffload.world.job import Job
from simoffload.world.link import Transfer


def nothing_written(parts: Sequence[Any]) -> None:
    """No files are kept."""


@dataclass(frozen=True)
class Carried:
    """A transfer over one link."""

    item: Item
    target: int
    job: Job
    link: int
    queued_s: float
    start_s: float
    end_s: float
    delivered_s: float


class Keeper(Recorder):
    """A recorder that keeps what it is told."""

    def __init__(self, scenario: Scenario) -> None:
        nodes = len(scenario.edges) + len(scenario.clouds)
        super().__init__(scenario.objective, nodes, scenario.warm_up, None, 0, nothing_written)
        self.jobs: list[Job] = []
        self.transfers: list[Carried] = []
        self.courses: list[tuple[Course, float]] = []
        """Complete tasks, each with the instant at which it was."""

    def subtask_done(self, job: Job) -> None:
        super().subtask_done(job)
        self.jobs.append(job)

    def transfer_done(self, transfer: Transfer, now_s: float) -> None:
        super().transfer_done(transfer, now_s)
        self.transfers.append(
            Carried(
                item=transfer.item,
                target=transfer.target,
                job=transfer.job,
                link=transfer.link,
                queued_s=transfer.queued_s,
                start_s=transfer.start_s,
                end_s=transfer.end_s,
                delivered_s=now_s,
            )
        )

    def task_done(self, course: Course, now_s: float) -> None:
        super().task_done(course, now_s)
        self.courses.append((course, now_s))


class Scripted:
    """Picks a node by a hash of the task's number and the subtask's, and a priority of 0, 1 or 2 likewise."""

    order = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.decisions: dict[tuple[int, int], tuple[int, float]] = {}

    def decide(self, observation: Any) -> Decision:
        key = observation._course.task.number, observation.subtask
        digest = blake2b(repr(key).encode(), digest_size=8).digest()
        choice = int.from_bytes(digest[:4], "little") % len(observation.candidates)
        priority = float(digest[4] % 3)
        self.decisions[key] = int(observation.candidates[choice]), priority
        return Decision(choice, priority)


def world_of(data: dict[str, Any] | Scenario, agent: Any) -> World:
    """A world that has begun; its recorder is a `Keeper`."""
    scenario = data if isinstance(data, Scenario) else Scenario.model_validate(data)
    world = World(scenario, agent, Keeper(scenario))
    world.begin()
    return world


def run(world: World) -> World:
    """Run to the horizon."""
    until_s = world.scenario.horizon.time or math.inf
    world.kernel.advance(until_s)
    if until_s < math.inf and not world.is_over:
        world.kernel.rest_at(until_s)
    return world


def fingerprint(world: World) -> str:
    """The fingerprint of a run that is over."""
    world.wind_up()
    return world.recorder.close()
