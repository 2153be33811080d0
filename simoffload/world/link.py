"""A link: transfers wait in a line, each carrier takes one at a time at the rate the channel has at each moment.

When a transfer has gone through, the carrier takes the next one at once; the bytes arrive a propagation delay later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from ..plant import PlantLink
from .channel_path import Channel
from .item import Item
from .job import Job
from .kernel import Call, Kernel
from .line import Line
from .occupancy import Occupancy


@dataclass(slots=True, eq=False)
class Transfer:
    """Bytes on their way from one node to another; the instants are those of the link it is on or was on last."""

    item: Item
    target: int
    job: Job
    """What needs the bytes; the job that made them, on the way home."""
    priority: float
    hops: tuple[tuple[int, float], ...]
    """Links still to be taken, each with the delay that follows it, s."""
    link: int = -1
    queued_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0
    """When it has gone through: the future from the start of the transfer on."""

    work = property(attrgetter("item.size_bytes"))
    """What it adds to the work that waits: its size, bytes."""


class LinkStation:
    """Carries transfers from a line; calls `carried(transfer)` after it has taken its next one."""

    __slots__ = (
        "_calls",
        "_carried",
        "_free",
        "_kernel",
        "_rank",
        "carried_bytes",
        "channel",
        "in_transit",
        "line",
        "link",
        "occupancy",
    )

    def __init__(
        self,
        kernel: Kernel,
        link: PlantLink,
        channel: Channel,
        line: Line,
        rank: int,
        carried: Callable[[Transfer], None],
    ) -> None:
        self.link = link
        self.channel = channel
        self.line = line
        self.occupancy = Occupancy()
        self.in_transit: dict[Transfer, None] = {}
        self.carried_bytes = 0.0
        self._kernel = kernel
        self._rank = rank
        self._carried = carried
        self._free = link.spec.copies
        """Carriers at rest; nobody waits while there are any."""
        self._calls: list[Call] = []
        """Events at rest, for reuse."""

    def enter(self, transfer: Transfer) -> None:
        """Let a transfer queue."""
        now = self._kernel.now
        transfer.link = self.link.number
        transfer.queued_s = now
        if self._free:
            self._free -= 1
            self.occupancy.start(now)
            self._take_up(transfer, now)
        else:
            self.occupancy.enter(now)
            self.line.push(transfer, transfer.priority)

    def _take_up(self, transfer: Transfer, now: float) -> None:
        self.in_transit[transfer] = None
        transfer.start_s = now
        transfer.end_s = end_s = self.channel.finish(now, 8.0 * transfer.item.size_bytes)
        call = self._calls.pop() if self._calls else Call(self._end)
        call.item = (transfer, call)
        self._kernel.at(end_s, self._rank, call)

    def left_bytes(self) -> float:
        """Bytes of the transfers under way that are not through yet."""
        now = self._kernel.now
        return sum(self.channel.bits(now, transfer.end_s) for transfer in self.in_transit) / 8.0

    def _end(self, item: tuple[Transfer, Call]) -> None:
        transfer, call = item
        now = self._kernel.now
        call.item = None
        self._calls.append(call)
        self.carried_bytes += transfer.item.size_bytes
        del self.in_transit[transfer]
        if self.occupancy.waiting:
            following = self.line.pop()
            self.occupancy.relieve(now, following.queued_s)
            self._take_up(following, now)
        else:
            self.occupancy.leave(now)
            self._free += 1
        self._carried(transfer)
