"""The best routing table of a plant of queues, and the mean cost of any table.

The process is a semi-Markov decision process with exponential stays. Uniformisation lets all states change at one rate,
with steps in which nothing happens, and makes it a chain in discrete time of the same mean cost (Lippman, Operations
Research 23(4), 1975; Puterman, Markov Decision Processes, 1994, ch. 11.5). Relative value iteration then closes in on
the least mean cost from both sides (ch. 8.5).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .routing import Routing, RoutingError

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

MOST_STATES = 1_000_000
MOST_EVALUATED = 20_000
"""States of a table whose balance equations are solved."""
TOLERANCE = 1e-11
"""Of the mean cost, relative."""
MOST_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class Solution:
    """The best table, as `ByTable` plays it, and the least mean cost."""

    table: Ints
    """[n1 + 1, n2 + 1, ...]: the queue that gets a job when so many are in each; the number of queues for outside."""
    cost_per_s: float
    cost_per_job: float
    """The objective per task that no agent is below on average."""
    steps: int


def solve(routing: Routing, tolerance: float = TOLERANCE) -> Solution:
    """The least mean cost of a routing problem to a relative tolerance.

    RoutingError where there are too many states or steps.
    """
    shape = tuple(most + 1 for most in routing.places)
    if math.prod(shape) > MOST_STATES:
        raise RoutingError(f"{math.prod(shape)} states are too many to go through; {MOST_STATES} are allowed")
    rate = routing.arrival_rate + math.fsum(routing.service_rates)
    running = _running_cost(routing, shape)
    value = np.zeros(shape)
    for step in range(1, MOST_STEPS + 1):
        routes = _routes(routing, value)
        after = running + routing.arrival_rate * routes.min(axis=0)
        for queue, service_rate in enumerate(routing.service_rates):
            after += service_rate * _shifted(value, queue, -1)
        after /= rate
        change = after - value
        low, high = float(change.min()), float(change.max())
        if high - low <= tolerance * high:
            cost_per_s = rate * (low + high) / 2
            table = routes.argmin(axis=0)
            return Solution(table, cost_per_s, cost_per_s / routing.arrival_rate, step)
        value = after - after.flat[0]
    raise RoutingError(f"value iteration did not come within {tolerance} of the mean cost in {MOST_STEPS} steps")


def average_cost(routing: Routing, table: Ints) -> float:
    """Mean cost per job of a table, from the stationary distribution that solves its balance equations.

    A table that lets a queue grow beyond its own size sends jobs that find it full outside instead.
    """
    shape, count = table.shape, table.size
    if count > MOST_EVALUATED:
        raise RoutingError(f"{count} states are too many for balance equations; {MOST_EVALUATED} are allowed")
    from scipy.sparse import coo_array, csc_array  # type: ignore[import-untyped]
    from scipy.sparse.linalg import spsolve  # type: ignore[import-untyped]

    rows, columns, rates = _flows(routing, table)
    balance = coo_array((rates, (columns, rows)), shape=(count, count)).tolil()
    balance[0, :] = 1.0
    total = np.zeros(count)
    total[0] = 1.0
    chance = np.asarray(spsolve(csc_array(balance), total)).reshape(shape)
    sent_outside = routing.arrival_rate * chance[_feasible(table) == table.ndim].sum()
    cost_per_s = float((chance * _running_cost(routing, shape)).sum() + sent_outside * routing.outside_cost)
    return cost_per_s / routing.arrival_rate


def _running_cost(routing: Routing, shape: tuple[int, ...]) -> Floats:
    """Cost per s in each state: of the jobs in the queues, and of the servers that work."""
    jobs = np.indices(shape)
    busy = np.tensordot(np.array(routing.busy_costs), (jobs > 0).astype(float), axes=1)
    running: Floats = routing.holding_cost * jobs.sum(axis=0) + busy
    return running


def _routes(routing: Routing, value: Floats) -> Floats:
    """Cost to come of each choice for a job that arrives: the queues in turn, then outside; inf for a full queue."""
    joined = []
    for queue in range(value.ndim):
        after = _shifted(value, queue, 1)
        np.moveaxis(after, queue, 0)[-1] = math.inf
        joined.append(after)
    return np.stack([*joined, value + routing.outside_cost])


def _shifted(value: Floats, queue: int, by: int) -> Floats:
    """Values of the states with one job more or less in a queue; at its ends those of the state itself."""
    size = value.shape[queue]
    return value.take(np.clip(np.arange(size) + by, 0, size - 1), axis=queue)


def _feasible(table: Ints) -> Ints:
    """The table with outside in the place of a queue that is full."""
    jobs, outside = np.indices(table.shape), table.ndim
    allowed = table.copy()
    for queue in range(outside):
        allowed[(table == queue) & (jobs[queue] == table.shape[queue] - 1)] = outside
    return allowed


def _flows(routing: Routing, table: Ints) -> tuple[Ints, Ints, Floats]:
    """Transitions under a table: from state, to state, rate; a state's own rate of leaving counts negative."""
    parts = list(_flow_parts(routing, table))
    origins, targets = np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
    rates = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    return np.concatenate([origins, origins]), np.concatenate([targets, origins]), np.concatenate([rates, -rates])


def _flow_parts(routing: Routing, table: Ints) -> Iterator[tuple[Ints, Ints, float]]:
    numbers, jobs, allowed = np.arange(table.size).reshape(table.shape), np.indices(table.shape), _feasible(table)
    for queue, service_rate in enumerate(routing.service_rates):
        stride = math.prod(table.shape[queue + 1 :])
        joining, leaving = numbers[allowed == queue], numbers[jobs[queue] > 0]
        yield joining, joining + stride, routing.arrival_rate
        yield leaving, leaving - stride, service_rate
