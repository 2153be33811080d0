"""The station of each kind of server that a scenario can name, and the line its discipline asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from ..plant import PlantNode
from .api import ApiServer
from .batching import BatchingServer
from .job import Broken, Job
from .kernel import Kernel
from .line import AskedLine, FifoLine, Line, PriorityLine
from .occupancy import Occupancy
from .pace import Pace
from .preemptive import PreemptiveServer
from .slots import SlotsServer


class Server(Protocol):
    """What the rest of the world asks of a station that serves jobs."""

    @property
    def node(self) -> PlantNode:
        """The node it belongs to."""

    @property
    def line(self) -> Line:
        """The jobs that wait."""

    @property
    def occupancy(self) -> Occupancy:
        """Its numbers over time."""

    @property
    def in_service(self) -> Collection[Job]:
        """The jobs that have begun and not ended, in the order in which they began."""

    @property
    def places(self) -> int:
        """Jobs it can serve at once, as far as it can tell now."""

    @property
    def gap_s(self) -> float:
        """Least time between two beginnings; 0 for no limit."""

    @property
    def resident(self) -> tuple[int, ...]:
        """Numbers of the models in memory."""

    def context_tokens(self, now_s: float) -> int:
        """Tokens that a batch holds of the members that write; 0 where there is no batch."""

    @property
    def swaps(self) -> int:
        """Models loaded so far."""

    @property
    def is_up(self) -> bool:
        """Whether it serves at all."""

    def enter(self, job: Job) -> None:
        """Take a job whose inputs are there."""

    def withdraw(self, job: Job) -> Broken | None:
        """Let a job go that waits here or is in service; in the latter case, how far it had come."""

    def go_on(self) -> None:
        """All that are withdrawn in this instant are gone: begin what is left to be begun."""

    def crash(self) -> list[Broken]:
        """Break off all services; nothing is begun until `repair`."""

    def repair(self) -> None:
        """Go on with those that wait."""


Choose = Callable[[Sequence[Any]], int]


def make_line(discipline: str, choose: Choose | None) -> Line:
    """The line of a discipline; of the discipline `agent` one that asks `choose`, or goes by priority without it."""
    if discipline == "fifo":
        return FifoLine()
    if discipline == "agent" and choose is not None:
        return AskedLine(choose)
    return PriorityLine()


def make_server(
    kernel: Kernel, node: PlantNode, line: Line, done: Callable[[Job], None], pace: Pace | None = None
) -> Server:
    """The station of a node; without a `pace` it always works as its law says, as an interface does anyway.

    Slots interrupt a service only where the line goes by priority: an agent that is asked chooses among those who wait.
    """
    if node.server.kind == "slots":
        if node.server.preemption == "resume" and isinstance(line, PriorityLine):
            return PreemptiveServer(kernel, node, line, done, pace)
        return SlotsServer(kernel, node, line, done, pace)
    if node.server.kind == "batching":
        return BatchingServer(kernel, node, line, done, pace)
    return ApiServer(kernel, node, line, done)
