"""What the oracle needs to know of each node and link, read straight from a validated scenario."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

MODALITIES = ("text", "image", "audio", "sensor")
KV_SHARE = 0.9
"""Share of the memory beside the weights that holds KV cache where the scenario gives no number of tokens."""


@dataclass
class Model:
    name: str
    weights: float
    modalities: tuple[str, ...]
    encoder: dict[str, float]
    law: Any


@dataclass
class Node:
    number: int
    id: str
    is_cloud: bool
    site: str | None
    models: list[Model]
    memory: float
    load_s: dict[str, float]
    """Seconds to swap each model in."""
    server: Any
    kv_tokens: float
    discipline: str
    speed: float
    busy_power: float
    idle_power: float
    tariff: float
    amortisation: float
    price: Any
    delay: float

    def model_for(self, stage: int, modality: int) -> Model:
        """The first listed model that serves the modality of a first-stage subtask, or text later."""
        wanted = MODALITIES[modality] if stage == 0 else "text"
        for model in self.models:
            if wanted in model.modalities:
                return model
        raise LookupError(f"node {self.id} has no model for {wanted}")


@dataclass
class Link:
    number: int
    delay: float
    copies: int
    by_priority: bool


def read_nodes(scenario: Any) -> list[Node]:
    """All nodes, edges first. Every model must be in the scenario's own catalogue, with a law for it on its node."""
    nodes = []
    for number, spec in enumerate([*scenario.edges, *scenario.clouds]):
        cloud = number >= len(scenario.edges)
        hardware = scenario.catalogue.hardware[spec.hardware]
        memory = hardware.memory if spec.memory is None else spec.memory
        models = []
        for name in spec.models:
            entry = scenario.catalogue.models[name]
            law = _law(scenario, spec, name)
            models.append(Model(name, entry.weights, tuple(entry.modalities), dict(entry.encoder), law))
        kv_tokens = math.inf
        if spec.server.kind == "batching":
            kv_tokens = spec.server.kv_tokens
            if kv_tokens is None:
                per_token = scenario.catalogue.models[spec.models[0]].kv_per_token
                kv_tokens = math.inf if per_token == 0 else KV_SHARE * (memory - models[0].weights) / per_token
        price = getattr(spec, "price", None)
        if isinstance(price, str):
            price = scenario.catalogue.prices[price]
        nodes.append(
            Node(
                number=number,
                id=spec.id,
                is_cloud=cloud,
                site=None if cloud else spec.site,
                models=models,
                memory=memory,
                load_s={m.name: hardware.load_overhead + m.weights / hardware.load_rate for m in models},
                server=spec.server,
                kv_tokens=kv_tokens,
                discipline=spec.discipline,
                speed=spec.speed,
                busy_power=hardware.busy_power if spec.busy_power is None else spec.busy_power,
                idle_power=hardware.idle_power if spec.idle_power is None else spec.idle_power,
                tariff=spec.tariff,
                amortisation=hardware.amortisation if spec.amortisation is None else spec.amortisation,
                price=price,
                delay=spec.delay if cloud else 0.0,
            )
        )
    return nodes


def read_links(scenario: Any) -> dict[int, Link]:
    """Links that exist, by number: edge e has up-link 3e, down-link 3e+1, LAN link 3e+2."""
    links = {}
    for e, edge in enumerate(scenario.edges):
        for k, spec in enumerate((edge.uplink, edge.downlink, edge.lan)):
            if spec is None:
                continue
            if isinstance(spec, str):
                spec = scenario.links[spec]
            links[3 * e + k] = Link(3 * e + k, spec.delay, spec.copies, spec.discipline == "agent")
    return links


def _law(scenario: Any, spec: Any, model: str) -> Any:
    if model in spec.law:
        return spec.law[model]
    found = [law for law in scenario.catalogue.laws if law.model == model and law.hardware == spec.hardware]
    if not found:
        raise LookupError(f"no law for {model} on {spec.hardware}: the oracle has no estimate of its own")
    return found[-1]
