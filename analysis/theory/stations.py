"""The stations of a scenario, its nodes and links, and what each is offered before anything is simulated.

Each kind of subtask is shared out over the nodes that can serve it so that the busiest node is as little busy as can
be. Payloads of first stages then travel from their homes; answers, which are small, are not counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simoffload.plant import Plant, PlantLink, PlantNode, build_plant
from simoffload.schema import Scenario, whole_catalogue
from simoffload.schema.base import MODALITIES
from simoffload.schema.distributions import Constant
from simoffload.schema.nodes import ApiServer, BatchingServer, RandomSlowdown
from simoffload.schema.workload import Written
from simoffload.world.pace import mean_pace

from .alone import seats
from .channel_pace import pace_of
from .demand_laws import law_of
from .interrupted import interrupts
from .kinds import Kind, arrival_cv, kinds_of, slots_of
from .nearest import Offered, Pace, Verdict, nearest
from .placing import best_shares
from .priority import PriorityClass
from .remarks import CHOSEN, Remark, about_brownouts
from .rework import done_again
from .service import ServiceLaw, mixture, scaled

Floats = NDArray[np.float64]

ONE_WAY = "every subtask goes to the one node that can serve it"
BEST = "each kind of subtask is shared out over the nodes so that the busiest is as little busy as can be"
_AGAIN = "{} of what comes failed a check and is done again; it is taken for Poisson, and its services for new ones"
_PASSED_ON = Remark("arrivals from other stations are taken for Poisson")


@dataclass(frozen=True, slots=True)
class Overview:
    """What theory says of a scenario's stations; those that nobody comes to are in `idle`."""

    split: str
    """How subtasks are taken to be placed, in words."""
    verdicts: tuple[Verdict, ...]
    idle: tuple[str, ...]
    is_jackson: bool
    """Whether the stations are a Jackson network, so that each form is exact as it stands."""


@dataclass(frozen=True, slots=True)
class _Stream:
    """Subtasks, or payloads, of a kind that come to a station; `law` None where they take no time."""

    kind: Kind
    rate: float
    chance: float
    """That one of the kind comes here."""
    law: ServiceLaw | None
    is_again: bool
    """Whether they are done again, their answers having failed a check."""


@dataclass(frozen=True, slots=True)
class _Comes:
    """Subtasks of a kind, and the share of them that goes to each node."""

    kind: Kind
    shares: Floats
    is_again: bool


def overview(scenario: Scenario) -> Overview:
    """The stations of a scenario under the best split."""
    plant = build_plant(scenario, whole_catalogue(scenario))
    kinds = kinds_of(scenario)
    work = np.array([[_work(kind, node) for node in plant.nodes] for kind in kinds])
    streams: dict[str, list[_Stream]] = {node.id: [] for node in plant.nodes}
    streams |= {link.id: [] for link in plant.links.values()}
    for comes in _shared_out(scenario, plant, kinds, work):
        for node, share in zip(plant.nodes, comes.shares.tolist(), strict=True):
            if share > 0:
                kind = comes.kind
                streams[node.id].append(_Stream(kind, share * kind.rate, share, kind.law(node), comes.is_again))
                _send(plant, comes, node, share, streams)
    offered = [_at_node(node, streams[node.id]) for node in plant.nodes]
    offered += [_at_link(link, streams[link.id]) for _, link in sorted(plant.links.items())]
    verdicts = tuple(nearest(each) for each in offered if each is not None)
    one_way = all(np.isfinite(row).sum() == 1 for row in work)
    is_jackson = one_way and _is_jackson(scenario, kinds, verdicts)
    if is_jackson:
        verdicts = tuple(replace(each, remarks=tuple(r for r in each.remarks if r != _PASSED_ON)) for each in verdicts)
    busy = {verdict.offered.station for verdict in verdicts}
    return Overview(
        split=ONE_WAY if one_way else BEST,
        verdicts=verdicts,
        idle=tuple(name for name in streams if name not in busy),
        is_jackson=is_jackson,
    )


def _shared_out(scenario: Scenario, plant: Plant, kinds: Sequence[Kind], work: Floats) -> Iterator[_Comes]:
    """Where subtasks go, and those that are done again in the cloud.

    Both are shared out together, once it is known how much is done again where what comes first is shared out alone.
    """
    first = best_shares(work)
    again = np.zeros(len(kinds))
    shares_again = np.zeros_like(work)
    if scenario.quality.verify is not None:
        clouds = np.where([node.is_cloud for node in plant.nodes], work, np.inf)
        served = np.isfinite(clouds).any(axis=1)
        shares_again[served] = best_shares(clouds[served])
        again = done_again(scenario, plant, kinds, first, shares_again)
        back = again > 0
        both = best_shares(np.concatenate([work, again[back, np.newaxis] * clouds[back]]))
        first, shares_again[back] = both[: len(kinds)], both[len(kinds) :]
        again = done_again(scenario, plant, kinds, first, shares_again)
    for kind, times, once, more in zip(kinds, again.tolist(), first, shares_again, strict=True):
        yield _Comes(kind, once, is_again=False)
        if times > 0:
            part = replace(kind.part, count=times * kind.part.count)
            yield _Comes(replace(kind, part=part, is_source=False), more, is_again=True)


