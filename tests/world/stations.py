"""Nodes, jobs and a bench to try single stations on."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from simoffload.laws import ServingLaw
from simoffload.plant import HostedModel, PlantNode
from simoffload.schema.nodes import Server as Spec
from simoffload.tasks import Task, build_graph
from simoffload.world.job import Job
from simoffload.world.kernel import ARRIVAL, Call, Kernel

ALONE = build_graph([0], [0], [()])
LAW = ServingLaw(
    prefill_overhead_s=0.5,
    prefill_s_per_token=0.25,
    decode_s=0.125,
    decode_s_per_sequence=0.0625,
    decode_s_per_context_token=0.03125,
)
_SERVERS: TypeAdapter[Any] = TypeAdapter(Spec)


def model_of(weights_bytes: float = 1.0, swap_s: float = 0.0, **changes: Any) -> HostedModel:
    """A model that serves everything."""
    fields: dict[str, Any] = {
        "name": "model",
        "law": LAW,
        "weights_bytes": weights_bytes,
        "swap_s": swap_s,
        "serves": (True,) * 4,
        "encoder_s": (0.0,) * 4,
        "skill": (0.0,) * 3,
        "modality_skill": (0.0,) * 4,
    }
    return HostedModel(**(fields | changes))


def node_of(server: dict[str, Any], **changes: Any) -> PlantNode:
    """A node with a server as a scenario writes it, that holds all its models unless told otherwise."""
    models = changes.get("models", (model_of(),))
    fields: dict[str, Any] = {
        "number": 0,
        "id": "node",
        "is_cloud": False,
        "site": 0,
        "server": _SERVERS.validate_python(server),
        "discipline": "agent",
        "models": models,
        "model_for": (0,) * 4,
        "memory_bytes": sum(model.weights_bytes for model in models),
        "resident": tuple(range(len(models))),
        "kv_tokens": math.inf,
        "speed": 1.0,
        "idle_power_w": 0.0,
        "busy_power_w": 0.0,
        "tariff_usd_per_j": 0.0,
        "amortisation_usd_per_s": 0.0,
        "price_in_usd": 0.0,
        "price_out_usd": 0.0,
        "is_priced": False,
        "delay_s": 0.0,
    }
    return PlantNode(**(fields | changes))


def task_of(**changes: Any) -> Task:
    """A task of one subtask without any tokens."""
    fields: dict[str, Any] = {
        "workload": 0,
        "home": 0,
        "arrival_s": 0.0,
        "graph": ALONE,
        "weight": 1.0,
        "deadline_s": math.inf,
        "max_output": 0,
        "prompt": [0],
        "output": [0],
        "expected_output": [0.0],
        "payload_bytes": [0.0],
        "demand_s": [0.0],
        "expected_demand_s": [0.0],
        "difficulty": [0.0],
        "luck": [0.0],
        "api_noise": [0.0],
        "number": 0,
    }
    return Task(**(fields | changes))


def job_of(service_s: float = 1.0, expected_s: float | None = None, task: Task | None = None, **changes: Any) -> Job:
    """A job of this service, alone on its node, whose first token comes half-way."""
    fields: dict[str, Any] = {
        "task": task_of() if task is None else task,
        "subtask": 0,
        "node": 0,
        "model": 0,
        "priority": 0.0,
        "prompt": 0,
        "output": 0,
        "before_tokens_s": service_s,
        "first_after_s": service_s / 2,
        "last_after_s": service_s,
        "expected_service_s": service_s if expected_s is None else expected_s,
        "ready_s": 0.0,
    }
    return Job(**(fields | changes))


class Bench:
    """A station alone: what enters it when, and what it is done with in which order."""

    def __init__(self, make: Callable[[Kernel, Callable[[Any], None]], Any]) -> None:
        self.kernel = Kernel()
        self.done: list[Any] = []
        self.station = make(self.kernel, self.done.append)

    def enter(self, job: Any, at_s: float, rank: int = ARRIVAL) -> Any:
        """Let a job enter at an instant; the job."""
        self.kernel.at(at_s, rank, Call(self.station.enter, job))
        return job

    def run(self, until_s: float = math.inf) -> Bench:
        """Run to an instant, or until nothing is left to happen."""
        self.kernel.advance(until_s)
        if until_s < math.inf:
            self.kernel.rest_at(until_s)
        return self
