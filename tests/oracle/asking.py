"""The world in which the agent is asked who goes next.

Written after `docs/agents.md`, "When the agent decides the order". The agent is asked wherever two or more wait and the
line is its own: at nodes and links of the discipline `agent`. Where it is not asked, those of its lines go by arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .batching import BatchServer, Request
from .nodes import Node
from .verification import OracleWithChecks
from .world import Key


@dataclass(frozen=True)
class Row:
    """What the agent sees of one who waits, as far as it is known to the last bit."""

    bytes: float
    """To be carried; 0 at a node."""
    weight: float
    stage: int


Pick = Callable[[str, Sequence[Row]], int]
"""(name of the node or link, those who wait in the order in which they came) -> the place of the next one."""


class OracleThatAsks(OracleWithChecks):
    """What was asked of slots, interfaces and links is in `asked`: station, time, number of those who waited."""

    def __init__(self, *rest: Any, pick: Pick, orders_from: int = 2, **others: Any) -> None:
        """Where fewer than `orders_from` wait, the first come goes."""
        self.pick, self.orders_from = pick, orders_from
        self.asked: list[tuple[str, float, int]] = []
        super().__init__(*rest, **others)

    def _is_asked_at(self, n: int) -> bool:
        return self.nodes[n].discipline == "agent"

    def _interrupts(self, n: int) -> bool:
        """An agent that decides the order interrupts nobody."""
        return super()._interrupts(n) and not self._is_asked_at(n)

    def _rank(self, n: int, key: Key) -> float:
        return 0.0 if self._is_asked_at(n) else super()._rank(n, key)

    def _in_line(self, n: int) -> list[Key]:
        """Asked for whenever a server is free: only the one that goes next, among those that may be begun now."""
        if not self._is_asked_at(n):
            return super()._in_line(n)
        line = [key for key in super()._in_line(n) if self._may_begin(n, key)]
        if not line:
            return []
        station = self.nodes[n].id
        return [line[self._place(station, [self._row(key, 0.0) for key in line])]]

    def _may_begin(self, n: int, key: Key) -> bool:
        """Whether its model is in memory or can be brought in."""
        resident = dict(self.resident[n])
        swap = self._make_resident(n, self._model(key))
        self.resident[n] = resident
        return swap is not None

    def _next_transfer(self, number: int) -> dict[str, Any]:
        if not self.links[number].by_priority:
            return super()._next_transfer(number)
        line = self.link_queue[number]
        station = f"{self.nodes[number // 3].id}/{('uplink', 'downlink', 'lan')[number % 3]}"
        return line[self._place(station, [self._row(t["consumer"], t["bytes"]) for t in line])]

    def _batch_server(self, node: Node) -> BatchServer | None:
        server = super()._batch_server(node)
        if server is not None and self._is_asked_at(node.number):
            server.first = lambda waiting: self._first_of_batch(node.id, waiting)
        return server

    def _first_of_batch(self, station: str, waiting: Sequence[Request]) -> Request:
        rows = [self._row(request.key, 0.0) for request in waiting]
        return waiting[self.pick(station, rows) if len(rows) >= self.orders_from else 0]

    def _place(self, station: str, rows: Sequence[Row]) -> int:
        if len(rows) < self.orders_from:
            return 0
        self.asked.append((station, self.now, len(rows)))
        return self.pick(station, rows)

    def _row(self, key: Any, size: float) -> Row:
        task = self.tasks_in[key[0]]
        return Row(size, task.weight, task.graph.stages[key[1]])
