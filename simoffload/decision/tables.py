"""The plant as arrays: for each modality the nodes that can serve it, with the coefficients of their times and costs.

Every decision about a subtask of that modality is a few operations on these arrays. They hold what is written in the
scenario, nothing of the state of the world.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..lazy import lazy
from ..plant import HostedModel, Plant, PlantNode
from ..schema.base import MODALITIES
from ..schema.nodes import ApiServer

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ways:
    """Routes between one node and the nodes of a table, [k]."""

    delay_s: Floats
    """All delays of the route."""
    s_per_bit: Floats
    """At the links' mean rates."""
    rows_by_link: dict[int, Ints]
    """Rows whose route begins with a link."""
    mean_delay_s: float
    mean_s_per_bit: float


class NowhereError(Exception):
    """A subtask that no node has the memory for; the message says which and how much it needs."""


class ModalityTable:
    """Nodes that serve a modality, in rising order, and per node and model what it takes; arrays are [k]."""

    def __init__(self, plant: Plant, modality: int, mean_bps: dict[int, float], numbers: Sequence[int]) -> None:
        self._plant = plant
        self._modality = modality
        self._mean_bps = mean_bps
        nodes = [plant.nodes[number] for number in numbers]
        models = [node.models[node.model_for[modality]] for node in nodes]
        laws = [model.law for model in models]
        self.nodes: Ints = np.array(numbers, dtype=np.intp)
        self._room = [node.kv_tokens if node.server.kind == "batching" else math.inf for node in nodes]
        self._least_room = min(self._room, default=math.inf)
        self._smaller: dict[tuple[int, ...], ModalityTable] = {}
        self.row = {number: row for row, number in enumerate(numbers)}
        """Row of a node."""
        self.model = [node.model_for[modality] for node in nodes]
        self.is_cloud: Flags = np.array([node.is_cloud for node in nodes], dtype=np.bool_)
        self.interface_s = np.array([_interface_s(node) for node in nodes])
        self.overhead_s = np.array([law.prefill_overhead_s for law in laws]) + self.interface_s
        self.encoder_s = np.array([model.encoder_s[modality] for model in models])
        self.prefill_s = np.array([law.prefill_s_per_token for law in laws])
        self.decode_s = np.array([law.decode_s for law in laws])
        self.sequence_s = np.array([law.decode_s_per_sequence for law in laws])
        self.context_s = np.array([law.decode_s_per_context_token for law in laws])
        self.demand_factor = np.array([1.0 / node.speed for node in nodes])
        self.swap_s = np.array([model.swap_s for model in models])
        self.may_swap = [row for row, node in enumerate(nodes) if len(node.resident) < len(node.models)]
        """Rows of nodes that cannot hold all their models."""
        self.most_companions = np.array(
            [node.capacity - 1.0 if node.server.kind == "batching" else 0.0 for node in nodes]
        )
        """Others that may be in a batch with a job; 0 where there is no batch."""
        self.price_in = np.array([node.price_in_usd for node in nodes])
        self.price_out = np.array([node.price_out_usd for node in nodes])
        self.usd_per_s = np.array([_usd_per_s(node, model) for node, model in zip(nodes, models, strict=True)])
        metered = np.array([_usd_per_metered_j(node) for node in nodes])
        self.usd_per_token = np.array([law.energy_j_per_token for law in laws]) * metered
        self.usd_per_iteration = np.array([law.energy_j_per_iteration for law in laws]) * metered
        self.sharers = np.array([float(node.capacity) if node.server.kind == "slots" else 1.0 for node in nodes])
        """Jobs that share a node's time and power: its slots; companions in a batch come on top."""
        self.ruled = [(row, node.discipline) for row, node in enumerate(nodes) if node.discipline in ("wspt", "srt")]
        """Rows of nodes whose line has an order of its own, and which."""
        self.is_fifo = [node.discipline == "fifo" for node in nodes]
        """Whether the line of each node goes by arrival, whatever the priorities."""
        self._ways: dict[int, Ways] = {}
        self._homes: dict[int, Flags] = {}
        self._kinds: dict[int, Floats] = {}

    def with_room(self, tokens: float) -> ModalityTable:
        """The nodes whose memory holds the context of so many tokens; NowhereError if there is none."""
        if tokens <= self._least_room:
            return self
        pairs = zip(self.nodes.tolist(), self._room, strict=True)
        numbers = tuple(number for number, room in pairs if tokens <= room)
        if not numbers:
            raise NowhereError(f"no node has KV memory for {tokens:.0f} tokens of context")
        table = self._smaller.get(numbers)
        if table is None:
            table = ModalityTable(self._plant, self._modality, self._mean_bps, numbers)
            self._smaller[numbers] = table
        return table

    def ways(self, source: int) -> Ways:
        """Routes from a node to those of the table."""
        ways = self._ways.get(source)
        if ways is None:
            ways = self._ways[source] = _ways(self._plant, self._mean_bps, source, self.nodes.tolist(), outward=True)
        return ways

    def ways_home(self, home: int) -> Ways:
        """Routes from the nodes of the table to a home."""
        ways = self._ways.get(~home)
        if ways is None:
            ways = self._ways[~home] = _ways(self._plant, self._mean_bps, home, self.nodes.tolist(), outward=False)
        return ways

    def is_home(self, home: int) -> Flags:
        """Whether each node is this one."""
        flags = self._homes.get(home)
        if flags is None:
            flags = self._homes[home] = self.nodes == home
        return flags

    def kinds(self, home: int) -> Floats:
        """[3, k]: 1 where a node is a cloud, where it is this home, and where it is another edge node; else 0."""
        kinds = self._kinds.get(home)
        if kinds is None:
            is_home = self.is_home(home)
            kinds = self._kinds[home] = np.array([self.is_cloud, is_home, ~(self.is_cloud | is_home)], dtype=np.float64)
        return kinds

    @lazy
    def means(self) -> Means:
        """Coefficients averaged over the nodes, each alone on its machine."""
        return Means(
            interface_s=float(self.interface_s.mean()),
            overhead_s=float(self.overhead_s.mean()),
            encoder_s=float(self.encoder_s.mean()),
            prefill_s=float(self.prefill_s.mean()),
            decode_s=float((self.decode_s + self.sequence_s).mean()),
            context_s=float(self.context_s.mean()),
            demand_factor=float(self.demand_factor.mean()),
        )


