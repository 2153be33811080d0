"""The optimum is what trying everything in the simulator finds, and no agent is below the bound."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.bounds import Optimum, Service, optimum, replay, simulated_objective, static_instance
from simoffload.plant import LINK_KINDS
from simoffload.run.agents import agent_names, load_agent
from simoffload.schema import Scenario

from .plants import small, static_small, template

ROUNDING = 0.01
"""Relative: what a grid of a millisecond may do to services of about a second."""
READ, LOOK = "id: read, output: 2 tok, demand: 1 s", "id: look, modality: image, output: 4 tok, demand: 2 s"
TELL = "id: tell, after: [read, look], output: 1 tok, demand: 3 s"
JOINED = template(READ, LOOK, TELL), template(LOOK, READ, TELL)
"""One graph with its subtasks in either order: of those that are ready at once the first finds stations free."""
SEEN = "id: look, modality: image, output: 20 tok, demand: 1 s"
LONG, SHORT = "id: long, after: [look], output: 1 tok, demand: 8 s", "id: short, after: [look], demand: 6 s"
SHARED = template(SEEN, LONG, SHORT), template(SEEN, SHORT, LONG)
CHEAP = "clouds.cloud.amortisation=0.1 USD/s"
PLANTS = {
    "plain": (JOINED, ()),
    "latency alone": (JOINED, ("objective.latency_weight=1",)),
    "cost alone": (JOINED, ("objective.latency_weight=0",)),
    "two sites": (JOINED, ("edges.eye.site=yard", "edges.eye.lan=null")),
    "fast lines": (JOINED, (CHEAP, "links.line.channel=80 Mbit/s")),
    "one slot": (JOINED, (CHEAP, "clouds.cloud.server.slots=1")),
    "two carriers": (JOINED, (CHEAP, "links.line.copies=2")),
    "no links": (JOINED, tuple(f"edges.{edge}.{link}=null" for edge in ("slow", "eye") for link in LINK_KINDS)),
    "shared answer": (SHARED, (CHEAP,)),
    "shared answer on a slow line": (SHARED, ("links.line.channel=2 Mbit/s", "edges.eye.speed=0.5")),
}


@cache
def solved(seed: int, tasks: int) -> Optimum:
    """The optimum of the bundled scenario with so many tasks."""
    return optimum(static_instance(static_small(seed, tasks)))


def best_in_the_simulator(scenario: Scenario) -> float:
    """The least objective over all nodes and all orders of the subtasks."""
    operations = static_instance(scenario).operations
    ranks = list(permutations(range(len(operations))))
    found = float("inf")
    for nodes in product(*([option.node for option in operation.options] for operation in operations)):
        for order in ranks:
            placed = zip(operations, nodes, order, strict=True)
            plan = [Service(each.task, each.subtask, node, float(rank), float(rank)) for each, node, rank in placed]
            found = min(found, replay(scenario, plan))
    return found


@pytest.mark.parametrize("name", PLANTS)
def test_the_optimum_is_what_trying_everything_finds(name: str) -> None:
    graphs, changes = PLANTS[name]
    scenarios = [small(graph, *changes) for graph in graphs]
    best, found = min(map(best_in_the_simulator, scenarios)), optimum(static_instance(scenarios[0]))
    assert found.status == "optimal"
    assert found.bound == pytest.approx(found.objective, rel=1e-6)
    assert best * (1 - ROUNDING) <= found.bound <= best


def test_a_single_subtask_goes_where_it_is_cheapest() -> None:
    """At home 1 s and 0.1 USD; on the other node 0.15 + 0.5 + 0.05 s and 0.05 USD; in the cloud 0.65 s and 0.25 USD."""
    found = optimum(static_instance(small(template("id: only, demand: 1 s"))))
    assert found.objective == pytest.approx(0.5 * 0.7 + 0.5 * 0.05, abs=1e-6)
    assert found.schedule == (Service(0, 0, 1, pytest.approx(0.15), pytest.approx(0.65)),)


@pytest.mark.parametrize("seed", range(1, 7))
def test_the_optimum_of_a_single_task_can_be_played(seed: int) -> None:
    found = solved(seed, 1)
    assert found.status == "optimal"
    played = replay(static_small(seed), found.schedule)
    assert found.bound <= played <= found.objective * (1 + ROUNDING)


def test_the_schedule_keeps_the_rules() -> None:
    instance, schedule = static_instance(static_small(2, 2)), solved(2, 2).schedule
    for operation, service in zip(instance.operations, schedule, strict=True):
        assert (service.task, service.subtask) == (operation.task, operation.subtask)
        (option,) = (option for option in operation.options if option.node == service.node)
        assert service.finish_s - service.start_s == pytest.approx(option.service_s, abs=0.001)
        for before in operation.predecessors:
            made = schedule[before]
            travel = instance.journey(made.node, service.node, instance.operations[before].answer_bytes)
            assert service.start_s >= made.finish_s + travel.least_s - 0.005
        home = instance.homes[operation.task]
        assert service.start_s >= instance.journey(home, service.node, operation.payload_bytes).least_s - 0.005
    for node in instance.plant.nodes:
        here = [service for service in schedule if service.node == node.number]
        for service in here:
            at_once = [other for other in here if other.start_s <= service.start_s < other.finish_s - 1e-9]
            assert len(at_once) <= node.capacity


@pytest.mark.parametrize("agent", agent_names())
def test_no_agent_is_below_the_bound(agent: str) -> None:
    for seed, tasks in ((1, 1), (2, 1), (2, 2), (5, 2)):
        objective = simulated_objective(static_small(seed, tasks), load_agent(agent))
        assert objective >= solved(seed, tasks).bound * (1 - 1e-9)


@st.composite
def plants(draw: st.DrawFn) -> Scenario:
    """The small plant with other speeds, lines, sizes, weights, and one to three tasks."""
    homes = draw(st.sampled_from(["[slow]", "[eye]", "[slow, eye]"]))
    return small(
        f"seed={draw(st.integers(0, 999))}",
        f"horizon.tasks={draw(st.integers(1, 3))}",
        f"objective.latency_weight={draw(st.sampled_from([0.1, 0.5, 0.9, 1]))}",
        f"edges.eye.speed={draw(st.sampled_from([0.3, 1, 2]))}",
        f"edges.slow.discipline={draw(st.sampled_from(['agent', 'fifo', 'wspt']))}",
        f"edges.eye.site={draw(st.sampled_from(['hall', 'yard']))}",
        f"clouds.cloud.server.slots={draw(st.integers(1, 2))}",
        f"clouds.cloud.amortisation={draw(st.sampled_from([0.1, 2]))} USD/s",
        f"links.line={{channel: {draw(st.sampled_from([1, 8, 100]))} Mbit/s, copies: {draw(st.integers(1, 2))}}}",
        f"workloads.work.homes={homes}",
        f"workloads.work.arrivals.period={draw(st.sampled_from([0.3, 2]))} s",
        f"workloads.work.weight={draw(st.sampled_from(['1', '{kind: choice, values: [0, 1, 4]}']))}",
        "workloads.work.modalities={image: {payload: {kind: uniform, low: 0 B, high: 2 MB}}}",
        "workloads.work.stages.analyze={output: {kind: uniform, low: 0 tok, high: 20 tok}, demand: 1 s}",
        "workloads.work.stages.explain={output: 3 tok, demand: {kind: exponential, mean: 1 s}}",
        "workloads.work.template={kind: explain-analyze-generate, analyze: {min: 1, max: 2}, join: subset}",
    )


@settings(max_examples=15)
@given(plants(), st.sampled_from(["random", "eft-wspt", "weighted-greedy-rank", "critical-path", "all-edge"]))
def test_nobody_is_below_the_bound_whatever_the_plant(scenario: Scenario, agent: str) -> None:
    instance = static_instance(scenario)
    found = optimum(instance, effort=0.2)
    assert found.bound <= found.objective * (1 + 1e-9)
    assert simulated_objective(instance.scenario, load_agent(agent)) >= found.bound * (1 - 1e-9)
    if found.schedule:
        assert replay(instance.scenario, found.schedule) >= found.bound * (1 - 1e-9)


def test_the_same_instance_gives_the_same_answer() -> None:
    again = optimum(static_instance(static_small(2)))
    assert replace(again, wall_s=0.0) == replace(solved(2, 1), wall_s=0.0)


def test_a_finer_grid_raises_the_bound() -> None:
    instance = static_instance(static_small(3))
    bounds = [optimum(instance, tick_s=tick_s).bound for tick_s in (0.1, 0.01, 0.001)]
    assert bounds[0] < bounds[1] < bounds[2]


def test_without_effort_the_bound_is_still_one() -> None:
    instance = static_instance(static_small(1, 3))
    found = optimum(instance, effort=0.01)
    assert found.status in ("feasible", "unknown")
    assert 0 <= found.bound < found.objective
    assert simulated_objective(instance.scenario, load_agent("eft")) > found.bound


def test_without_the_solver_one_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = static_instance(small())
    monkeypatch.setitem(sys.modules, "ortools.sat.python", None)
    monkeypatch.delitem(sys.modules, "simoffload.agents.bounds.model", raising=False)
    with pytest.raises(ModuleNotFoundError, match=r"an optimum needs simoffload\[bounds\]"):
        optimum(instance)
