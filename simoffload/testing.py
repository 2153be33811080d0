"""A conformance suite for agents: `check_agent(MyAgent)` in a test of yours says whether an agent is a sound one.

It lets the agent decide in several small worlds, again and again, and each time changes something that must make no
difference: the object, Python's own random numbers, the true state of what the agent cannot see, a stop and a new start
from a pickle in the middle. What is amiss is an AssertionError that says what to do about it.
"""

from __future__ import annotations

import inspect
import math
import pickle
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .decision import Agent, Decision, Observation, OrderObservation, Setting
from .decision.agent import ORDERS, AgentError, read_decision
from .decision.course import Course
from .plant import LINK_KINDS, PlantLink
from .run.recorder import statistics_of
from .run.references import with_references
from .run.world import World
from .schema import Scenario, load_scenario
from .schema.network import ConstantChannel as ConstantSpec
from .schema.problems import nearest
from .tasks import Task, build_graph
from .world.channel_path import ConstantChannel
from .world.item import Item
from .world.job import Job
from .world.kernel import Kernel
from .world.line import FifoLine
from .world.link import LinkStation, Transfer
from .world.servers import Server, make_server

__all__ = ["check_agent", "falsified", "small_scenarios"]

PATIENCE_S, MOST_PER_DECISION_S = 5.0, 0.1
"""An agent may take this long once, and this long on average for each decision."""
DRAWN = 3
"""Number of small scenarios that are put together by chance."""
_SETTINGS = (
    "horizon={tasks: 8}",
    "warm_up=0 s",
    "records.level=off",
    "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}",
)

Factory = Callable[[], Agent]
Arrays = dict[str, NDArray[Any]]
Around = Callable[[World, int], AbstractContextManager[None]]
"""What is done to a world while an agent decides for a home in it."""


def check_agent(factory: Factory, scenarios: Iterable[Scenario] | None = None) -> None:
    """Make agents with `factory()` and see whether they do what an agent must; AssertionError says what they do not.

    Each of the scenarios, or of `small_scenarios()`, is run five times, so they should be small.
    """
    _check_interface(factory)
    for scenario in small_scenarios() if scenarios is None else scenarios:
        _check_in(with_references(scenario), factory)


@cache
def small_scenarios() -> tuple[Scenario, ...]:
    """Plants with and without a cloud, with one node and with many, and with whatever chance makes of them."""
    busy = "workloads.request.arrivals.rate=0.3 /s"
    fixed: list[tuple[str, tuple[str, ...]]] = [
        ("tiny", (busy,)),
        ("smart-factory", (busy,)),
        ("smart-factory", (busy, "clouds=[]", "telemetry_interval=0 s")),
        ("theory/tandem", ()),
    ]
    drawn = [("smart-factory", (busy, *_drawn_settings(number))) for number in range(DRAWN)]
    return tuple(load_scenario(name, (*_SETTINGS, *settings)) for name, settings in (*fixed, *drawn))


def _drawn_settings(number: int) -> tuple[str, ...]:
    """Settings of the smart factory: servers, lines, order, news and graphs."""
    chance = random.Random(number)  # noqa: S311 - the same for everybody
    cloud = ["{kind: slots, slots: 2}", "{kind: batching, max_batch: 3, chunk: 64 tok}", "{kind: api, streams: 2}"]
    link = "{channel: {kind: ar1, median: 2 Mbit/s, sigma: 1, rho: 0.9}}"
    graph = ["{kind: layered}", "{kind: plan-execute-aggregate}", "{kind: perception-reasoning-decision}"]
    return (
        f"seed={chance.randrange(1000)}",
        f"telemetry_interval={chance.choice(['0 s', '0.5 s', '30 s'])}",
        f"order={chance.choice(['at_service_start', 'at_ready'])}",
        f"edges.text-1.discipline={chance.choice(['fifo', 'wspt', 'srt'])}",
        f"edges.image-1.server={chance.choice(['{kind: slots, slots: 3}', '{kind: batching, max_batch: 4}'])}",
        "edges.audio-1.models=[qwen2-audio-7b-w4, qwen2.5-vl-3b-w4]",
        f"edges.audio-1.memory={chance.choice(['8 GB', '64 GB'])}",
        f"edges.sensor-1.uplink={chance.choice(['null', link])}",
        f"clouds.cloud.server={cloud[number % len(cloud)]}",
        f"workloads.request.template={chance.choice(graph)}",
        f"workloads.request.weight={chance.choice(['1', '{kind: choice, values: [0, 1, 5]}'])}",
    )


