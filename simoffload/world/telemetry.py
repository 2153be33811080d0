"""What nodes tell everybody about themselves, and when; what a link tells its own node.

Think of a notice board that is wiped and written anew every few seconds: between two writings everybody reads the same,
ageing news. A notice holds what a node can know of itself: who waits, who is served, how long each was expected to
take. It never holds the true length of an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace
from itertools import accumulate, islice
from typing import NamedTuple

from ..plant import PlantNode
from .api import ApiServer
from .channels import persistence_s
from .faults import expected_end_s
from .job import Job
from .kernel import TELEMETRY, Call, Kernel
from .link import LinkStation
from .servers import Server

MOST_SCHEDULED = 256
"""Waiting jobs whose starts on several servers are worked out one by one; those behind start at the mean pace."""


class NodeReport(NamedTuple):
    """A node at an instant. Only a line that goes by priority lists its jobs, in the order in which they wait."""

    time_s: float
    queue_length: int
    """Jobs that wait."""
    in_service: int
    capacity: int
    """Jobs it can serve at once, as far as it can tell."""
    free: int
    """Places that would still be free if all that wait had begun."""
    priorities: tuple[float, ...]
    starts_s: tuple[float, ...]
    """Expected start of each job listed, and of one more that came last, as points in time."""
    by_priority: bool
    """Whether a newcomer of small priority overtakes."""
    context_tokens: float
    """Tokens of context that a batch holds."""
    resident: tuple[int, ...]
    """Numbers of the models in memory."""
    is_up: bool = True


class LinkReport(NamedTuple):
    """A link at an instant. Only a line that goes by priority lists its transfers, in the order in which they wait."""

    time_s: float
    rate_bps: float
    persistence_s: float
    """How long a rate of this kind lasts on average."""
    priorities: tuple[float, ...]
    bytes_ahead: tuple[float, ...]
    """Bytes that go before each transfer listed, and before one more that came last; those under way included."""


def report_node(server: Server, now_s: float) -> NodeReport:
    """What a node can tell about itself."""
    line, capacity = server.line, server.places
    waiting, in_service = len(line), len(server.in_service)
    free, by_priority = capacity - in_service - waiting, line.by_priority
    priorities: tuple[float, ...] = ()
    if waiting and by_priority:
        jobs = list(line.in_order())
        priorities = tuple(priority for priority, _ in jobs)
        starts = tuple(_starts(server, [job.expected_service_s for _, job in jobs], capacity, now_s))
    else:
        starts = (_last_start_s(server, waiting, free, capacity, now_s),)
    return NodeReport(
        now_s,
        waiting,
        in_service,
        capacity,
        free if free > 0 else 0,
        priorities,
        starts,
        by_priority,
        server.context_tokens(now_s),
        server.resident,
    )


def _last_start_s(server: Server, waiting: int, free: int, capacity: int, now_s: float) -> float:
    """Expected start of one who came now to a line that goes by arrival."""
    gap_s, line = server.gap_s, server.line
    if free > 0 and not gap_s:
        return now_s
    if capacity == 1 and not gap_s:
        for job in server.in_service:
            return _end_s(job, now_s) + line.work
        return now_s + line.work
    first = [job.expected_service_s for _, job in islice(line.in_order(), MOST_SCHEDULED)]
    start_s = _starts(server, first, capacity, now_s)[-1]
    if waiting > len(first):
        start_s += max((line.work - math.fsum(first)) / capacity, (waiting - len(first)) * gap_s)
    return start_s


def report_breakable(server: Server, now_s: float) -> NodeReport:
    """What a node that may crash can tell about itself: that it is down, too, and when it should be up again."""
    report = report_node(server, now_s)
    return report if server.is_up else down(report, server.node, now_s)


def down(report: NodeReport, node: PlantNode, now_s: float) -> NodeReport:
    """The report of a node of which it has become known now that it is down: nothing starts before it is mended."""
    assert node.crashes is not None
    repair_s = expected_end_s(node.crashes, now_s) - now_s
    starts_s = tuple(start_s + repair_s for start_s in report.starts_s)
    return report._replace(in_service=0, starts_s=starts_s, context_tokens=0.0, is_up=False)


def report_link(station: LinkStation, now_s: float) -> LinkReport:
    """What a link can tell about itself."""
    line = station.line
    rate_bps = station.channel.rate_bps(now_s)
    under_way = station.left_bytes() if station.in_transit else 0.0
    priorities: tuple[float, ...] = ()
    ahead = [under_way + line.work]
    if line.by_priority and line:
        waiting = list(line.in_order())
        priorities = tuple(priority for priority, _ in waiting)
        ahead = list(accumulate((transfer.work for _, transfer in waiting), initial=under_way))
    return LinkReport(
        time_s=now_s,
        rate_bps=rate_bps,
        persistence_s=persistence_s(station.link.spec, rate_bps, now_s),
        priorities=priorities,
        bytes_ahead=tuple(ahead),
    )


def _ends(server: Server, now_s: float) -> list[float]:
    """When those in service are expected to end."""
    return [_end_s(job, now_s) for job in server.in_service]


def _end_s(job: Job, now_s: float) -> float:
    """When a job in service is expected to end; one that takes longer than expected, at once."""
    end_s = job.start_s + job.swap_s + job.expected_service_s
    return end_s if end_s > now_s else now_s


def _starts(server: Server, services_s: Sequence[float], capacity: int, now_s: float) -> list[float]:
    """Starts of jobs served in order by the place that is free first, and of one more behind them."""
    places = _ends(server, now_s)
    if isinstance(server, ApiServer) and server.gap_s:
        return _paced_starts(server, places, services_s, capacity, now_s)
    if capacity == 1:
        return list(accumulate(services_s, initial=places[0] if places else now_s))
    free = capacity - len(places)
    if free > len(services_s):
        return [now_s] * (len(services_s) + 1)
    places += [now_s] * free
    heapify(places)
    starts = []
    for service in services_s[:MOST_SCHEDULED]:
        starts.append(places[0])
        heapreplace(places, places[0] + service)
    start = places[0]
    for service in services_s[MOST_SCHEDULED:]:
        starts.append(start)
        start += service / capacity
    return [*starts, start]


def _paced_starts(
    server: ApiServer, ends_s: list[float], services_s: Sequence[float], capacity: int, now_s: float
) -> list[float]:
    """The same where a request may follow another only after a gap."""
    places = ends_s + [now_s] * min(capacity - len(ends_s), len(services_s) + 1)
    heapify(places)
    may_s = max(server.next_start_s, now_s)
    starts = []
    for service in services_s:
        start = max(places[0], may_s)
        starts.append(start)
        heapreplace(places, start + service)
        may_s = start + server.gap_s
    return [*starts, max(places[0], may_s)]


class Telemetry:
    """The notice board: a report per node, written anew every `interval_s`.

    With an interval of 0 `refresh` writes it anew whenever somebody is about to read it.
    """

    __slots__ = (
        "_call", "_heard", "_interval_s", "_kernel", "_links", "_report", "_servers", "nodes", "tells_up", "time_s",
        "version",
    )  # fmt: skip

    def __init__(
        self,
        kernel: Kernel,
        servers: Sequence[Server],
        links: Sequence[LinkStation],
        interval_s: float,
        heard: Callable[[float], None],
    ) -> None:
        self._kernel = kernel
        self._servers = servers
        self._links = links
        self._interval_s = interval_s
        self._heard = heard
        self._call = Call(self._tick)
        self.tells_up = any(server.node.crashes is not None for server in servers)
        """Whether a node may ever be down."""
        self._report = report_breakable if self.tells_up else report_node
        self.version = 0
        self.time_s = 0.0
        """When the notices were written."""
        self.nodes: list[NodeReport] = []
        self._write()

    def start(self, period_s: float) -> None:
        """Begin: tick after every `period_s`, which is the interval or, where that is 0, what `heard` wants."""
        self._call.item = period_s
        self._kernel.at(self._kernel.now + period_s, TELEMETRY, self._call)

    def refresh(self) -> None:
        """Make sure that what stands on the board is as fresh as the interval allows."""
        if self._interval_s == 0:
            self._write()

    def node(self, number: int) -> NodeReport:
        """What a node tells about itself right now."""
        return self._report(self._servers[number], self._kernel.now)

    def link(self, place: int) -> LinkReport:
        """What the link at this place among all links tells about itself right now."""
        return report_link(self._links[place], self._kernel.now)

    def _tick(self, period_s: float) -> None:
        if self._interval_s > 0:
            self._write()
        self._heard(self._kernel.now)
        self._kernel.at(self._kernel.now + period_s, TELEMETRY, self._call)

    def _write(self) -> None:
        now = self._kernel.now
        self.version += 1
        self.time_s = now
        self.nodes = [self._report(server, now) for server in self._servers]
