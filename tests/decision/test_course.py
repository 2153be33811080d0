"""Expected ways to the end of a task are those of the published recursions, written out literally."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from simoffload.decision.course import Course
from simoffload.decision.tables import Tables
from simoffload.plant import Plant, build_plant
from simoffload.random_streams import Streams
from simoffload.schema import Scenario, load_scenario_text, whole_catalogue
from simoffload.tasks import Task, build_graph
from simoffload.world.channels import make_channel
from simoffload.world.source import make_sources
from tests.decision.by_hand import TEXT, plant, task
from tests.oracle.nodes import MODALITIES, Node
from tests.oracle.world import Oracle
from tests.strategies import scenarios


@dataclass(eq=False)
class Literal:
    """HEFT's and PEFT's tables of a task, as the papers write them, from a scenario's own numbers."""

    scenario: Scenario
    task: Task
    mean_bps: dict[int, float]

    def __post_init__(self) -> None:
        self.oracle = Oracle(self.scenario, [], lambda *_: (0, 0.0), {})
        self.rank_s = cache(self._rank_s)
        self.optimistic_s = cache(self._optimistic_s)

    def service_s(self, subtask: int, node: Node) -> float:
        """w(i, n): seconds on an idle node, token by token; inf where it cannot run."""
        graph, prompt = self.task.graph, self.task.prompt[subtask]
        prompt += sum(self.task.expected_output[before] for before in graph.predecessors[subtask])
        output, demand_s = self.task.expected_output[subtask], self.task.expected_demand_s[subtask]
        try:
            model = node.model_for(graph.stages[subtask], graph.modalities[subtask])
        except LookupError:
            return math.inf
        overhead_s = 0.0
        if node.server.kind == "api":
            overhead_s = node.server.overhead_median * math.exp(node.server.overhead_sigma**2 / 2)
        if prompt == output == 0:
            return overhead_s + demand_s / node.speed
        law = model.law
        seconds = law.prefill_overhead + demand_s + prompt / law.prefill
        if graph.stages[subtask] == 0:
            seconds += model.encoder.get(MODALITIES[graph.modalities[subtask]], 0.0)
        for written in range(1, int(output)):
            seconds += law.decode + law.decode_per_sequence + law.decode_per_context * (prompt + written)
        return float(overhead_s + seconds / node.speed)

    def nodes(self, subtask: int) -> list[Node]:
        return [node for node in self.oracle.nodes if self.service_s(subtask, node) < math.inf]

    def handover_s(self, subtask: int) -> float:
        """The mean time of the subtask's answer from the task's home to the nodes that could have run it."""
        bits = 8 * self.scenario.bytes_per_token * self.task.expected_output[subtask]
        times = []
        for node in self.nodes(subtask):
            legs = self.oracle._legs(self.task.home, node.number) if node.number != self.task.home else []
            times.append(math.fsum(bits / self.mean_bps[what] if kind == "link" else what for kind, what in legs))
        return math.fsum(times) / len(times)

    def _rank_s(self, subtask: int) -> float:
        nodes = self.nodes(subtask)
        mean_s = math.fsum(self.service_s(subtask, node) for node in nodes) / len(nodes)
        return mean_s + self.tail_s(subtask)

    def tail_s(self, subtask: int) -> float:
        after = self.task.graph.successors[subtask]
        return self.handover_s(subtask) + max(self.rank_s(each) for each in after) if after else 0.0

    def _optimistic_s(self, subtask: int, number: int) -> float:
        return max((self._least_s(subtask, number, after) for after in self.task.graph.successors[subtask]), default=0)

    def _least_s(self, subtask: int, number: int, after: int) -> float:
        return min(
            self.optimistic_s(after, node.number)
            + self.service_s(after, node)
            + (0.0 if node.number == number else self.handover_s(subtask))
            for node in self.nodes(after)
        )


