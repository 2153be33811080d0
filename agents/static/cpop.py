"""CPOP, Critical Path On a Processor.

H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for heterogeneous
computing", IEEE TPDS 13(3), 2002, doi:10.1109/71.993206. All tasks of one critical path go to the processor that runs
that path fastest; the others go where they finish first.
"""

from __future__ import annotations

import math

from .heft import upward_ranks
from .instance import Instance
from .ready import by_priority
from .schedule import Plan, Schedule


def downward_ranks(instance: Instance) -> tuple[float, ...]:
    """Per task the longest way from an entry to its start: max over i of (rank(i) + mean cost(i) + mean comm)."""
    ranks = [0.0] * len(instance)
    for task in instance.topological:
        before = instance.predecessors[task]
        ways = [ranks[i] + instance.mean_cost(i) + instance.mean_communication(data) for i, data in before]
        ranks[task] = max(ways, default=0.0)
    return tuple(ranks)


def critical_path(instance: Instance) -> tuple[int, ...]:
    """A longest path by mean costs, from an entry to an exit; of equal continuations the lower number."""
    ranks = upward_ranks(instance)
    entries = [task for task in range(len(instance)) if not instance.predecessors[task]]
    path = [max(entries, key=lambda task: ranks[task])]
    while ways := sorted(instance.successors[path[-1]]):
        path.append(max(ways, key=lambda way: instance.mean_communication(way[1]) + ranks[way[0]])[0])
    return tuple(path)


def cpop(instance: Instance) -> Schedule:
    """The CPOP schedule; a critical task that the path's processor cannot run goes where it finishes first."""
    priority = [up + down for up, down in zip(upward_ranks(instance), downward_ranks(instance), strict=True)]
    path, plan, everywhere = critical_path(instance), Plan(instance), range(instance.processors)
    home = min(everywhere, key=lambda p: math.fsum(instance.cost[task][p] for task in path))
    for task in by_priority(instance, priority):
        if task in path and math.isfinite(instance.cost[task][home]):
            plan.place(task, home)
        else:
            plan.place(task, min(everywhere, key=lambda p: plan.earliest_finish(task, p)))
    return plan.schedule()
