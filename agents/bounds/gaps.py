"""How far agents are from the optimum on static instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simoffload.estimates import mean_and_half_width
from simoffload.run.agents import load_agent
from simoffload.schema import Scenario

from .instance import static_instance
from .optimum import EFFORT, optimum
from .replay import simulated_objective
from .solution import Optimum


@dataclass(frozen=True, slots=True)
class Gap:
    """An agent on an instance."""

    scenario: str
    seed: int
    agent: str
    objective: float
    """Summed over the tasks, as simulated."""
    optimum: Optimum
    """Of the instance; the same object for all agents."""

    @property
    def ratio(self) -> float:
        """Objective / bound, at least 1: to the optimum if that was proved, else at most so much above it."""
        return self.objective / self.optimum.bound


@dataclass(frozen=True, slots=True)
class GapSummary:
    """An agent over all instances, as mean +- half width of the ratios."""

    agent: str
    instances: int
    proved: int
    """Instances whose optimum was proved."""
    mean_ratio: float
    half_width: float
    """Of the interval of 95 % by Student's t; inf of a single instance."""
    worst_ratio: float


def gaps(scenarios: Iterable[Scenario], agents: Sequence[str], effort: float = EFFORT) -> tuple[Gap, ...]:
    """Every agent on every scenario, instance by instance.

    `effort` bounds the solver as in `optimum`. AgentError for an unknown agent, InstanceError for a scenario that is
    no static instance.
    """
    players = {name: load_agent(name) for name in agents}
    rows = []
    for scenario in scenarios:
        instance = static_instance(scenario)
        best = optimum(instance, effort)
        for name, agent in players.items():
            objective = simulated_objective(instance.scenario, agent)
            rows.append(Gap(scenario.name, scenario.seed, name, objective, best))
    return tuple(rows)


def summarise(rows: Sequence[Gap]) -> tuple[GapSummary, ...]:
    """A line per agent, in the order in which they come."""
    return tuple(_summary(name, [row for row in rows if row.agent == name]) for name in _names(rows))


def _names(rows: Sequence[Gap]) -> Iterable[str]:
    return dict.fromkeys(row.agent for row in rows)


def _summary(agent: str, rows: Sequence[Gap]) -> GapSummary:
    ratios = [row.ratio for row in rows]
    mean, half_width = mean_and_half_width(ratios, 0.95)
    return GapSummary(
        agent=agent,
        instances=len(rows),
        proved=sum(row.optimum.status == "optimal" for row in rows),
        mean_ratio=mean,
        half_width=half_width,
        worst_ratio=max(ratios),
    )
