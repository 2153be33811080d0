"""What a static scheduler is given: computation costs per task and processor, and arcs that carry data.

Moving an arc's data between two processors takes data / bandwidth, and nothing within one processor. A cost of
infinity says that the processor cannot run the task; means are taken over the processors that can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

Arc = tuple[int, int, float]
"""From task, to task, data."""


class InstanceError(ValueError):
    """An instance that no schedule can satisfy, or whose tables do not fit together."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A task graph on processors. Times are in whatever unit `cost` has; data / bandwidth is in the same."""

    cost: tuple[tuple[float, ...], ...]
    """Computation cost [n, p] of each task on each processor; infinity where it cannot run."""
    arcs: tuple[Arc, ...] = ()
    bandwidth: tuple[tuple[float, ...], ...] | None = None
    """Data per unit of time [p, p] from processor to processor; 1 everywhere if None. The diagonal is not read."""
    successors: tuple[tuple[tuple[int, float], ...], ...] = field(init=False, repr=False, compare=False)
    """Per task its successors, each with the arc's data, in the order of `arcs`."""
    predecessors: tuple[tuple[tuple[int, float], ...], ...] = field(init=False, repr=False, compare=False)
    topological: tuple[int, ...] = field(init=False, repr=False, compare=False)
    """The tasks, each after its predecessors."""

    def __post_init__(self) -> None:
        _check_costs(self.cost)
        _check_bandwidth(self.bandwidth, self.processors)
        _check_arcs(self.arcs, len(self.cost))
        tasks = range(len(self.cost))
        object.__setattr__(self, "successors", tuple(tuple((t, d) for s, t, d in self.arcs if s == n) for n in tasks))
        object.__setattr__(self, "predecessors", tuple(tuple((s, d) for s, t, d in self.arcs if t == n) for n in tasks))
        object.__setattr__(self, "topological", _topological(self.predecessors))

    def __len__(self) -> int:
        return len(self.cost)

    @property
    def processors(self) -> int:
        """How many processors there are."""
        return len(self.cost[0])

    def mean_cost(self, task: int) -> float:
        """Mean computation cost of a task over the processors that can run it."""
        able = [cost for cost in self.cost[task] if math.isfinite(cost)]
        return math.fsum(able) / len(able)

    def communication(self, data: float, source: int, target: int) -> float:
        """Time to move data from processor to processor."""
        if source == target:
            return 0.0
        return data if self.bandwidth is None else data / self.bandwidth[source][target]

    def mean_communication(self, data: float) -> float:
        """Time to move data at the mean bandwidth between two different processors; 0 on a single processor."""
        count = self.processors
        if count == 1:
            return 0.0
        if self.bandwidth is None:
            return data
        rates = [self.bandwidth[a][b] for a in range(count) for b in range(count) if a != b]
        return data / (math.fsum(rates) / len(rates))


def _check_costs(cost: tuple[tuple[float, ...], ...]) -> None:
    if not cost or not cost[0]:
        raise InstanceError("an instance needs at least one task and one processor")
    for task, row in enumerate(cost):
        if len(row) != len(cost[0]):
            raise InstanceError(f"task {task} has {len(row)} costs, task 0 has {len(cost[0])}; give one per processor")
        if any(not value >= 0 for value in row):
            raise InstanceError(f"task {task} has a cost that is negative or not a number")
        if all(value == math.inf for value in row):
            raise InstanceError(f"no processor can run task {task}")


def _check_bandwidth(bandwidth: tuple[tuple[float, ...], ...] | None, processors: int) -> None:
    if bandwidth is None:
        return
    if len(bandwidth) != processors or any(len(row) != processors for row in bandwidth):
        raise InstanceError(f"bandwidth must be a table of {processors} rows and {processors} columns")
    between = [rate for a, row in enumerate(bandwidth) for b, rate in enumerate(row) if a != b]
    if not all(rate > 0 for rate in between):
        raise InstanceError("bandwidth between two processors must be above 0")


def _check_arcs(arcs: tuple[Arc, ...], tasks: int) -> None:
    for source, target, data in arcs:
        if not (0 <= source < tasks and 0 <= target < tasks):
            raise InstanceError(f"arc {source} -> {target} names a task outside 0..{tasks - 1}")
        if not 0 <= data < math.inf:
            raise InstanceError(f"arc {source} -> {target} carries {data}; give a finite amount of at least 0")
    if len({arc[:2] for arc in arcs}) != len(arcs):
        raise InstanceError("two arcs join the same two tasks; give one arc with the sum of their data")


def _topological(predecessors: tuple[tuple[tuple[int, float], ...], ...]) -> tuple[int, ...]:
    sorter = TopologicalSorter({task: [p for p, _ in before] for task, before in enumerate(predecessors)})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        raise InstanceError(f"the arcs run in a circle: {' -> '.join(map(str, error.args[1]))}") from None
