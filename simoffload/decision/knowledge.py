"""What a home knows of the plant: the notices of the others, what it sent there since, and itself as it is.

Everything here comes from reports of nodes and links, which are as old as telemetry makes them, and from the home's own
dispatches. Nothing looks at the state of another node.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from ..plant import LINK_KINDS, UPLINK, PlantNode
from ..world.job import Job
from ..world.telemetry import LinkReport, NodeReport, Telemetry, down
from .hearing import Hearing
from .tables import ModalityTable, Ways

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class Dispatch:
    """A subtask that a home sent to a node and of which no report of that node can have told yet."""

    job: Job
    entry_s: float
    """When it is expected to join the line there."""
    service_s: float
    decided_by: int
    """Version of the notices at the decision."""


_ENTRY = attrgetter("entry_s")
_MOST_UNSEEN = 256
"""Dispatches that are set aside until somebody asks."""


class Board:
    """The notices as arrays over all nodes, [nodes], shared by the homes; rewritten when telemetry writes."""

    def __init__(self, telemetry: Telemetry) -> None:
        self.telemetry = telemetry
        self.version = -1

    def refresh(self) -> None:
        """Bring the arrays up to the newest notices."""
        if self.version == self.telemetry.version:
            return
        self.version = self.telemetry.version
        reports = self.telemetry.nodes
        self.start_s = np.array([report.starts_s[-1] for report in reports])
        self.queue_length = np.array([float(report.queue_length) for report in reports])
        self.in_service = np.array([float(report.in_service) for report in reports])
        self.context = np.array([report.context_tokens for report in reports])
        self.is_up: Flags | None = None
        """None where no node is ever down."""
        if self.telemetry.tells_up:
            self.is_up = np.array([report.is_up for report in reports])


class Knowledge:
    """The view of one home. `look` begins an epoch; after `see` the arrays, [nodes], hold until the next one.

    Notices and the home's own dispatches are taken in when they are needed first: a rule that never asks how things
    stand does not pay for the answer.
    """

    def __init__(
        self, home: int, board: Board, mean_bps: dict[int, float], link_places: dict[int, int], hearing: Hearing
    ) -> None:
        self.home = home
        self.hearing = hearing
        self._board = board
        self._mean_bps = mean_bps
        self._own_links = [
            (number, link_places[number])
            for number in range(3 * home, 3 * home + len(LINK_KINDS))
            if number in link_places
        ]
        self._version = -1
        self._sent: dict[int, list[Dispatch]] = {}
        """Dispatches by node that are in no report yet, in the order in which they are expected there."""
        self._unseen: list[Dispatch] = []
        """Dispatches not yet taken in."""
        self._own_reports: dict[int, LinkReport] = {}
        """Own links as they are at this epoch, as far as somebody asked."""
        self.now_s = 0.0
        self._looked_version = -1
        """Of the notices at this epoch."""
        self._is_up: Flags | None = None
        self._home_seen = False
        self._found_down: list[tuple[PlantNode, float, int]] = []
        """Nodes found to be down since this epoch, when, and the version of the notices by then, if newer ones."""

    @property
    def age_s(self) -> float:
        """Age of the notices."""
        return self.now_s - self._board.telemetry.time_s

    @property
    def is_up(self) -> Flags | None:
        """Which nodes are up, [nodes]; None where no node is ever down."""
        if self._board.telemetry.tells_up:
            self._catch_up()
        return self._is_up

    def look(self, now_s: float) -> None:
        """From now on the newest notices hold, and how this home and its own links are right now."""
        self.now_s = now_s
        self.hearing.next_decision()
        telemetry = self._board.telemetry
        telemetry.refresh()
        self._looked_version = telemetry.version
        self._home_seen = False
        self._own_reports.clear()

    @property
    def _is_current(self) -> bool:
        """Whether no notice has been written since this epoch; else what is known is read anew at the next."""
        return self._looked_version == self._board.telemetry.version

    def _catch_up(self) -> None:
        """Take in the notices of this epoch and the dispatches since, in the order in which they came."""
        unseen, version = self._unseen, self._looked_version
        if unseen:
            self._unseen = []
        if self._version != version:
            for each in unseen:
                if each.decided_by != version:
                    self._list(each)
            self._copy()
        for each in unseen:
            if each.decided_by == version:
                self._count_sent(each)

    def _copy(self) -> None:
        board = self._board
        board.refresh()
        self._version = board.version
        self.reports: list[NodeReport] = list(board.telemetry.nodes)
        self.start_s = board.start_s.copy()
        self.queue_length = board.queue_length.copy()
        self.in_service = board.in_service.copy()
        self.context = board.context.copy()
        if board.is_up is not None:
            self._is_up = board.is_up.copy()
        self._ranked = {node for node, report in enumerate(self.reports) if report.by_priority}
        """Nodes where a newcomer may overtake."""
        told = board.telemetry.time_s
        for node, dispatches in list(self._sent.items()):
            if node == self.home:
                continue
            left = [each for each in dispatches if not each.job.entered_s <= told]
            if left:
                self._sent[node] = left
            else:
                del self._sent[node]
        for node, dispatches in self._sent.items():
            if node != self.home:
                self._count(node, len(dispatches))
        for found, since_s, version in self._found_down:
            if version == self._version:
                self._believe_down(found, since_s)
        self._found_down.clear()

    def see(self) -> None:
        """Take in how the home is at this epoch, if nobody has asked for that yet."""
        if self._home_seen:
            return
        self._catch_up()
        self._home_seen = True
        home = self.home
        report = self.reports[home] = self._board.telemetry.node(home)
        self.start_s[home] = report.starts_s[-1]
        self.queue_length[home] = report.queue_length
        self.in_service[home] = report.in_service
        self.context[home] = report.context_tokens
        (self._ranked.add if report.by_priority else self._ranked.discard)(home)
        if self._is_up is not None:
            self._is_up[home] = report.is_up
        dispatches = self._sent.get(home)
        if dispatches:
            self._sent[home] = [each for each in dispatches if math.isnan(each.job.entered_s)]
            self._count(home, len(self._sent[home]))

    def _count(self, node: int, more: int) -> None:
        """Add dispatches to the known numbers of a node: first to those in service, as far as there is room."""
        room = min(more, self.reports[node].free)
        self.in_service[node] += room
        self.queue_length[node] += more - room

    def send(self, job: Job, entry_s: float, service_s: float) -> None:
        """Remember that a job was given to a node."""
        self._unseen.append(Dispatch(job, entry_s, service_s, self._looked_version))
        if len(self._unseen) == _MOST_UNSEEN:
            self._catch_up()

    def _count_sent(self, dispatch: Dispatch) -> None:
        """Take in a dispatch of which the notices do not tell."""
        node = dispatch.job.node
        if node != self.home:
            has_room = len(self._sent.get(node, ())) < self.reports[node].free
            known = self.in_service if has_room else self.queue_length
            known[node] += 1
        self._list(dispatch)

    def _list(self, dispatch: Dispatch) -> None:
        """Put a dispatch in its place among those to its node."""
        node = dispatch.job.node
        dispatches = self._sent.setdefault(node, [])
        if node == self.home:
            dispatches[:] = [each for each in dispatches if math.isnan(each.job.entered_s)]
        insort(dispatches, dispatch, key=_ENTRY)

    def forget(self, job: Job) -> None:
        """A job that was given to a node is there no more, nor on its way."""
        node = job.node
        if self._is_current:
            self._catch_up()
        else:
            self._unseen = [each for each in self._unseen if each.job is not job]
        dispatches = self._sent.get(node, [])
        left = [each for each in dispatches if each.job is not job]
        if len(left) == len(dispatches):
            return
        self._sent[node] = left
        if node != self.home and self._is_current:
            self.queue_length[node] = self.reports[node].queue_length
            self.in_service[node] = self.reports[node].in_service
            self._count(node, len(left))

    def found_down(self, node: PlantNode, now_s: float) -> None:
        """A job of this home was lost at a node because that is down; until its next notice that is what is known."""
        if self._is_current:
            self._catch_up()
            self._believe_down(node, now_s)
            return
        version = self._board.telemetry.version
        self._found_down = [each for each in self._found_down if each[2] == version]
        self._found_down.append((node, now_s, version))

    def _believe_down(self, node: PlantNode, since_s: float) -> None:
        report = self.reports[node.number]
        if self._is_up is not None and report.is_up:
            report = self.reports[node.number] = down(report, node, since_s)
            self._is_up[node.number] = False
            self.start_s[node.number] = report.starts_s[-1]

    def start_times_s(self, table: ModalityTable, priority: Floats | float, arrival_s: Floats) -> Floats:
        """Expected start of a job, as points in time, [k], if it joined the lines of a table's nodes at `arrival_s`.

        A job starts after those in service, those that wait with the same or a smaller priority, and of the home's own
        dispatches that are expected there before it those of such priority or that find a free place.
        """
        starts = self.start_s[table.nodes]
        for node in self._ranked:
            row = table.row.get(node)
            if row is not None:
                own = priority if isinstance(priority, float) else float(priority[row])
                starts[row] = _start_at(self.reports[node], own, float(arrival_s[row]))
        for node, dispatches in self._sent.items():
            row = table.row.get(node)
            if row is not None and dispatches:
                own = math.inf if table.is_fifo[row] else priority if isinstance(priority, float) else priority[row]
                starts[row] = self._after(node, float(starts[row]), dispatches, own, float(arrival_s[row]))
        return starts

    def _after(self, node: int, start_s: float, dispatches: list[Dispatch], priority: float, arrival_s: float) -> float:
        report = self.reports[node]
        free, capacity = report.free, report.capacity
        for each in dispatches:
            if each.entry_s > arrival_s:
                continue
            goes_before = free > 0 or each.job.priority <= priority
            free -= 1
            if goes_before and free <= 0:
                start_s = max(start_s, each.entry_s) + each.service_s / capacity
        return start_s

    def arrival_times_s(self, ways: Ways, bits: float, priority: Floats | float) -> Floats:
        """Expected time until `bits` sent now along each of the ways are there, s, [k].

        An own link is known with its rate and its line; it is taken to keep its rate for its channel's persistence and
        then to run at its mean. Another's link is taken to run at its mean and to be free of other transfers.
        """
        time = ways.delay_s + bits * ways.s_per_bit
        for number, place in self._own_links:
            rows = ways.rows_by_link.get(number)
            if rows is not None:
                report, mean = self._own_report(number, place), self._mean_bps[number]
                ahead = _bytes_ahead(report, priority if isinstance(priority, float) else priority[rows])
                own = _through_s(bits + 8.0 * ahead, report.rate_bps, mean, report.persistence_s)
                time[rows] += own - bits / mean
        return time

    @property
    def uplink(self) -> tuple[float, float]:
        """Seconds until the home's own up-link is clear at its mean rate, and its rate over its mean; 0, 1 for none."""
        number = 3 * self.home + UPLINK
        for own, place in self._own_links:
            if own == number:
                report, mean = self._own_report(number, place), self._mean_bps[number]
                return 8.0 * report.bytes_ahead[-1] / mean, report.rate_bps / mean
        return 0.0, 1.0

    def _own_report(self, number: int, place: int) -> LinkReport:
        report = self._own_reports.get(number)
        if report is None:
            report = self._own_reports[number] = self._board.telemetry.link(place)
        return report


