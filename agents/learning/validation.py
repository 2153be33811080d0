"""How good a policy is while it learns: its objective on seeds that it never plays, beside that of rules.

A policy that learns on several scenarios is measured on all of them in turn. Their objectives differ in size, so each
counts relative to that of the rule that is best on its scenario.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from simoffload.decision import Agent
from simoffload.run.agents import load_agent
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.schema.scenario import Horizon

VALIDATION_SEEDS = 2_000_000_000
"""Where the seeds of validation runs begin."""
RULES = ("eft", "weighted-greedy", "critical-path")
"""The rules that a policy is measured against as it learns."""


class Validation:
    """Runs on fixed seeds, the scenarios taking turns; `rules` holds each rule's objective in every run, once known."""

    def __init__(self, scenarios: Sequence[Scenario], seeds: int, tasks: int) -> None:
        self._turns = len(scenarios)
        self._runs = [from_empty(scenarios[k % self._turns], VALIDATION_SEEDS + k, tasks) for k in range(seeds)]
        self.rules: dict[str, list[float]] = {}

    def measure_rules(self, pool: Executor) -> None:
        """Let the rules play, unless they have."""
        if not self.rules:
            self.rules = {name: self._play(pool, name) for name in RULES}

    def score(self, pool: Executor, agent: Agent) -> float:
        """Mean objective of an agent, of several scenarios relative to the best rule on each."""
        return self._mean(self._play(pool, agent))

    def of_rules(self) -> dict[str, float]:
        """The same of each rule."""
        return {name: self._mean(found) for name, found in self.rules.items()}

    def _play(self, pool: Executor, who: str | Agent) -> list[float]:
        return list(pool.map(measure, self._runs, [who] * len(self._runs)))

    def _mean(self, objectives: Sequence[float]) -> float:
        if self._turns == 1:
            return float(np.mean(objectives))
        ratios = []
        for turn in range(min(self._turns, len(objectives))):
            best = min(float(np.mean(found[turn :: self._turns])) for found in self.rules.values())
            ratios.append(float(np.mean(objectives[turn :: self._turns])) / best)
        return float(np.mean(ratios))


def from_empty(scenario: Scenario, seed: int, tasks: int) -> Scenario:
    """The scenario on a seed, with every task measured."""
    horizon = Horizon.model_construct(tasks=tasks, time=None)
    return scenario.model_copy(update={"seed": seed, "horizon": horizon, "warm_up": 0.0})


def measure(scenario: Scenario, who: str | Agent) -> float:
    """Mean objective per task of an agent, or of the one of this name."""
    agent = load_agent(who) if isinstance(who, str) else who
    world = World(scenario, agent, statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf)
    return world.recorder.objective.mean
