"""CPU time of a decision of every agent that comes along, on the smart factory: observing and deciding, and the run.

An agent's answers are timed where the dispatcher asks for them; what an observation works out when it is first read is
then part of the time. The clock's own time is measured and taken off.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simoffload.decision import Agent, Decision, Setting
from simoffload.run.agents import agent_names, load_agent
from simoffload.run.recorder import statistics_of
from simoffload.run.references import with_references
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario


@dataclass(frozen=True, slots=True)
class AgentCost:
    """Medians over the rounds of CPU times, us."""

    name: str
    decision_us: float
    """A decision, the observation included."""
    subtask_us: float
    """A subtask in all, the world and the decisions about it together, without records."""


class Timed:
    """An agent with a clock beside it."""

    def __init__(self, agent: Agent) -> None:
        self.order = agent.order
        self.cpu_s = 0.0
        self.asked = 0
        self._agent = agent

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Pass it on."""
        self._agent.reset(setting, generator)

    def decide(self, observation: Any) -> Decision:
        """Pass it on, and count the time."""
        began = time.thread_time()
        decision = self._agent.decide(observation)
        self.cpu_s += time.thread_time() - began
        self.asked += 1
        return decision


def scenario_of(tasks: int) -> Scenario:
    """The smart factory with so many tasks, all of which count."""
    return with_references(load_scenario("smart-factory", [f"horizon={{tasks: {tasks}}}", "warm_up=0 s"]))


def agent_costs(scenario: Scenario, rounds: int, names: Sequence[str] | None = None) -> list[AgentCost]:
    """The costs of the agents of these names, all by default, in rounds of one run each."""
    names = agent_names() if names is None else names
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    clock_s = _clock_s()
    for _ in range(rounds):
        for name in names:
            seen[name].append(_run(scenario, name, clock_s))
    return [
        AgentCost(name, *(1e6 * statistics.median(column) for column in zip(*seen[name], strict=True)))
        for name in names
    ]


def _run(scenario: Scenario, name: str, clock_s: float) -> tuple[float, float]:
    """CPU seconds per decision and per subtask of a run."""
    agent = Timed(load_agent(name))
    recorder = statistics_of(scenario)
    world = World(scenario, agent, recorder)
    began = time.thread_time()
    world.begin()
    world.kernel.advance(math.inf)
    run_s = time.thread_time() - began - 2 * clock_s * agent.asked
    subtasks = sum(server.occupancy.completions for server in world.servers)
    return agent.cpu_s / agent.asked - clock_s, run_s / subtasks


def _clock_s(calls: int = 20_000) -> float:
    """What reading the clock adds between two readings."""
    began = time.thread_time()
    for _ in range(calls):
        time.thread_time()
    return (time.thread_time() - began) / calls
