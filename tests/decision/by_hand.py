"""Small plants with round numbers, tasks that arrive by hand, and an agent that goes where it is told.

`press` is the home of most tasks, `paint` another edge node at half the speed, `cloud` a server of four times the
speed with a price. A link carries 1 MB/s and adds 10 ms, the cloud is another 20 ms away.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from simoffload.decision import Decision, Observation, OrderObservation, Setting
from simoffload.decision.course import Course
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario, load_scenario_text
from simoffload.tasks import Task, build_graph
from simoffload.tasks.graph import TaskGraph
from simoffload.world.job import Job
from simoffload.world.kernel import ARRIVAL, Call

PRESS, PAINT, CLOUD = 0, 1, 2
TEXT, IMAGE, AUDIO = 0, 1, 2
PLANT = """\
schema_version: 1
name: by-hand
seed: 1
horizon: {tasks: 1}
telemetry_interval: 0 s
objective: {latency_weight: 0.25, latency_reference: 10 s, cost_reference: 0.01 USD}
bytes_per_token: 4 B/tok
catalogue:
  hardware:
    box: {memory: 10 GB, bandwidth: 100 GB/s, compute: 10 TFLOP/s, load_rate: 1 GB/s, load_overhead: 500 ms,
          busy_power: 20 W}
  models:
    wide: {parameters: 1e9, weights: 6 GB, modalities: [text, image], encoder: {image: 300 ms}}
    ear: {parameters: 1e9, weights: 6 GB, modalities: [audio]}
  laws:
    - {hardware: box, model: wide, prefill_overhead: 50 ms, prefill: 1000 tok/s, decode: 10 ms/tok,
       decode_per_sequence: 1 ms/tok, decode_per_context: 1e-5}
    - {hardware: box, model: ear, prefill: 500 tok/s, decode: 20 ms/tok}
links:
  steady: {channel: 8 Mbit/s, delay: 10 ms}
edges:
  - {id: press, hardware: box, models: [wide], uplink: steady, downlink: steady, lan: steady}
  - {id: paint, hardware: box, models: [wide], speed: 0.5, uplink: steady, downlink: steady, lan: steady}
clouds:
  - {id: cloud, hardware: box, models: [wide], speed: 4, delay: 20 ms,
     price: {input: 1 USD/Mtok, output: 2 USD/Mtok}}
workloads:
  - {id: none, arrivals: {kind: poisson, rate: 1 /s}}
"""
CHAIN = build_graph([0, 1, 2], [TEXT, TEXT, TEXT], [(), (0,), (1,)])
TWO = build_graph([0, 1], [TEXT, TEXT], [(), (0,)])
ONE = build_graph([0], [TEXT], [()])
ONE_IMAGE = build_graph([0], [IMAGE], [()])
ONE_AUDIO = build_graph([0], [AUDIO], [()])
ARRAYS = (
    "candidates", "is_cloud", "is_home", "transfer_s", "wait_s", "service_s", "swap_s", "way_home_s", "finish_s",
    "cost_usd", "queue_length", "in_service", "priority", "completion_s", "completion_change_s", "optimistic_cost_s",
    "score",
)  # fmt: skip
NUMBERS = (
    "now_s", "home", "age_s", "stage", "modality", "subtask", "task_weight", "task_age_s", "prompt_tokens",
    "expected_output_tokens", "expected_demand_s", "difficulty", "upward_rank_s", "on_critical_path",
)  # fmt: skip


class Told:
    """Gives subtasks to these nodes, one after another; `seen` keeps what it saw at each of them."""

    def __init__(self, *nodes: int, order: str = "fifo", priorities: Sequence[float | None] = ()) -> None:
        self.order = order
        self.seen: list[Any] = []
        self.orders: list[OrderObservation] = []
        self._nodes = iter(nodes)
        self._priorities = iter(priorities)

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.setting = setting

    def decide(self, observation: Any) -> Decision:
        if isinstance(observation, OrderObservation):
            self.orders.append(observation)
            return Decision(len(observation.candidates) - 1)
        self.seen.append(sight_of(observation))
        rows = observation.candidates.tolist()
        return Decision(rows.index(next(self._nodes)), next(self._priorities, None))


class Blind(Told):
    """The same without a look at anything but the candidates."""

    def decide(self, observation: Any) -> Decision:
        return Decision(observation.candidates.tolist().index(next(self._nodes)))


def sight_of(observation: Observation) -> SimpleNamespace:
    """All that an observation shows, copied."""
    arrays = {name: np.array(getattr(observation, name)) for name in ARRAYS}
    return SimpleNamespace(**arrays, **{name: getattr(observation, name) for name in NUMBERS})


def plant(*overrides: str, text: str = PLANT) -> Scenario:
    """The plant above with some settings."""
    return load_scenario_text(text, overrides=overrides)


def world_of(scenario: Scenario, agent: Any) -> World:
    """A world in which nothing arrives by itself; telemetry goes on."""
    nodes = len(scenario.edges) + len(scenario.clouds)
    world = World(scenario, agent, Recorder(scenario.objective, nodes, 0.0, None, 0, lambda parts: None))
    world.telemetry.start(scenario.telemetry_interval or 5.0)
    return world


def task(graph: TaskGraph, arrival_s: float = 0.0, **fields: Any) -> Task:
    """A task with these values, of one subtask or of all; without noise in the lengths unless `output` says so."""
    count = len(graph)
    lists = {
        name: _each(fields.pop(name, default), count)
        for name, default in {
            "prompt": 0, "expected_output": 0.0, "payload_bytes": 0.0, "demand_s": 0.0, "difficulty": 0.0,
            "luck": 0.5, "api_noise": 0.0,
        }.items()
    }  # fmt: skip
    output = _each(fields.pop("output", lists["expected_output"]), count)
    expected_demand = _each(fields.pop("expected_demand_s", lists["demand_s"]), count)
    rest = {"workload": 0, "home": PRESS, "weight": 1.0, "deadline_s": float("inf"), "max_output": 1000} | fields
    return Task(
        arrival_s=arrival_s,
        graph=graph,
        output=[int(tokens) for tokens in output],
        expected_demand_s=expected_demand,
        **lists,
        **rest,
    )


def _each(value: Any, count: int) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value] * count


def play(world: World, *tasks: Task) -> list[Any]:
    """Let tasks arrive and run until all are complete; what the agent saw."""
    dispatcher = world.dispatcher
    expected = dispatcher.arrived + len(tasks)
    for each in tasks:
        world.kernel.at(each.arrival_s, ARRIVAL, Call(dispatcher.arrive, each))
    while dispatcher.arrived < expected or dispatcher.courses:
        world.kernel.step()
    seen: list[Any] = world.agent.seen  # type: ignore[attr-defined]
    return seen


class Served:
    """Hears what a world's dispatcher has to tell: jobs in the order in which they were served, tasks with the time."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.tasks: list[tuple[Course, float]] = []

    def subtask_done(self, job: Job) -> None:
        self.jobs.append(job)

    def task_done(self, course: Course, now_s: float) -> None:
        self.tasks.append((course, now_s))


def listen(world: World) -> Served:
    """From now on the world's dispatcher tells this listener, instead of the recorder."""
    world.dispatcher._witness = listener = Served()
    return listener


def see(scenario: Scenario, agent: Told, *tasks: Task) -> list[Any]:
    """What an agent that goes where it is told sees of these tasks in a new world."""
    return play(world_of(scenario, agent), *tasks)
