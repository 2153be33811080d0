"""Published task graphs, random ones, and the optimum by trying everything."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from hypothesis import strategies as st

from simoffload.agents.static import Instance
from simoffload.agents.static.schedule import Plan

TOPCUOGLU = Instance(
    cost=(
        (14, 16, 9), (13, 19, 18), (11, 13, 19), (13, 8, 17), (12, 13, 10),
        (13, 16, 9), (7, 15, 11), (5, 11, 14), (18, 12, 20), (21, 7, 16),
    ),
    arcs=(
        (0, 1, 18), (0, 2, 12), (0, 3, 9), (0, 4, 11), (0, 5, 14), (1, 7, 19), (1, 8, 16), (2, 6, 23),
        (3, 7, 27), (3, 8, 23), (4, 8, 13), (5, 7, 15), (6, 9, 17), (7, 9, 11), (8, 9, 13),
    ),
)  # fmt: skip
"""Figure 2 of Topcuoglu, Hariri and Wu, IEEE TPDS 13(3), 2002."""

ARABNEJAD = Instance(
    cost=(
        (22, 21, 36), (22, 18, 18), (32, 27, 43), (7, 10, 4), (29, 27, 35),
        (26, 17, 24), (14, 25, 30), (29, 23, 36), (15, 21, 8), (13, 16, 33),
    ),
    arcs=(
        (0, 1, 17), (0, 2, 31), (0, 3, 29), (0, 4, 13), (0, 5, 7), (1, 7, 3), (1, 8, 30), (2, 6, 16),
        (3, 7, 11), (3, 8, 7), (4, 8, 57), (5, 7, 5), (6, 9, 9), (7, 9, 42), (8, 9, 7),
    ),
)  # fmt: skip
"""Figure 1 of Arabnejad and Barbosa, IEEE TPDS 25(3), 2014."""

COSTS = st.one_of(st.integers(0, 20).map(float), st.floats(0.0, 20.0))


@st.composite
def instances(draw: st.DrawFn, tasks: int = 9, processors: int = 4, *, partial: bool = True) -> Instance:
    """Random graphs whose arcs run from lower to higher tasks, on processors of which some cannot run some tasks."""
    n, p = draw(st.integers(1, tasks)), draw(st.integers(1, processors))
    cost = []
    for _ in range(n):
        row = draw(st.lists(COSTS, min_size=p, max_size=p))
        able = draw(st.lists(st.booleans(), min_size=p, max_size=p)) if partial else [True] * p
        able[draw(st.integers(0, p - 1))] = True
        cost.append(tuple(c if a else math.inf for c, a in zip(row, able, strict=True)))
    pairs = draw(st.lists(st.sampled_from(list(itertools.combinations(range(n), 2))), unique=True)) if n > 1 else []
    arcs = tuple((s, t, draw(COSTS)) for s, t in sorted(pairs))
    rates = st.floats(0.25, 4.0)
    bandwidth = draw(st.none() | st.lists(st.lists(rates, min_size=p, max_size=p).map(tuple), min_size=p, max_size=p))
    return Instance(tuple(cost), arcs, None if bandwidth is None else tuple(bandwidth))


def optimum(instance: Instance) -> float:
    """Least makespan over every order of the tasks and every choice of processors."""
    able = [[p for p, cost in enumerate(row) if math.isfinite(cost)] for row in instance.cost]
    return min(_makespan(instance, order, where) for order in _orders(instance) for where in itertools.product(*able))


def _makespan(instance: Instance, order: tuple[int, ...], where: tuple[int, ...]) -> float:
    plan = Plan(instance)
    for task in order:
        plan.place(task, where[task])
    return plan.schedule().makespan


def _orders(instance: Instance) -> Iterator[tuple[int, ...]]:
    for order in itertools.permutations(range(len(instance))):
        place = {task: i for i, task in enumerate(order)}
        if all(place[s] < place[t] for s, t, _ in instance.arcs):
            yield order
