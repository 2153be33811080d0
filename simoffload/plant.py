"""The plant: a scenario's nodes and links with every name resolved to numbers.

Nodes are numbered edges first, in the scenario's order, then clouds; edge e's up-link, down-link and LAN port are
links 3e, 3e+1 and 3e+2. Nothing here changes during a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .laws import ServingLaw
from .schema.base import MODALITIES
from .schema.faults import Faults
from .schema.network import Link
from .schema.nodes import BatchingServer, CloudServer, EdgeNode, Hardware, Law, Model, Price, Server, Slowdown
from .schema.scenario import Catalogue, Scenario

UPLINK, DOWNLINK, LAN = 0, 1, 2
LINK_KINDS = ("uplink", "downlink", "lan")
KV_SHARE = 0.9
"""Share of the memory left by the weights that holds KV cache, where a scenario does not say how many tokens fit."""


@dataclass(frozen=True, slots=True)
class HostedModel:
    """A model as a node runs it; tuples are indexed by modality or stage."""

    name: str
    law: ServingLaw
    weights_bytes: float
    swap_s: float
    serves: tuple[bool, ...]
    encoder_s: tuple[float, ...]
    skill: tuple[float, float, float]
    modality_skill: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlantNode:
    """A node: what it hosts, how it serves, what its work costs."""

    number: int
    id: str
    is_cloud: bool
    site: int
    server: Server
    discipline: str
    models: tuple[HostedModel, ...]
    model_for: tuple[int, ...]
    """Per modality the number of the model that serves it, -1 for none."""
    memory_bytes: float
    resident: tuple[int, ...]
    """Models in memory at the start."""
    kv_tokens: float
    speed: float
    idle_power_w: float
    busy_power_w: float
    tariff_usd_per_j: float
    amortisation_usd_per_s: float
    price_in_usd: float
    price_out_usd: float
    is_priced: bool
    delay_s: float
    slowdown: Slowdown | None = None
    crashes: Faults | None = None
    capacity: int = field(init=False)
    """Subtasks it serves at once (0: no bound)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "capacity", _capacity(self.server))


@dataclass(frozen=True, slots=True)
class PlantLink:
    """A link of an edge node."""

    number: int
    id: str
    spec: Link


@dataclass(frozen=True, slots=True)
class Route:
    """A way between two nodes: a first delay, then links, each with the delay that follows it."""

    first_delay_s: float
    hops: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Plant:
    """Nodes (edges first), links by number (absent ones are infinitely fast), and sites."""

    nodes: tuple[PlantNode, ...]
    links: dict[int, PlantLink]
    edge_count: int

    def route(self, source: int, target: int) -> Route:
        """The way from node to node; `links` that are absent take no time."""
        here, there = self.nodes[source], self.nodes[target]
        if source == target:
            return Route(0.0, ())
        if here.is_cloud and there.is_cloud:
            return Route(here.delay_s + there.delay_s, ())
        if here.is_cloud:
            return Route(here.delay_s, self._hops((3 * target + DOWNLINK, 0.0)))
        if there.is_cloud:
            hops = self._hops((3 * source + UPLINK, there.delay_s))
            return Route(0.0 if hops else there.delay_s, hops)
        if here.site == there.site:
            return Route(0.0, self._hops((3 * source + LAN, 0.0)))
        return Route(0.0, self._hops((3 * source + UPLINK, 0.0), (3 * target + DOWNLINK, 0.0)))

    def _hops(self, *wanted: tuple[int, float]) -> tuple[tuple[int, float], ...]:
        present = [(self.links[number], delay) for number, delay in wanted if number in self.links]
        return tuple((link.number, link.spec.delay + delay) for link, delay in present)


def build_plant(scenario: Scenario, catalogue: Catalogue) -> Plant:
    """Resolve a checked scenario against a catalogue (the bundled one merged with the scenario's own)."""
    sites = {site.id: number for number, site in enumerate(scenario.sites)}
    everyone: list[EdgeNode | CloudServer] = [*scenario.edges, *scenario.clouds]
    nodes = tuple(_node(number, spec, catalogue, sites) for number, spec in enumerate(everyone))
    links = {}
    for e, edge in enumerate(scenario.edges):
        for kind, reference in enumerate((edge.uplink, edge.downlink, edge.lan)):
            spec = scenario.links[reference] if isinstance(reference, str) else reference
            if spec is not None:
                links[3 * e + kind] = PlantLink(3 * e + kind, f"{edge.id}/{LINK_KINDS[kind]}", spec)
    return Plant(nodes, links, len(scenario.edges))


