"""What moves between nodes: raw payloads and answers, each sent to a node once and held there from then on.

Think of copies of a document: whoever has one need not ask again, and two who ask while it is in the post share the
letter. An item is sent from where it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plant import Plant, Route
from .item import Item, Then
from .job import Job
from .kernel import COMPLETION, Call, Kernel
from .link import LinkStation, Transfer


class Transport:
    """Sends items along routes of links and delays; `delivered(transfer, now_s)` hears of every link taken."""

    __slots__ = ("_delay_rank", "_delivered", "_kernel", "_links", "_plant", "_routes")

    def __init__(self, kernel: Kernel, plant: Plant, delivered: Callable[[Transfer, float], None]) -> None:
        self._kernel = kernel
        self._plant = plant
        self._links: Mapping[int, LinkStation] = {}
        self._delivered = delivered
        self._routes: dict[tuple[int, int], Route] = {}
        self._delay_rank = COMPLETION + len(plant.nodes)

    def connect(self, stations: Sequence[LinkStation]) -> None:
        """Use these links."""
        self._links = {station.link.number: station for station in stations}

    def link_rank(self, link: int) -> int:
        """The rank of a link's events: links come after nodes and delays, in order of number."""
        return self._delay_rank + 1 + link

    def want(self, item: Item, node: int, job: Job, then: Then, argument: Any) -> None:
        """Run `then(argument)` once the item, which the node does not hold, is there.

        It is sent to the node with the priority of `job`, unless it is on its way there already.
        """
        waiting = item.coming.get(node)
        if waiting is not None:
            waiting.append((then, argument))
            return
        item.coming[node] = [(then, argument)]
        route = self._route(item.origin, node)
        transfer = Transfer(item, node, job, job.priority, route.hops)
        if route.first_delay_s > 0:
            self._kernel.at(self._kernel.now + route.first_delay_s, self._delay_rank, Call(self._go_on, transfer))
        else:
            self._go_on(transfer)

    def carried(self, transfer: Transfer) -> None:
        """A link has put a transfer through: what is left is the delay behind it."""
        delay_s = transfer.hops[0][1]
        if delay_s > 0:
            self._kernel.at(self._kernel.now + delay_s, self._delay_rank, Call(self._link_done, transfer))
        else:
            self._link_done(transfer)

    def _link_done(self, transfer: Transfer) -> None:
        self._delivered(transfer, self._kernel.now)
        transfer.hops = transfer.hops[1:]
        self._go_on(transfer)

    def _go_on(self, transfer: Transfer) -> None:
        if transfer.hops:
            self._links[transfer.hops[0][0]].enter(transfer)
            return
        item = transfer.item
        item.holders.add(transfer.target)
        for then, argument in item.coming.pop(transfer.target):
            then(argument)

    def _route(self, source: int, target: int) -> Route:
        route = self._routes.get((source, target))
        if route is None:
            route = self._routes[source, target] = self._plant.route(source, target)
        return route