def _start_at(report: NodeReport, priority: float, arrival_s: float) -> float:
    """Start of a newcomer: after those that go before it, and after those that will have begun when it comes."""
    begun = bisect_left(report.starts_s, arrival_s, 0, len(report.priorities))
    return report.starts_s[max(bisect_right(report.priorities, priority), begun)]


def _bytes_ahead(report: LinkReport, priority: Floats | float) -> Floats | float:
    """Bytes on a link that go before a transfer of this priority."""
    if isinstance(priority, float):
        return report.bytes_ahead[bisect_right(report.priorities, priority)]
    places = np.searchsorted(np.array(report.priorities), priority, side="right")
    ahead: Floats = np.array(report.bytes_ahead)[places]
    return ahead


def _through_s(bits: Floats | float, rate_bps: float, mean_bps: float, persistence_s: float) -> Floats | float:
    """Time for bits at a rate that lasts for `persistence_s` and then is the mean."""
    if rate_bps == mean_bps or persistence_s == math.inf:
        return bits / rate_bps
    at_once = rate_bps * persistence_s
    late = persistence_s + (bits - at_once) / mean_bps
    early = bits / rate_bps if rate_bps > 0 else 0.0
    if isinstance(bits, float):
        return early if bits <= at_once else late
    return np.where(bits <= at_once, early, late)