def derive_law(model: Model, hardware: Hardware) -> Law:
    """The roofline law: decode reads all weights once a token, prefill costs 2 FLOP per parameter and token.

    decode = weights / (eta bandwidth), prefill rate = mfu compute / (2 parameters); Kwon et al. 2023 and the
    efficiencies of the hardware's catalogue entry.
    """
    return Law.model_construct(
        prefill=hardware.compute_efficiency * hardware.compute / (2 * model.parameters),
        decode=model.weights / (hardware.bandwidth_efficiency * hardware.bandwidth),
        source="derived from bandwidth and compute",
    )


def find_law(node: EdgeNode | CloudServer, model_name: str, catalogue: Catalogue) -> Law:
    """The law a node runs a model by: its own, else the measured one of the catalogue, else the roofline."""
    if model_name in node.law:
        return node.law[model_name]
    for law in reversed(catalogue.laws):
        if law.hardware == node.hardware and law.model == model_name:
            return law
    return derive_law(catalogue.models[model_name], catalogue.hardware[node.hardware])


def _capacity(server: Server) -> int:
    if server.kind == "slots":
        return server.slots
    if server.kind == "batching":
        return server.max_batch
    return server.streams or 0


def _node(number: int, spec: EdgeNode | CloudServer, catalogue: Catalogue, sites: dict[str, int]) -> PlantNode:
    hardware = catalogue.hardware[spec.hardware]
    memory = hardware.memory if spec.memory is None else spec.memory
    models = tuple(_hosted(spec, name, catalogue, hardware) for name in spec.models)
    cloud = isinstance(spec, CloudServer)
    price = _price(spec, catalogue)
    amortisation = hardware.amortisation if spec.amortisation is None else spec.amortisation
    return PlantNode(
        number=number,
        id=spec.id,
        is_cloud=cloud,
        site=-1 if isinstance(spec, CloudServer) else sites[spec.site],
        server=spec.server,
        discipline=spec.discipline,
        models=models,
        model_for=tuple(_first(models, modality) for modality in range(len(MODALITIES))),
        memory_bytes=memory,
        resident=_fitting(models, memory),
        kv_tokens=_kv_tokens(spec, catalogue.models[spec.models[0]], memory),
        speed=spec.speed,
        idle_power_w=hardware.idle_power if spec.idle_power is None else spec.idle_power,
        busy_power_w=hardware.busy_power if spec.busy_power is None else spec.busy_power,
        tariff_usd_per_j=spec.tariff,
        amortisation_usd_per_s=amortisation,
        price_in_usd=price.input if price else 0.0,
        price_out_usd=price.output if price else 0.0,
        is_priced=price is not None,
        delay_s=spec.delay if isinstance(spec, CloudServer) else 0.0,
        slowdown=spec.slowdown,
        crashes=spec.crashes,
    )


def _hosted(spec: EdgeNode | CloudServer, name: str, catalogue: Catalogue, hardware: Hardware) -> HostedModel:
    model, law, speed = catalogue.models[name], find_law(spec, name, catalogue), spec.speed
    return HostedModel(
        name=name,
        law=ServingLaw(
            prefill_overhead_s=law.prefill_overhead / speed,
            prefill_s_per_token=1.0 / (law.prefill * speed),
            decode_s=law.decode / speed,
            decode_s_per_sequence=law.decode_per_sequence / speed,
            decode_s_per_context_token=law.decode_per_context / speed,
            energy_j_per_token=law.energy_per_token,
            energy_j_per_iteration=law.energy_per_iteration,
        ),
        weights_bytes=model.weights,
        swap_s=hardware.load_overhead + model.weights / hardware.load_rate,
        serves=tuple(modality in model.modalities for modality in MODALITIES),
        encoder_s=tuple(model.encoder.get(modality, 0.0) / speed for modality in MODALITIES),
        skill=(model.skill.explain, model.skill.analyze, model.skill.generate),
        modality_skill=tuple(model.modality_skill.get(modality, 0.0) for modality in MODALITIES),
    )


def _price(spec: EdgeNode | CloudServer, catalogue: Catalogue) -> Price | None:
    if not isinstance(spec, CloudServer) or spec.price is None:
        return None
    return catalogue.prices[spec.price] if isinstance(spec.price, str) else spec.price


def _first(models: tuple[HostedModel, ...], modality: int) -> int:
    return next((number for number, model in enumerate(models) if model.serves[modality]), -1)


def _fitting(models: tuple[HostedModel, ...], memory: float) -> tuple[int, ...]:
    resident, free = [], memory
    for number, model in enumerate(models):
        if model.weights_bytes <= free:
            resident.append(number)
            free -= model.weights_bytes
    return tuple(resident)


def _kv_tokens(spec: EdgeNode | CloudServer, model: Model, memory: float) -> float:
    if isinstance(spec.server, BatchingServer) and spec.server.kv_tokens is not None:
        return spec.server.kv_tokens
    if model.kv_per_token <= 0:
        return float("inf")
    return KV_SHARE * (memory - model.weights) / model.kv_per_token
