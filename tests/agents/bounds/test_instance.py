"""A static instance holds what the simulator would do, to the last digit, and refuses what it cannot hold."""

from __future__ import annotations

import math

import pytest

from simoffload.agents.bounds import InstanceError, instances, static_instance
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario
from tests.world.worlds import Keeper, Scripted

from .plants import small, static_small

SCENARIOS = {
    "small": small(),
    "two sites": small("edges.eye.site=yard", "edges.eye.lan=null", "horizon.tasks=3"),
    "static-small": static_small(4, tasks=3),
}


def _played(scenario: Scenario) -> Keeper:
    """A run of somebody who sends subtasks everywhere."""
    keeper = Keeper(scenario)
    world = World(scenario, Scripted(), keeper)
    world.begin()
    world.kernel.advance(math.inf)
    return keeper


@pytest.mark.parametrize("name", SCENARIOS)
def test_subtasks_take_and_cost_what_they_do_in_a_run(name: str) -> None:
    instance = static_instance(SCENARIOS[name])
    jobs = _played(instance.scenario).jobs
    options = {
        (operation.task, operation.subtask, option.node): option
        for operation in instance.operations
        for option in operation.options
    }
    assert len(jobs) == len(instance.operations)
    for job in jobs:
        option = options[job.task.number, job.subtask, job.node]
        assert option.service_s == pytest.approx(job.finish_s - job.start_s, rel=1e-12)
        assert option.cost_usd == pytest.approx(job.cost_usd, rel=1e-12)


@pytest.mark.parametrize("name", SCENARIOS)
def test_tasks_are_those_that_arrive_in_a_run(name: str) -> None:
    instance = static_instance(SCENARIOS[name])
    courses = sorted((course for course, _ in _played(instance.scenario).courses), key=lambda each: each.task.number)
    assert instance.arrivals_s == tuple(course.task.arrival_s for course in courses)
    assert instance.homes == tuple(course.task.home for course in courses)
    for operation in instance.operations:
        course = courses[operation.task]
        assert operation.payload_bytes == course.task.payload_bytes[operation.subtask]
        answer = course.answers[operation.subtask]
        assert answer is not None and operation.answer_bytes == answer.size_bytes
        before = [instance.operations[number].subtask for number in operation.predecessors]
        assert tuple(before) == course.task.graph.predecessors[operation.subtask]


@pytest.mark.parametrize("name", SCENARIOS)
def test_links_are_taken_up_for_as_long_as_in_a_run(name: str) -> None:
    instance = static_instance(SCENARIOS[name])
    transfers = _played(instance.scenario).transfers
    assert transfers
    for transfer in transfers:
        item = transfer.item
        legs = instance.journey(item.origin, transfer.target, item.size_bytes).legs
        (leg,) = (leg for leg in legs if leg.link == transfer.link)
        assert leg.carry_s == pytest.approx(transfer.end_s - transfer.start_s, abs=1e-9)
        assert leg.delay_s == pytest.approx(transfer.delivered_s - transfer.end_s, abs=1e-9)


def test_prices_are_those_of_the_objective() -> None:
    instance = static_instance(small("objective.latency_reference=4 s", "workloads.work.weight=3"))
    assert instance.latency_prices == (3 * 0.5 / 4,)
    assert instance.cost_price == 0.5


def test_instances_differ_in_their_seeds() -> None:
    scenario = load_scenario("static-small")
    seeds = [each.seed for each in instances(scenario, 3)]
    assert seeds == [scenario.seed, scenario.seed + 1, scenario.seed + 2]
    first, second, _ = (static_instance(each) for each in instances(scenario, 3))
    assert first.operations != second.operations


def test_the_bundled_scenario_has_as_many_subtasks_as_it_says() -> None:
    for scenario in instances(load_scenario("static-small"), 8):
        instance = static_instance(scenario)
        assert instance.scenario == scenario
        assert 12 <= len(instance.operations) <= 18
        assert instance.arrivals_s == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("horizon={time: 1 h}",), "scenario 'small' ends at a time; a static instance needs horizon.tasks"),
        (("warm_up=1 s",), "scenario 'small' has a warm-up; in a static instance all tasks count: set it 0"),
        (("horizon.tasks=100",), "scenario 'small' has more than 60 subtasks; set horizon.tasks lower"),
        (
            ("clouds.cloud.server={kind: batching, max_batch: 4}",),
            "node 'cloud' has a server of kind batching; only slots are static",
        ),
        (
            ("edges.eye.models=[viewer, reader]", "edges.eye.memory=1.5 MB"),
            "node 'eye' cannot hold all its models at once; swapping them is not modelled",
        ),
        (
            ("edges.eye.server={kind: slots, preemption: resume}", "edges.eye.discipline=wspt"),
            "node 'eye' interrupts services; in a static instance what begins ends",
        ),
        (
            ("edges.eye.slowdown={kind: random, factor: 2, mean_between: 1 s, mean_lasting: 1 s}",),
            "node 'eye' slows down at times; a static one keeps its pace",
        ),
        (
            ("edges.eye.lan={channel: {kind: ar1, median: 2 Mbit/s, sigma: 1, rho: 0.9}}",),
            "link 'eye/lan' has a channel of kind ar1; only constant ones are static",
        ),
    ],
)
def test_what_is_not_static_is_refused(settings: tuple[str, ...], message: str) -> None:
    with pytest.raises(InstanceError) as error:
        static_instance(small(*settings))
    assert str(error.value) == message
