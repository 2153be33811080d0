"""A routing problem is read off a scenario that poses one; in the simulator its best table costs what it should."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simoffload.agents.bounds import ByTable, Routing, RoutingError, Solution, average_cost, routing_of, solve
from simoffload.agents.learning import loop
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.learning.settings import TrainingSettings
from simoffload.agents.learning.training import Training
from simoffload.agents.learning.validation import from_empty, measure
from simoffload.decision import Agent
from simoffload.decision.course import Course
from simoffload.run.agents import load_agent
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from tests.agents.learning.test_training import InTurn, go_on
from tests.oracle.theory import batch_interval
from tests.world.worlds import Keeper

JOBS = 8000


def _scenario(*settings: str) -> Scenario:
    return load_scenario("theory/routing", settings)


@cache
def _solution() -> Solution:
    return solve(routing_of(_scenario()))


class _Costs(Keeper):
    """Keeps what each job after the warm-up came to, in order of completion."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.of_jobs: list[float] = []

    def task_done(self, course: Course, now_s: float) -> None:
        before = self.objective.sum
        super().task_done(course, now_s)
        if course.task.arrival_s >= 1000:
            self.of_jobs.append(self.objective.sum - before)


def _mean_cost(agent: Agent, jobs: int) -> tuple[float, float]:
    """Simulated objective per job, and the half width of its 95 % interval."""
    scenario = _scenario(f"horizon={{tasks: {jobs}}}")
    costs = _Costs(scenario)
    world = World(scenario, agent, costs)
    world.begin()
    world.kernel.advance(math.inf)
    return batch_interval(costs.of_jobs)


def test_the_bundled_scenario_is_the_problem_it_describes() -> None:
    routing = routing_of(_scenario())
    assert routing == Routing(1.2, (1.0, 0.5), 0.5, (0.0, 0.0), pytest.approx(0.5 * 1 + 0.5 * 6))
    assert routing.places == (7, 3)


def test_work_at_an_edge_node_is_charged_by_the_second() -> None:
    routing = routing_of(
        _scenario("edges.slow.amortisation=3 USD/s", "workloads.customers.weight=2", "objective.latency_reference=4 s")
    )
    assert routing.busy_costs == (0.0, pytest.approx(1.5))
    assert routing.holding_cost == pytest.approx(0.25)


def test_homes_add_up() -> None:
    assert routing_of(_scenario("workloads.customers.homes=all")).arrival_rate == pytest.approx(2.4)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("workloads.customers.arrivals={kind: gamma, rate: 1 /s, cv: 2}", "needs arrivals of kind poisson without"),
        ("workloads.customers.template={kind: layered}", "needs a written template of a single subtask"),
        (
            "workloads.customers.template={kind: written, subtasks: [{id: one, demand: 1 s}]}",
            "subtask 'one' needs a demand of kind exponential with a mean above 0",
        ),
        ("workloads.customers.stages={explain: {output: 3 tok}}", "subtask 'service' has tokens or a payload"),
        ("workloads.customers.modalities={text: {payload: 3 kB}}", "subtask 'service' has tokens or a payload"),
        ("workloads.customers.weight={kind: choice, values: [1, 2]}", "has tasks of unequal weight"),
        ("workloads.customers.weight=0", "waiting costs nothing"),
        ("objective.latency_weight=0", "waiting costs nothing"),
        ("clouds=[]", "the plant has 0 clouds; it needs one"),
        ("clouds.cloud.server.slots=5", "node 'cloud' has 5 slots, so few that jobs might wait there"),
        ("clouds.cloud.server={kind: batching, max_batch: 9}", "node 'cloud' needs a server of kind slots"),
        ("edges.slow.server={kind: slots, slots: 2}", "node 'slow' needs a server of kind slots, with a single one"),
        (
            "edges.slow.slowdown={kind: random, factor: 2, mean_between: 1 s, mean_lasting: 1 s}",
            "node 'slow' slows down at times; its services are not exponential then",
        ),
        ("clouds.cloud.delay=1 s", "jobs must be where they go at once"),
        ("edges.slow.lan={channel: 1 Mbit/s}", "jobs must be where they go at once"),
    ],
)
def test_another_problem_is_refused(setting: str, message: str) -> None:
    with pytest.raises(RoutingError, match=message):
        routing_of(_scenario(setting))


@pytest.mark.long
def test_the_best_table_costs_in_the_simulator_what_value_iteration_says() -> None:
    mean, half = _mean_cost(ByTable(_solution().table), JOBS)
    assert half < 0.06 * mean
    assert abs(mean - _solution().cost_per_job) < half


@pytest.mark.long
def test_another_table_costs_what_its_balance_equations_say() -> None:
    table = np.zeros_like(_solution().table)
    table[-1] = 2
    expected = average_cost(routing_of(_scenario()), table)
    mean, half = _mean_cost(ByTable(table), JOBS)
    assert expected > _solution().cost_per_job
    assert abs(mean - expected) < half


RULES = ("random", "join-shortest-queue", "eft", "weighted-greedy", "critical-path", "threshold-router")


@pytest.mark.long
@pytest.mark.parametrize("agent", RULES)
def test_no_agent_costs_less(agent: str) -> None:
    mean, half = _mean_cost(load_agent(agent), JOBS // 2)
    assert mean + half > _solution().cost_per_job


def learned_in(directory: Path, scheme: str) -> str:
    """A policy of 10 000 decisions."""
    settings = replace(SCHEMES[scheme].settings, orders=False, kappa=1.0, actor_rate=1e-2, trace=0.9)
    budget = TrainingSettings(
        batches=10, episodes=4, tasks=250, validate_every=10, validation_seeds=1, validation_tasks=100
    )
    Training([_scenario()], replace(SCHEMES[scheme], settings=settings), budget, 1, directory).run(1, go_on)
    return f"trained:{directory / 'policy'}"


def cost_of(agent: str | Agent) -> float:
    """On held-out seeds, which all play."""
    return float(np.mean([measure(from_empty(_scenario(), seed, 1000), agent) for seed in range(1, 5)]))


@pytest.mark.long
def test_a_policy_that_learns_comes_within_5_percent_of_the_best_table_and_below_every_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)
    best = cost_of(ByTable(_solution().table))
    assert best == pytest.approx(_solution().cost_per_job, rel=0.1)
    learned = cost_of(learned_in(tmp_path, "ucb-coma"))
    assert learned < 1.05 * best
    assert learned < min(map(cost_of, RULES))


@pytest.mark.long
def test_the_bias_of_argmax_keeps_it_far_from_the_best_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "ProcessPoolExecutor", InTurn)
    assert cost_of(learned_in(tmp_path, "ucb-coma-argmax")) > 1.1 * cost_of(ByTable(_solution().table))
