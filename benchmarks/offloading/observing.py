"""Earliest finish in the SimPy program: what a home knows of the plant, and the node where a subtask would end first.

A home knows itself and its own links as they are, the other nodes as of the last notices, and what it sent them since;
lengths are those that are expected: `docs/agents.md`, "What a position observation holds", node by node.
"""

from __future__ import annotations

import math
from bisect import insort
from dataclasses import dataclass
from heapq import heapify, heapreplace
from operator import attrgetter

from simoffload.laws import decode_alone_s
from simoffload.plant import PlantNode
from simoffload.schema.network import ConstantChannel, GilbertElliottChannel
from simoffload.tasks.graph import EXPLAIN

from .deciding import candidates
from .program import Course, Factory, occupancy
from .stations import Cloud, Edge, Link, Work


@dataclass(frozen=True, slots=True)
class Notice:
    """What a node tells about itself."""

    start_s: float
    """When one that came now would begin."""
    waiting: int
    serving: int
    free: int
    capacity: int
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A subtask that a home gave to a node, and when it is expected there."""

    work: Work
    entry_s: float


_ENTRY = attrgetter("entry_s")


class EarliestFinish:
    """Decides by the expected finish, answers of sinks home included; of equal ones the lowest node."""

    def begin(self, factory: Factory) -> None:
        """Read the plant and the first notices."""
        self._factory = factory
        self._sent: list[dict[int, list[Sent]]] = [{} for _ in range(factory.plant.edge_count)]
        """By home and node."""
        self._mean_bps = {number: _mean_bps(link) for number, link in factory.links.items()}
        self._mean_way: dict[tuple[int, int], tuple[float, float]] = {}
        self.notices()

    def notices(self) -> None:
        """Let every node tell about itself."""
        now_s = self._told_s = self._factory.env.now
        self._notices = [_notice(node, now_s) for node in self._factory.nodes]

    def decide(self, work: Work, course: Course) -> None:
        """The node of the earliest finish."""
        factory, home = self._factory, work.task.home
        now_s = factory.env.now
        own = _notice(factory.nodes[home], now_s)
        best, best_s, service_s, transfer_s = -1, math.inf, 0.0, 0.0
        for number in candidates(factory.plant, work):
            notice = own if number == home else self._notices[number]
            sent = self._pending(home, number)
            transfer = self._transfer_s(work, course, number)
            start_s = _start_s(notice, sent, now_s + transfer)
            room = min(len(sent), notice.free)
            service = _service_s(factory.plant.nodes[number], work, notice, notice.serving + room)
            finish = max(transfer, start_s - now_s) + service + self._way_home_s(work, number)
            if finish < best_s:
                best, best_s, service_s, transfer_s = number, finish, service, transfer
        work.node, work.expected_service_s = best, service_s
        insort(self._sent[home].setdefault(best, []), Sent(work, now_s + transfer_s), key=_ENTRY)

    def _pending(self, home: int, node: int) -> list[Sent]:
        """What the home sent to a node that the node has told nothing of."""
        sent = self._sent[home].get(node)
        if not sent:
            return []
        told_s = self._factory.env.now if node == home else self._told_s
        kept = self._sent[home][node] = [each for each in sent if not each.work.entered_s <= told_s]
        return kept

    def _transfer_s(self, work: Work, course: Course, node: int) -> float:
        """Until everything the subtask needs is there: own links as they are, others' at their mean and empty."""
        plant, home = self._factory.plant, work.task.home
        latest_s = 0.0
        for item in course.needs(work.subtask):
            if node in item.holders:
                continue
            bits = 8.0 * item.size_bytes
            delay_s, s_per_bit = self._way(item.origin, node)
            time_s = delay_s + bits * s_per_bit
            hops = plant.route(item.origin, node).hops
            if hops and hops[0][0] // 3 == home:
                number = hops[0][0]
                link, mean_bps = self._factory.links[number], self._mean_bps[number]
                ahead = link.waiting_bytes + link.left_bytes()
                time_s += _through_s(bits + 8.0 * ahead, link, mean_bps) - bits / mean_bps
            latest_s = max(latest_s, time_s)
        return latest_s

    def _way_home_s(self, work: Work, node: int) -> float:
        """Of a sink: until its answer is home, at the mean rates."""
        if work.task.graph.successors[work.subtask]:
            return 0.0
        delay_s, s_per_bit = self._way(node, work.task.home)
        expected = work.task.expected_output[work.subtask]
        return delay_s + 8.0 * self._factory.scenario.bytes_per_token * expected * s_per_bit

    def _way(self, source: int, target: int) -> tuple[float, float]:
        """All delays of a route, and s per bit at its links' mean rates."""
        way = self._mean_way.get((source, target))
        if way is None:
            route = self._factory.plant.route(source, target)
            delay_s = route.first_delay_s + math.fsum(delay for _, delay in route.hops)
            s_per_bit = math.fsum(1.0 / self._mean_bps[number] for number, _ in route.hops)
            way = self._mean_way[source, target] = (delay_s, s_per_bit)
        return way