def mean_rates(scenario: Scenario, plan: Plant) -> dict[int, float]:
    streams = Streams(scenario.seed)
    return {n: make_channel(link.spec.channel, streams, link.id).mean_bps for n, link in plan.links.items()}


def courses(scenario: Scenario) -> Iterator[tuple[Course, Literal]]:
    """A few tasks of every source of a scenario."""
    plan = build_plant(scenario, whole_catalogue(scenario))
    rates = mean_rates(scenario, plan)
    tables = Tables(plan, rates)
    for source in make_sources(scenario, [edge.id for edge in scenario.edges], Streams(scenario.seed)):
        for each in islice(iter(source.next, None), 2):
            yield Course(each, tables, scenario.bytes_per_token), Literal(scenario, each, rates)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_ranks_and_optimistic_costs_are_those_of_the_recursions(written: dict[str, Any]) -> None:
    for course, literal in courses(load_scenario_text(json.dumps(written))):
        subtasks = range(len(course.task.graph))
        assert course.ranks_s == pytest.approx([literal.rank_s(each) for each in subtasks], rel=1e-9)
        assert course.tails_s == pytest.approx([literal.tail_s(each) for each in subtasks], rel=1e-9)
        for each in subtasks:
            by_node = [literal.optimistic_s(each, node.number) for node in literal.oracle.nodes]
            assert course.optimistic_costs_s[each] == pytest.approx(by_node, rel=1e-9)


def course_of(work: Task, *overrides: str) -> Course:
    scenario = plant(*overrides)
    plan = build_plant(scenario, whole_catalogue(scenario))
    return Course(work, Tables(plan, mean_rates(scenario, plan)), scenario.bytes_per_token)


def test_a_task_is_expected_to_end_after_its_longest_way() -> None:
    # means over the three nodes are 13/12 of the demand; an answer's way takes 0.04/3 s on average
    diamond = build_graph([0, 1, 1, 2], [TEXT] * 4, [(), (0,), (0,), (1, 2)])
    course = course_of(task(diamond, 100.0, demand_s=[1.0, 2.0, 6.0, 3.0]))
    ways = 0.04 / 3
    expected = [10 * 13 / 12 + 2 * ways, 5 * 13 / 12 + ways, 9 * 13 / 12 + ways, 3 * 13 / 12]
    assert course.ranks_s == pytest.approx(expected)
    assert course.tails_s == pytest.approx([9 * 13 / 12 + 2 * ways, *[3 * 13 / 12 + ways] * 2, 0])
    assert course.expected_end_s == pytest.approx(100 + course.ranks_s[0])


def test_a_task_of_several_sources_is_expected_to_end_with_the_longest_of_them() -> None:
    join = build_graph([0, 0, 2], [TEXT] * 3, [(), (), (0, 1)])
    course = course_of(task(join, 1.0, demand_s=[1.0, 5.0, 1.0]))
    assert course.expected_end_s == pytest.approx(1 + 6 * 13 / 12 + 0.04 / 3)


def test_decisions_that_nobody_looked_ahead_at_leave_the_expectation_as_it_was() -> None:
    course = course_of(task(build_graph([0], [TEXT], [()]), demand_s=12.0))
    course.foresee(None)
    assert course.expected_end_s == pytest.approx(13.0)
    course.foresee(20.0)
    assert course.expected_end_s == 20.0


def test_expectations_do_not_know_the_truth() -> None:
    chain = build_graph([0, 1], [TEXT] * 2, [(), (0,)])
    one, other = (
        course_of(task(chain, expected_output=[10.0, 20.0], output=output, demand_s=demand, expected_demand_s=1.0))
        for output, demand in (([10, 20], [1.0, 1.0]), ([900, 1], [70.0, 0.1]))
    )
    assert one.ranks_s == other.ranks_s
    assert [costs.tolist() for costs in one.optimistic_costs_s] == [c.tolist() for c in other.optimistic_costs_s]
