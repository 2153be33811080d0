"""PEFT, Predict Earliest Finish Time.

H. Arabnejad, J. G. Barbosa, "List scheduling algorithm for heterogeneous systems by an optimistic cost table",
IEEE TPDS 25(3), 2014, doi:10.1109/TPDS.2013.57. The table holds, per task and processor, the least that must follow
if the task runs there and everything after it were placed at its best, with no queues; a task goes where finish plus
this outlook is least.
"""

from __future__ import annotations

import math

from .instance import Instance
from .ready import by_priority
from .schedule import Plan, Schedule


def optimistic_costs(instance: Instance) -> tuple[tuple[float, ...], ...]:
    """The optimistic cost table [n, p]; 0 for exits.

    OCT(i, p) = max over successors j of min over q of (OCT(j, q) + cost(j, q) + mean comm(i, j) where q is not p).
    """
    everywhere = range(instance.processors)
    table: list[tuple[float, ...]] = [()] * len(instance)
    for task in reversed(instance.topological):
        outlooks = [0.0] * instance.processors
        for after, data in instance.successors[task]:
            travel = instance.mean_communication(data)
            stay = [table[after][q] + instance.cost[after][q] for q in everywhere]
            for p in everywhere:
                outlooks[p] = max(outlooks[p], min(stay[q] + (travel if q != p else 0.0) for q in everywhere))
        table[task] = tuple(outlooks)
    return tuple(table)


def mean_outlooks(instance: Instance, table: tuple[tuple[float, ...], ...]) -> tuple[float, ...]:
    """PEFT's rank: per task the mean of its row, over the processors that can run it."""
    rows = [
        [outlook for outlook, cost in zip(row, costs, strict=True) if math.isfinite(cost)]
        for row, costs in zip(table, instance.cost, strict=True)
    ]
    return tuple(math.fsum(row) / len(row) for row in rows)


def peft(instance: Instance) -> Schedule:
    """The PEFT schedule; equal ranks keep the lower task, equal sums the lower processor."""
    table, plan = optimistic_costs(instance), Plan(instance)
    for task in by_priority(instance, mean_outlooks(instance, table)):
        plan.place(task, min(range(instance.processors), key=lambda p: plan.earliest_finish(task, p) + table[task][p]))
    return plan.schedule()
