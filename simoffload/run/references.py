"""The references of the objective, where a scenario leaves them open: what a task takes and costs in the cloud.

L_ref and C_ref are the mean latency and cost of tasks that are served one at a time, with nobody else in the plant, all
in the cloud (at home where there is no cloud). Tasks and channels are drawn from a seed of their own, so that all seeds
of a scenario share its references. Nothing breaks down meanwhile.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import Any

import numpy as np

from ..decision import Decision, Observation, Setting
from ..plant import LINK_KINDS
from ..schema import Scenario
from ..schema.network import Link
from ..schema.nodes import ApiServer, CloudServer, EdgeNode
from ..schema.scenario import Horizon, Objective
from ..tasks import Task
from .recorder import statistics_of
from .world import World

SEED = 0
TASKS = 200
"""Tasks that the means are taken over."""
PAUSE_S = 30.0
"""Between tasks, so that channels move on."""


class _InTheCloud:
    """The first cloud that can, else the home, else the first node."""

    order = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to remember, nothing to draw."""

    def decide(self, observation: Observation) -> Decision:
        for wanted in (observation.is_cloud, observation.is_home):
            if wanted.any():
                return Decision(int(np.argmax(wanted)))
        return Decision(0)


def with_references(scenario: Scenario) -> Scenario:
    """The scenario with numbers for both references; a mean of 0 counts as 1."""
    objective = scenario.objective
    if objective.latency_reference != "auto" and objective.cost_reference != "auto":
        return scenario
    latency_s, cost_usd = _means(scenario)
    filled = {"latency_reference": latency_s or 1.0, "cost_reference": cost_usd or 1.0}
    wanted = {name: value for name, value in filled.items() if getattr(objective, name) == "auto"}
    return scenario.model_copy(update={"objective": objective.model_copy(update=wanted)})


def _means(scenario: Scenario) -> tuple[float, float]:
    changes = {
        "seed": SEED,
        "objective": Objective.model_construct(latency_weight=0.5, latency_reference=1.0, cost_reference=1.0),
        "horizon": Horizon.model_construct(tasks=TASKS, time=None),
        "warm_up": 0.0,
    }
    alone = without_faults(scenario).model_copy(update=changes)
    recorder = statistics_of(alone)
    world = World(alone, _InTheCloud(), recorder)
    for task in islice(_in_turn(world), TASKS):
        pause_over_s = world.kernel.now + PAUSE_S
        world.kernel.advance(pause_over_s)
        world.kernel.rest_at(pause_over_s)
        task.arrival_s = pause_over_s
        world.dispatcher.arrive(task)
        while world.dispatcher.courses:
            world.kernel.step()
    return recorder.latency_s.mean, recorder.cost_usd.mean


def without_faults(scenario: Scenario) -> Scenario:
    """The scenario with no crashes, outages, brown-outs or timeouts."""
    return scenario.model_copy(
        update={
            "links": {name: _lasting(link) for name, link in scenario.links.items()},
            "edges": [_sturdy(node) for node in scenario.edges],
            "clouds": [_sturdy(node) for node in scenario.clouds],
            "workloads": [workload.model_copy(update={"timeout": None}) for workload in scenario.workloads],
        }
    )


def _sturdy(node: EdgeNode | CloudServer) -> EdgeNode | CloudServer:
    changes: dict[str, Any] = {"crashes": None, "timeout": None}
    if isinstance(node.server, ApiServer):
        changes["server"] = node.server.model_copy(update={"brownouts": None})
    if isinstance(node, EdgeNode):
        changes |= {kind: _lasting(getattr(node, kind)) for kind in LINK_KINDS}
    return node.model_copy(update=changes)


def _lasting(link: Link | str | None) -> Link | str | None:
    return link.model_copy(update={"outages": None}) if isinstance(link, Link) else link


def _in_turn(world: World) -> Iterator[Task]:
    """The tasks of all sources in the order of their arrival."""
    streams = [iter(source.next, None) for source in world.sources]
    yield from heapq.merge(*streams, key=attrgetter("arrival_s"))