@dataclass(frozen=True, slots=True)
class Means:
    """Mean coefficients of a table's nodes."""

    interface_s: float
    overhead_s: float
    encoder_s: float
    prefill_s: float
    decode_s: float
    context_s: float
    demand_factor: float

    def service_s(self, encodes: bool, prompt: float, output: float, demand_s: float) -> float:
        """Mean expected service over the nodes."""
        if prompt + output <= 0:
            return self.interface_s + demand_s * self.demand_factor
        steps = max(output - 1.0, 0.0)
        decode = steps * (self.decode_s + self.context_s * (prompt + 1.0)) + self.context_s * steps * (steps - 1.0) / 2
        encoder = self.encoder_s if encodes else 0.0
        return encoder + self.overhead_s + demand_s * self.demand_factor + prompt * self.prefill_s + max(decode, 0.0)


class Tables:
    """A table per modality; `mean_bps` holds the mean rates of the links by number."""

    def __init__(self, plant: Plant, mean_bps: dict[int, float]) -> None:
        self.plant = plant
        self.mean_bps = mean_bps
        self.by_modality = tuple(
            ModalityTable(plant, modality, mean_bps, [n.number for n in plant.nodes if n.model_for[modality] >= 0])
            for modality in range(len(MODALITIES))
        )

    @lazy
    def clouds_by_modality(self) -> tuple[ModalityTable, ...]:
        """The same of clouds alone; where none serves a modality, of all nodes that do."""
        clouds = [table.nodes[table.is_cloud].tolist() for table in self.by_modality]
        return tuple(
            ModalityTable(self.plant, modality, self.mean_bps, numbers) if numbers else self.by_modality[modality]
            for modality, numbers in enumerate(clouds)
        )


def _ways(plant: Plant, mean_bps: dict[int, float], fixed: int, others: list[int], *, outward: bool) -> Ways:
    routes = [plant.route(fixed, other) if outward else plant.route(other, fixed) for other in others]
    first = [route.hops[0][0] if route.hops else None for route in routes]
    numbers = {number for number in first if number is not None}
    delays_s = [route.first_delay_s + math.fsum(after for _, after in route.hops) for route in routes]
    paces = [math.fsum(1.0 / mean_bps[number] for number, _ in route.hops) for route in routes]
    return Ways(
        delay_s=np.array(delays_s),
        s_per_bit=np.array(paces),
        rows_by_link={n: np.array([row for row, link in enumerate(first) if link == n]) for n in sorted(numbers)},
        mean_delay_s=math.fsum(delays_s) / len(routes),
        mean_s_per_bit=math.fsum(paces) / len(routes),
    )


def _interface_s(node: PlantNode) -> float:
    """Mean of the lognormal overhead of a public interface."""
    if not isinstance(node.server, ApiServer):
        return 0.0
    return node.server.overhead_median * math.exp(node.server.overhead_sigma**2 / 2)


def _usd_per_s(node: PlantNode, model: HostedModel) -> float:
    """Cost of a second of the whole machine's time, power included unless the law has energies of its own."""
    if node.is_priced or node.server.kind == "api":
        return 0.0
    metered = node.server.kind == "batching" and model.law.has_energy
    return node.amortisation_usd_per_s + (0.0 if metered else node.busy_power_w * node.tariff_usd_per_j)


def _usd_per_metered_j(node: PlantNode) -> float:
    """Cost of a joule that a serving law of its own says a token or an iteration takes; only batches have such."""
    return node.tariff_usd_per_j if node.server.kind == "batching" and not node.is_priced else 0.0