def _notice(node: Cloud | Edge, now_s: float) -> Notice:
    waiting, serving = occupancy(node)
    if isinstance(node, Cloud):
        members = [*node.batch, node.reading] if node.reading else node.batch
        served = [member.work for member in members]
        line = [member.work for member in node.waiting]
        capacity, context_tokens = _places(node, served), node.context_tokens
    else:
        served, line = node.jobs[:serving], node.jobs[serving:]
        capacity, context_tokens = node.spec.capacity, 0
    free = capacity - serving - waiting
    start_s = now_s if free > 0 else _last_start_s(served, line, capacity, now_s)
    return Notice(start_s, waiting, serving, max(free, 0), capacity, context_tokens)


def _places(cloud: Cloud, served: list[Work]) -> int:
    """How many the cloud can serve at once while they take as much memory as those it serves now."""
    limit = cloud.spec.capacity
    if not served or cloud.spec.kv_tokens == math.inf:
        return limit
    mean = sum(work.reserved_tokens for work in served) / len(served)
    return max(1, len(served), min(limit, int(cloud.spec.kv_tokens / max(mean, 1.0))))


def _last_start_s(served: list[Work], line: list[Work], capacity: int, now_s: float) -> float:
    """When one would begin behind all that wait, each taking the place that is free first."""
    ends_s = [
        max((now_s if math.isnan(work.start_s) else work.start_s) + work.expected_service_s, now_s) for work in served
    ]
    ends_s += [now_s] * (capacity - len(ends_s))
    heapify(ends_s)
    for work in line:
        heapreplace(ends_s, ends_s[0] + work.expected_service_s)
    return ends_s[0]


def _start_s(notice: Notice, sent: list[Sent], arrival_s: float) -> float:
    """When a subtask that arrives then would begin, behind what the home sent there to arrive before it."""
    start_s, free = notice.start_s, notice.free
    for each in sent:
        if each.entry_s <= arrival_s:
            free -= 1
            if free <= 0:
                start_s = max(start_s, each.entry_s) + each.work.expected_service_s / notice.capacity
    return start_s


def _service_s(node: PlantNode, work: Work, notice: Notice, in_service: int) -> float:
    """Expected service with those that are known to be in the batch."""
    task, subtask = work.task, work.subtask
    model, output = node.models[0], task.expected_output[subtask]
    law, graph = model.law, task.graph
    encoder_s = model.encoder_s[graph.modalities[subtask]] if graph.stages[subtask] == EXPLAIN else 0.0
    demand_s = task.expected_demand_s[subtask] / node.speed
    before_s = encoder_s + law.prefill_overhead_s + demand_s + work.prompt * law.prefill_s_per_token
    if node.server.kind != "batching":
        return before_s + decode_alone_s(law, work.prompt, output)
    steps = max(output - 1.0, 0.0)
    others = min(in_service, node.capacity - 1)
    held = others * notice.context_tokens / max(in_service, 1) + work.prompt + 1.0 + (steps - 1.0) / 2
    each_s = law.decode_s + law.decode_s_per_sequence * (others + 1) + law.decode_s_per_context_token * held
    return before_s + steps * each_s


def _mean_bps(link: Link) -> float:
    channel = link.spec.spec.channel
    if isinstance(channel, ConstantChannel):
        return channel.rate
    assert isinstance(channel, GilbertElliottChannel)
    good_s, bad_s = channel.mean_good, channel.mean_bad
    return (channel.good * good_s + channel.bad * bad_s) / (good_s + bad_s)


def _through_s(bits: float, link: Link, mean_bps: float) -> float:
    """Time for bits at the present rate while that is expected to last, then at the mean."""
    channel, rate_bps = link.spec.spec.channel, link.rate_bps
    if isinstance(channel, ConstantChannel):
        return bits / rate_bps
    lasting_s = channel.mean_good if rate_bps == channel.good else channel.mean_bad
    at_once = rate_bps * lasting_s
    return bits / rate_bps if bits <= at_once else lasting_s + (bits - at_once) / mean_bps