def _work(kind: Kind, node: PlantNode) -> float:
    """Share of a node's time that all of a kind would take; inf where it cannot be served there."""
    if kind.model(node) is None:
        return math.inf
    if isinstance(node.server, BatchingServer):
        full = np.array([float(node.server.max_batch)])
        return kind.rate * float(kind.share_of_batch_s(node, full)[0]) / mean_pace(node.slowdown)
    law = kind.law(node)
    by_requests = 0.0
    if isinstance(node.server, ApiServer) and node.server.request_rate:
        by_requests = kind.rate / node.server.request_rate
    if law is None or not slots_of(node):
        return by_requests
    pace = mean_pace(node.slowdown) if isinstance(node.slowdown, RandomSlowdown) else 1.0
    return max(kind.rate * law.mean_s / slots_of(node) / pace, by_requests)


def _send(plant: Plant, comes: _Comes, node: PlantNode, share: float, streams: dict[str, list[_Stream]]) -> None:
    """Let the payloads of a kind travel from every home to a node."""
    kind = comes.kind
    if kind.part.payload_bytes <= 0:
        return
    payload = law_of(kind.workload.modalities[MODALITIES[kind.part.modality]].payload)
    for home in kind.composition.homes:
        for link, _ in plant.route(home, node.number).hops:
            sent = _Stream(kind, share * kind.rate_at_home, share, payload, comes.is_again)
            streams[plant.links[link].id].append(sent)


def _at_node(node: PlantNode, streams: Sequence[_Stream]) -> Offered | None:
    timed = [stream for stream in streams if stream.law is not None]
    if not timed:
        return None
    pace: Pace | None = None
    end_rates: tuple[float, ...] = ()
    if isinstance(node.server, BatchingServer):
        end_rates = _end_rates(node, timed)
    elif isinstance(node.slowdown, RandomSlowdown):
        changes = ((0.0, 1 / node.slowdown.mean_between), (1 / node.slowdown.mean_lasting, 0.0))
        pace = Pace((1.0, 1 / node.slowdown.factor), changes)
    classes, order = _classes(node, timed)
    return Offered(
        station=node.id,
        arrival_rate=math.fsum(stream.rate for stream in timed),
        arrival_cv=_cv(timed),
        service=_together(timed),
        servers=slots_of(node),
        classes=tuple(classes.values()),
        class_names=tuple(classes),
        tolerance=_tolerance(timed),
        pace=pace,
        end_rates=end_rates,
        interrupts=interrupts(node) and bool(classes or order),
        remarks=(*_about_arrivals(streams), *order, *_about_node(node)),
    )


def _at_link(link: PlantLink, streams: Sequence[_Stream]) -> Offered | None:
    timed = [stream for stream in streams if stream.law is not None]
    if not timed:
        return None
    full_bps, pace, remarks = pace_of(link)
    if link.spec.discipline == "agent":
        remarks.append(Remark("who goes next is up to the agent; the form has order of arrival"))
    return Offered(
        station=link.id,
        arrival_rate=math.fsum(stream.rate for stream in timed),
        arrival_cv=_cv(timed),
        service=scaled(_together(timed), 8 / full_bps),
        servers=link.spec.copies,
        pace=pace,
        tolerance=_tolerance(timed),
        remarks=(*_about_arrivals(streams), *remarks, Remark("answers that travel are not counted")),
    )


def _tolerance(streams: Sequence[_Stream]) -> float:
    """How far CVs may be off: not at all where the scenario says all, else as far as drawn lengths and splits are."""
    exact = all(stream.kind.lengths is None and stream.chance == 1 for stream in streams)
    return 1e-6 if exact else 0.05


def _together(streams: Sequence[_Stream]) -> ServiceLaw:
    """The law of a service, of whichever stream."""
    laws = [stream.law for stream in streams if stream.law is not None]
    if all(law.mean_s == laws[0].mean_s and law.second_s2 == laws[0].second_s2 for law in laws):
        return laws[0]
    return mixture(laws, [stream.rate for stream in streams])


def _cv(streams: Sequence[_Stream]) -> float:
    """CV of the times between arrivals from all streams: in the long run, as Whitt's QNA (1983) has it.

    Of a stream of which each is taken with a chance of p the squared CV is p c^2 + 1 - p; those of several are averaged
    by their rates. What comes from other stations counts as Poisson.
    """
    squares = []
    for stream in streams:
        own = arrival_cv(stream.kind.workload) if stream.kind.is_source else 1.0
        taken = stream.chance * min(stream.kind.part.count, 1.0)
        squares.append(taken * own**2 + 1 - taken)
    total = math.fsum(stream.rate for stream in streams)
    return math.sqrt(math.fsum(stream.rate * each for stream, each in zip(streams, squares, strict=True)) / total)


