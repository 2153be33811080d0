"""The order of list schedulers that keep a ready list: of the tasks whose predecessors are placed, the foremost."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from .instance import Instance


def by_priority(instance: Instance, priority: Sequence[float]) -> Iterator[int]:
    """The tasks, each after its predecessors, at every step the ready one of highest priority (ties: lower number)."""
    missing = [len(before) for before in instance.predecessors]
    ready = [(-priority[task], task) for task, count in enumerate(missing) if count == 0]
    heapq.heapify(ready)
    while ready:
        _, task = heapq.heappop(ready)
        yield task
        for after, _ in instance.successors[task]:
            missing[after] -= 1
            if missing[after] == 0:
                heapq.heappush(ready, (-priority[after], after))
