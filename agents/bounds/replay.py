"""Runs of static instances in the simulator: what an agent's decisions come to, and those of a schedule.

A schedule is played by an agent that sends every subtask where it says, with its start as the priority. That need not
give the schedule's own objective: a station of the simulator never waits for something more urgent to come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simoffload.decision import Decision
from simoffload.run.recorder import statistics_of
from simoffload.run.references import with_references
from simoffload.run.world import World

from .solution import Service

if TYPE_CHECKING:
    from simoffload.decision import Agent, Observation, Setting
    from simoffload.schema import Scenario


def simulated_objective(scenario: Scenario, agent: Agent) -> float:
    """The objective summed over all tasks of a scenario that ends with its last task, those of a warm-up included."""
    scenario = with_references(scenario).model_copy(update={"warm_up": 0.0})
    recorder = statistics_of(scenario)
    world = World(scenario, agent, recorder)
    world.begin()
    world.kernel.advance(math.inf)
    return recorder.objective.sum


def replay(scenario: Scenario, schedule: Sequence[Service]) -> float:
    """The objective that a schedule of the scenario's tasks comes to when the simulator plays it."""
    return simulated_objective(scenario, _Scheduled(schedule))


class _Scheduled:
    """Does what a schedule says."""

    order = "fifo"

    def __init__(self, schedule: Sequence[Service]) -> None:
        self._planned = {(service.task, service.subtask): service for service in schedule}

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """All is in the schedule."""

    def decide(self, observation: Observation) -> Decision:
        service = self._planned[observation._course.task.number, observation.subtask]
        return Decision(observation.candidates.tolist().index(service.node), service.start_s)