def _end_rates(node: PlantNode, streams: Sequence[_Stream]) -> tuple[float, ...]:
    """How many requests a second a batch ends with 1, 2, ... members."""
    assert isinstance(node.server, BatchingServer)
    longest = max(stream.kind.part.prompt + stream.kind.workload.max_output for stream in streams)
    members = np.arange(1.0, seats(node.server.max_batch, node.kv_tokens, longest) + 1)
    total = math.fsum(stream.rate for stream in streams)
    each_s = sum(stream.rate / total * stream.kind.share_of_batch_s(node, members) for stream in streams)
    return tuple((mean_pace(node.slowdown) / np.asarray(each_s)).tolist())


def _classes(node: PlantNode, streams: Sequence[_Stream]) -> tuple[dict[str, PriorityClass], list[Remark]]:
    """Who always goes before others, first ones first, and else what to say of the order."""
    if node.discipline == "fifo":
        return {}, []
    if node.discipline == "agent":
        return {}, [Remark("who goes next is up to the agent; the form has order of arrival")]
    fixed = all(s.kind.lengths is None and isinstance(s.kind.workload.weight, Constant) for s in streams)
    if node.discipline != "wspt" or not fixed:
        return {}, [Remark(f"who goes next is by {node.discipline}; the form has order of arrival")]
    groups: dict[float, list[_Stream]] = {}
    for stream in streams:
        weight = stream.kind.workload.weight
        assert isinstance(weight, Constant) and stream.law is not None
        groups.setdefault(stream.law.mean_s / weight.value if weight.value > 0 else math.inf, []).append(stream)
    if len(groups) == 1:
        return {}, []
    classes = {}
    for place, (_, group) in enumerate(sorted(groups.items()), start=1):
        who = " and ".join(dict.fromkeys(stream.kind.workload.id for stream in group))
        classes[f"{place}. {who}"] = PriorityClass(math.fsum(stream.rate for stream in group), _together(group))
    return classes, []


def _about_arrivals(streams: Sequence[_Stream]) -> Iterator[Remark]:
    sources = [stream for stream in streams if stream.kind.is_source]
    for workload in {stream.kind.workload.id: stream.kind.workload for stream in sources}.values():
        if math.isnan(arrival_cv(workload)):
            yield Remark(
                f"tasks of {workload.id} come as of {workload.arrivals.kind}, not at random; Poisson is what is tried"
            )
        elif getattr(workload.arrivals, "modulation", None) is not None:
            yield Remark(f"the rate of tasks of {workload.id} goes up and down; the form has its mean")
        together = math.fsum(s.chance * s.kind.part.count for s in sources if s.kind.workload.id == workload.id)
        homes = len(sources[0].kind.composition.homes)
        if len([s for s in sources if s.kind.workload.id == workload.id]) > homes or together > homes:
            yield Remark("several subtasks of a task come at once")
    if any(not stream.kind.is_source and not stream.is_again for stream in streams):
        yield _PASSED_ON
    again = math.fsum(stream.rate for stream in streams if stream.is_again)
    if again:
        yield Remark(_AGAIN, again / math.fsum(stream.rate for stream in streams), is_share=True)
    if any(stream.chance < 1 for stream in streams):
        yield CHOSEN


def _about_node(node: PlantNode) -> Iterator[Remark]:
    if isinstance(node.server, BatchingServer):
        yield Remark("in a batch each is taken to have the mean lengths, and prompts to be read one after the other")
        if node.slowdown is not None:
            yield Remark("the pace of service changes; the form has its mean")
    elif isinstance(node.server, ApiServer) and node.server.request_rate:
        yield Remark(f"only {node.server.request_rate:g} requests a second are let through; the form lets through all")
    elif node.slowdown is not None and node.slowdown.kind == "timetable":
        yield Remark("it slows down by a timetable; the form has full pace")
    if len(node.resident) < len(node.models):
        yield Remark("models are swapped in and out; in the form that takes no time")
    if node.crashes is not None:
        yield Remark("it breaks down now and then; in the form it never does")
    yield from about_brownouts(node)


def _is_jackson(scenario: Scenario, kinds: Sequence[Kind], verdicts: Sequence[Verdict]) -> bool:
    """Whether stations are M/M/c and tasks chains of subtasks: nothing sets off two things at once, nothing waits."""
    if scenario.quality.verify is not None:
        return False
    for workload in scenario.workloads:
        if not isinstance(workload.template, Written):
            return False
        heard = [name for subtask in workload.template.subtasks for name in subtask.after]
        sources = sum(not subtask.after for subtask in workload.template.subtasks)
        if sources > 1 or len(heard) != len(set(heard)) or any(len(s.after) > 1 for s in workload.template.subtasks):
            return False
    poisson = all(arrival_cv(kind.workload) == 1 for kind in kinds)
    exact = all(each.offered.is_exponential and each.name.startswith("M/M/") for each in verdicts)
    plain = all(not each.offered.pace and not each.offered.end_rates and not each.offered.classes for each in verdicts)
    return poisson and exact and plain
