"""Where the future can be known from what is seen, what is expected is what happens."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.decision import Decision, Observation, Setting
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario_text
from simoffload.tasks import Task, build_graph
from simoffload.world.kernel import ARRIVAL, Call
from tests.decision.by_hand import ONE, ONE_IMAGE, TEXT, listen, plant, task, world_of
from tests.strategies import amount, scenarios

MODALITIES = 4


class Wanderer:
    """Goes to any node, by these numbers, and has everything worked out on its way."""

    order = "fifo"

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.costs_usd: list[float] = []

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to do."""

    def decide(self, observation: Observation) -> Decision:
        row = self.numbers[len(self.costs_usd) % len(self.numbers)] % len(observation.candidates)
        assert (observation.completion_s >= observation.finish_s).all()
        self.costs_usd.append(float(observation.cost_usd[row]))
        return Decision(row)


def without_chance(written: dict[str, Any], rate: float) -> Scenario:
    """A drawn plant with steady links and paces, whole prompts and even interfaces."""
    for link in written["links"].values():
        link["channel"] = f"{rate!r} bit/s"
    for node in (*written["edges"], *written["clouds"]):
        node["server"].pop("chunk", None)
        node.pop("slowdown", None)
        if node["server"]["kind"] == "api":
            node["server"]["overhead_sigma"] = 0
        for kind in ("uplink", "downlink", "lan"):
            if isinstance(node.get(kind), dict):
                node[kind]["channel"] = f"{rate!r} bit/s"
    return load_scenario_text(json.dumps(written))


@st.composite
def chains(draw: st.DrawFn, homes: int) -> Task:
    """A task of up to four subtasks, each of which needs the one before."""
    count = draw(st.integers(1, 4))
    modality = draw(st.integers(0, MODALITIES - 1))
    stages = [0, 1, 1, 2][:count]
    graph = build_graph(stages, [modality] + [TEXT] * (count - 1), [(), *[(k,) for k in range(count - 1)]])
    return task(
        graph,
        home=draw(st.integers(0, homes - 1)),
        max_output=40,
        prompt=draw(st.lists(st.integers(0, 100), min_size=count, max_size=count)),
        expected_output=[float(draw(st.integers(1, 40))) for _ in range(count)],
        demand_s=[draw(amount(0, 1)) for _ in range(count)],
        payload_bytes=[draw(amount(0, 1e5)), *[0.0] * (count - 1)],
    )


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_task_alone_in_the_plant_ends_and_costs_what_was_expected(data: st.DataObject) -> None:
    scenario = without_chance(data.draw(scenarios()), data.draw(amount(1e5, 1e7)))
    agent = Wanderer(data.draw(st.lists(st.integers(0, 50), min_size=1, max_size=9)))
    world = world_of(scenario.model_copy(update={"telemetry_interval": 0.0}), agent)
    heard = listen(world)
    for work in data.draw(st.lists(chains(len(scenario.edges)), min_size=1, max_size=4)):
        alone(world, work)
    assert len(heard.jobs) == len(agent.costs_usd)
    for job, cost_usd in zip(heard.jobs, agent.costs_usd, strict=True):
        assert job.finish_s == pytest.approx(job.expected_finish_s, rel=1e-9)
        assert job.cost_usd == pytest.approx(cost_usd, rel=1e-9, abs=1e-18)
    for course, completed_s in heard.tasks:
        assert completed_s == pytest.approx(course.expected_end_s, rel=1e-9)


def alone(world: World, work: Task) -> None:
    """Let a task arrive now and wait until it is complete and for a second more."""
    work.arrival_s = world.kernel.now
    world.dispatcher.arrive(work)
    while world.dispatcher.courses:
        world.kernel.step()
    world.kernel.advance(world.kernel.now + 1.0)


ONE_AT_A_TIME = [
    "{kind: slots}",
    "{kind: batching, max_batch: 1}",
    "{kind: api, streams: 1, overhead_sigma: 0}",
    "{kind: api, streams: 1, overhead_sigma: 0, request_rate: 0.7 /s}",
]


@st.composite
def streams_of_tasks(draw: st.DrawFn) -> list[Task]:
    """Tasks of one home, close to one another, each with something to carry."""
    arrival_s, tasks = 0.0, []
    for _ in range(draw(st.integers(1, 15))):
        arrival_s += draw(amount(0.0, 2.0))
        graph = draw(st.sampled_from([ONE, ONE_IMAGE]))
        tasks.append(
            task(
                graph,
                arrival_s,
                prompt=draw(st.integers(0, 200)),
                expected_output=float(draw(st.integers(0, 30))),
                demand_s=draw(amount(0.0, 3.0)),
                payload_bytes=draw(amount(1e3, 3e6)),
            )
        )
    return tasks


@settings(max_examples=60)
@given(
    tasks=streams_of_tasks(),
    numbers=st.lists(st.integers(0, 2), min_size=1, max_size=9),
    interval=st.sampled_from(["0 s", "0.7 s", "5 s", "60 s"]),
    cloud=st.sampled_from(ONE_AT_A_TIME[:3]),
    paint=st.sampled_from(ONE_AT_A_TIME[:2]),
    discipline=st.sampled_from(["agent", "fifo"]),
)
def test_a_home_that_has_the_plant_to_itself_expects_what_happens_however_old_the_news(
    tasks: list[Task], numbers: list[int], interval: str, cloud: str, paint: str, discipline: str
) -> None:
    scenario = plant(
        f"telemetry_interval={interval}",
        f"clouds.cloud.server={cloud}",
        f"edges.paint.server={paint}",
        f"edges.paint.discipline={discipline}",
    )
    happens(scenario, tasks, numbers)


@settings(max_examples=30)
@given(tasks=streams_of_tasks(), cloud=st.sampled_from(ONE_AT_A_TIME), numbers=st.lists(st.integers(0, 2), min_size=1))
def test_with_fresh_news_a_limited_rate_of_requests_is_foreseen(
    tasks: list[Task], cloud: str, numbers: list[int]
) -> None:
    without_ways = ("edges.press.uplink=null", "edges.press.lan=null")
    happens(plant(f"clouds.cloud.server={cloud}", *without_ways, "clouds.cloud.delay=0 s"), tasks, numbers)


def happens(scenario: Scenario, tasks: list[Task], numbers: list[int]) -> None:
    world = world_of(scenario, Wanderer(numbers))
    jobs = listen(world).jobs
    for each in tasks:
        world.kernel.at(each.arrival_s, ARRIVAL, Call(world.dispatcher.arrive, each))
    while len(jobs) < len(tasks):
        world.kernel.step()
    assert [job.finish_s for job in jobs] == pytest.approx([job.expected_finish_s for job in jobs], rel=1e-9)