# ------------------------------------------------------------------------------------------------------- the checks


def _check_interface(factory: Factory) -> None:
    agent, other = factory(), factory()
    name = _name(agent)
    _demand(agent is not other, f"the factory gave the same {name} twice: it must make a new one each time")
    order = getattr(agent, "order", None)
    near = nearest(order, ORDERS) if isinstance(order, str) else None
    hint = f"; did you mean '{near}'?" if near else ""
    _demand(order in ORDERS, f"{name} has order {order!r}; allowed: {', '.join(ORDERS)}{hint}")
    for method, arguments in (("reset", ("setting", "generator")), ("decide", ("observation",))):
        wanted = f"{name} needs a method {method}({', '.join(arguments)})"
        found = getattr(agent, method, None)
        if not callable(found):
            raise AssertionError(wanted)
        try:
            inspect.signature(found).bind(*arguments)
        except TypeError as error:
            raise AssertionError(f"{wanted}, and its {method} cannot be called like that: {error}") from None


def _check_in(scenario: Scenario, factory: Factory) -> None:
    """All that concerns decisions, in one scenario."""
    agent, place = factory(), scenario.name
    name = f"{_name(agent)} on {place}"
    with _global_random(1, name):
        first = _play(_world_of(scenario, _Examined(agent, place)))
    with _global_random(2, name):
        again = _play(_world_of(scenario, _Examined(factory(), place)))
    _compare(first, again, f"{name}: another agent from the factory decides otherwise on the same seed", _REPEATABLE)
    again = _play(_world_of(scenario, _Examined(agent, place)))
    _compare(first, again, f"{name}: after reset the same agent decides otherwise on the same seed", _FORGETFUL)
    again = _play(_world_of(scenario, _Examined(factory(), place, falsified)))
    _compare(first, again, f"{name} decides otherwise when what it cannot know is falsified", _UNKNOWING)
    again = _play(_revived(_world_of(scenario, _Examined(factory(), place)), len(first) // 2, name))
    _compare(first, again, f"{name} decides otherwise after it was pickled in the middle of the run", _PICKLED)


_REPEATABLE = "draw from the generator that reset gives, and from no other; go through no set whose order is chance's"
_FORGETFUL = "reset must forget all that the agent remembers of a run"
_UNKNOWING = "decide by the observation's public attributes and by what they were before"
_PICKLED = "let the pickle hold all that the agent remembers, its generator included"


class Answer(NamedTuple):
    """What an agent was asked and what it answered."""

    now_s: float
    about: str
    row: int
    priority: float | None


def _compare(first: Sequence[Answer], again: Sequence[Answer], what: str, remedy: str) -> None:
    for number, (one, other) in enumerate(zip(first, again, strict=False), start=1):
        place = f"decision {number}, at {one.now_s:.6g} s about {one.about}"
        _demand(
            one == other,
            f"{what} ({place}: row {one.row} with priority {one.priority}, then row {other.row} with priority "
            f"{other.priority}): {remedy}",
        )
    _demand(len(first) == len(again), f"{what} ({len(first)} decisions, then {len(again)}): {remedy}")


def _demand(holds: object, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _name(agent: object) -> str:
    return f"agent {type(agent).__name__}"


# --------------------------------------------------------------------------------------------------------- the runs


@contextmanager
def _as_it_is(world: World, home: int) -> Iterator[None]:
    """A decision in the world as it is."""
    yield


class _Examined:
    """Stands between a world and an agent: passes on what either says, looks at it and keeps it."""

    def __init__(self, agent: Agent, place: str, around: Around = _as_it_is) -> None:
        self.agent = agent
        self.order = agent.order
        self.place = place
        self.answers: list[Answer] = []
        self.world: World | None = None
        self._around = around
        self._spent_s = 0.0

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        before = _arrays_of(setting)
        try:
            self.agent.reset(setting, generator)
        except Exception as error:
            raise AssertionError(f"{_name(self.agent)} raised {error!r} in reset on {self.place}") from error
        self._check_unwritten("setting", before, _arrays_of(setting))

    def decide(self, observation: Observation | OrderObservation) -> Decision:
        about = _about(observation)
        twin, before = copy(observation), _arrays_of(observation)
        decision = self._decision(observation, about)
        try:
            row, priority = read_decision(decision, len(observation.candidates), self.agent)
        except AgentError as error:
            raise AssertionError(f"{error} (on {self.place}, asked about {about})") from None
        after = _arrays_of(observation)
        fresh = {name: np.array(getattr(twin, name)) for name in after if name not in before}
        self._check_unwritten("observation", before | fresh, after)
        self.answers.append(Answer(observation.now_s, about, row, priority))
        return decision

    def _decision(self, observation: Observation | OrderObservation, about: str) -> Decision:
        assert self.world is not None
        home = observation.home if isinstance(observation, Observation) else -1
        with self._around(self.world, home):
            began = time.perf_counter()
            try:
                decision = self.agent.decide(observation)
            except Exception as error:
                where = f"at {observation.now_s:.6g} s on {self.place}, asked about {about}"
                raise AssertionError(f"{_name(self.agent)} raised {error!r} {where}") from error
            self._spent_s += time.perf_counter() - began
        number = len(self.answers) + 1
        _demand(
            self._spent_s <= PATIENCE_S + MOST_PER_DECISION_S * number,
            f"{_name(self.agent)} took {self._spent_s:.1f} s for {number} decisions: let it take less than "
            f"{MOST_PER_DECISION_S} s for one",
        )
        return decision

    def _check_unwritten(self, what: str, before: Arrays, after: Arrays) -> None:
        for name, value in after.items():
            written = f"{_name(self.agent)} wrote into {what}.{name.removeprefix('_')}"
            is_as_before = np.array_equal(before[name], value, equal_nan=value.dtype.kind == "f")
            _demand(is_as_before, f"{written}, which belongs to the simulator: copy it before you change it")


def _world_of(scenario: Scenario, examined: _Examined) -> World:
    world = World(scenario, examined, statistics_of(scenario))
    examined.world = world
    world.begin()
    return world


def _play(world: World) -> list[Answer]:
    """Run to the horizon; the answers."""
    horizon_s = world.scenario.horizon.time
    world.kernel.advance(math.inf if horizon_s is None else horizon_s)
    return _answers(world)


def _answers(world: World) -> list[Answer]:
    assert isinstance(world.agent, _Examined)
    return world.agent.answers


def _revived(world: World, decisions: int, name: str) -> World:
    """A world that has been run up to about so many decisions, pickled, and made anew."""
    while len(_answers(world)) < decisions:
        world.kernel.step()
    try:
        revived: World = pickle.loads(pickle.dumps(world))  # noqa: S301
    except Exception as error:
        remedy = "keep plain data, and no open file, lambda or generator function's state"
        raise AssertionError(f"{name} cannot be pickled in the middle of a run: {error}: {remedy}") from error
    return revived


@contextmanager
def _global_random(seed: int, name: str) -> Iterator[None]:
    """Python's and numpy's own random numbers begin here at `seed`, and nobody may draw any."""
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    before = random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    try:
        yield
        after = random.getstate(), pickle.dumps(np.random.get_state())  # noqa: NPY002
    finally:
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
    for module, was, is_now in zip(("random", "numpy.random"), before, after, strict=True):
        _demand(was == is_now, f"{name} draws from the global state of {module}: {_REPEATABLE}")


def _arrays_of(said: Setting | Observation | OrderObservation) -> Arrays:
    """Copies of the arrays in a setting or, as far as they have been worked out, in an observation."""
    names = [*vars(said), "is_home"] if isinstance(said, Observation) else [field.name for field in fields(said)]
    values = ((name, getattr(said, name)) for name in names)
    return {name: value.copy() for name, value in values if isinstance(value, np.ndarray)}


def _about(observation: Observation | OrderObservation) -> str:
    if isinstance(observation, OrderObservation):
        return f"the order at {observation.station}"
    return f"subtask {observation.subtask} of a task of node {observation.home}"


# -------------------------------------------------------------------------------------------------- what is not known


@contextmanager
def falsified(world: World, home: int) -> Iterator[None]:
    """For a while nothing true can be seen of nodes other than `home` and of their links, nor of what is to come.

    Where a station works, one stands that is idle, and the other way round; true lengths, demands and luck of subtasks
    that are not done are others. Telemetry that is written anew in the meantime tells of the false stations.
    """
    servers, links = world.servers[:], world.links[:]
    now_s = world.kernel.now
    truths = [truth for course in world.dispatcher.courses.values() for truth in _truths(course)]
    try:
        world.servers[:] = [each if each.node.number == home else _false_server(each, now_s) for each in servers]
        world.links[:] = [
            each if each.link.number // len(LINK_KINDS) == home else _false_link(each, now_s) for each in links
        ]
        for values, subtask, truth in truths:
            values[subtask] = 1 if truth > 1 else 1000
        yield
    finally:
        world.servers[:], world.links[:] = servers, links
        for values, subtask, truth in truths:
            values[subtask] = truth


def _truths(course: Course) -> Iterator[tuple[list[Any], int, float]]:
    """What chance has decided of the subtasks that are not done: lists of the task, places in them, values there."""
    task = course.task
    for subtask, (job, answer) in enumerate(zip(course.jobs, course.answers, strict=True)):
        if answer is None and (job is None or math.isnan(job.finish_s)):
            for values in (task.output, task.demand_s, task.luck, task.api_noise):
                yield values, subtask, values[subtask]


def _false_server(server: Server, now_s: float) -> Server:
    """A station of the same node, idle if this one works, else with a line in front of it."""
    node = server.node
    false = make_server(Kernel(now_s), node, FifoLine(), _ignore)
    if not server.in_service:
        for _ in range(min(node.capacity, 20) + 3):
            false.enter(_false_job(node.number, now_s))
    return false


def _false_link(station: LinkStation, now_s: float) -> LinkStation:
    """A station of another rate in the place of a link, idle if that works, else with a line in front of it."""
    rate_bps = station.channel.mean_bps / 7
    spec = station.link.spec.model_copy(update={"channel": ConstantSpec.model_construct(rate=rate_bps)})
    link = PlantLink(station.link.number, station.link.id, spec)
    false = LinkStation(Kernel(now_s), link, ConstantChannel(rate_bps), FifoLine(), 0, _ignore)
    if not station.in_transit:
        for _ in range(spec.copies + 3):
            false.enter(Transfer(Item(0, 1e9), 0, _false_job(0, now_s), 0.0, ()))
    return false


def _false_job(node: int, now_s: float) -> Job:
    """A job of 1000 s."""
    return Job(
        task=_false_task(), subtask=0, node=node, model=0, priority=0.0, prompt=0, output=0, before_tokens_s=1000.0,
        first_after_s=1000.0, last_after_s=1000.0, expected_service_s=1000.0, ready_s=now_s,
    )  # fmt: skip


@cache
def _false_task() -> Task:
    graph, nought = build_graph([0], [0], [()]), [0.0]
    return Task(
        workload=0, home=0, arrival_s=0.0, graph=graph, weight=1.0, deadline_s=math.inf, max_output=0, prompt=[0],
        output=[0], expected_output=nought, payload_bytes=nought, demand_s=nought, expected_demand_s=nought,
        difficulty=nought, luck=nought, api_noise=nought,
    )  # fmt: skip


def _ignore(done: object) -> None:
    """Nobody waits for what is false."""
