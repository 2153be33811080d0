"""HEFT, Heterogeneous Earliest Finish Time.

H. Topcuoglu, S. Hariri, M.-Y. Wu, "Performance-effective and low-complexity task scheduling for heterogeneous
computing", IEEE TPDS 13(3), 2002, doi:10.1109/71.993206. Tasks are taken by falling upward rank, and each goes to the
processor that finishes it first.
"""

from __future__ import annotations

from .instance import Instance
from .schedule import Plan, Schedule


def upward_ranks(instance: Instance) -> tuple[float, ...]:
    """Per task the longest way to an exit: rank(i) = mean cost(i) + max over successors j of (mean comm + rank(j))."""
    ranks = [0.0] * len(instance)
    for task in reversed(instance.topological):
        ways = [instance.mean_communication(data) + ranks[after] for after, data in instance.successors[task]]
        ranks[task] = instance.mean_cost(task) + max(ways, default=0.0)
    return tuple(ranks)


def heft(instance: Instance) -> Schedule:
    """The HEFT schedule; equal ranks keep the topological order, equal finishes the lower processor."""
    ranks, plan = upward_ranks(instance), Plan(instance)
    for task in sorted(instance.topological, key=lambda task: -ranks[task]):
        plan.place(task, min(range(instance.processors), key=lambda p: plan.earliest_finish(task, p)))
    return plan.schedule()
