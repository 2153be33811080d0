"""Episodes for the tests of learning: played in a small busy plant, or made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from simoffload.agents.learning.counts import Counts
from simoffload.agents.learning.rollout import ORDER, POSITION, Episode
from simoffload.agents.learning.tilt import Tilt
from simoffload.agents.network import Network, new_network
from simoffload.agents.scoring import Heads
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS
from simoffload.schema import Scenario, load_scenario

torch.set_num_threads(1)
INPUTS = len(POSITION_COLUMNS)
BUSY = (
    "horizon={tasks: 12}",
    "warm_up=0 s",
    "workloads.request.arrivals.rate=0.3 /s",
    "workloads.request.weight={kind: choice, values: [0.5, 1, 4]}",
    "objective={latency_weight: 0.6, latency_reference: 20 s, cost_reference: 0.001 USD}",
)


def busy(*settings: str) -> Scenario:
    """A dozen tasks of different weights that come faster than `tiny` can serve them at its edges."""
    return load_scenario("tiny", (*BUSY, *settings))


def random_network(inputs: int, seed: int, hidden: Sequence[int] = (5,)) -> Network:
    """A network whose every number is drawn, the last layer and the standardisation too."""
    generator = np.random.default_rng(seed)
    plain = new_network(inputs, hidden, generator)
    return Network(
        mean=generator.normal(size=inputs),
        scale=generator.uniform(0.5, 2.0, inputs),
        weights=(*plain.weights[:-1], generator.normal(0.0, 0.5, plain.weights[-1].shape)),
        biases=tuple(generator.normal(size=bias.shape) for bias in plain.biases),
    )


def heads(seed: int = 0, *, orders: bool = True, kappa: float = 4.0, kappa_order: float = 0.5) -> Heads:
    """A policy with random networks."""
    order = random_network(len(ORDER_COLUMNS), seed + 1) if orders else None
    return Heads(random_network(INPUTS, seed), order, kappa, kappa_order)


def softened_rule(*, orders: bool = True, kappa: float = 4.0, kappa_order: float = 0.5) -> Heads:
    """A policy whose networks say 0 of everything."""
    generator = np.random.default_rng(0)
    order = new_network(len(ORDER_COLUMNS), (4,), generator) if orders else None
    return Heads(new_network(INPUTS, (4,), generator), order, kappa, kappa_order)


def exploring(policy: Heads, c: float = 0.0, counts: Counts | None = None, **fields: Any) -> Tilt:
    """A behaviour at these counts, or at none."""
    return Tilt(policy, counts or Counts(), c, **fields)


def by_hand(
    rows: Sequence[NDArray[np.float64]],
    action: Sequence[int],
    cost: Sequence[float],
    *,
    score: Sequence[NDArray[np.float64]] | None = None,
    state: NDArray[np.float64] | None = None,
    kinds: Sequence[int] | None = None,
    home: Sequence[int] | None = None,
    own_cost: Sequence[float] | None = None,
    arriving_s: Sequence[float] | None = None,
) -> Episode:
    """An episode of decisions a second apart with these rows each, [k, columns], the actions taken and their costs.

    All are of one home, and what they came to themselves is what they cost, and tasks
    arrive all the time, unless told otherwise.
    """
    count = len(rows)
    sizes = np.array([len(each) for each in rows])
    kind = np.full(count, POSITION) if kinds is None else np.array(kinds)
    of_kind = {which: [each for each, own in zip(rows, kind, strict=True) if own == which] for which in (0, 1)}
    positions = int(sizes[kind == POSITION].sum())
    return Episode(
        kind=kind.astype(np.int8),
        sizes=sizes,
        action=np.array(action, dtype=np.int64),
        log_chance=np.zeros(count, dtype=np.float32),
        cost=np.array(cost, dtype=np.float64),
        own_cost=np.array(cost if own_cost is None else own_cost, dtype=np.float64),
        duration_s=np.ones(count),
        arriving_s=np.ones(count) if arriving_s is None else np.array(arriving_s, dtype=np.float64),
        home=np.zeros(count, dtype=np.int64) if home is None else np.array(home),
        state=np.zeros((count, STATE_COLUMNS), dtype=np.float32) if state is None else state.astype(np.float32),
        key=np.zeros(count, dtype=np.int64),
        action_kind=np.array(action, dtype=np.int64),
        rows={
            which: np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 0), dtype=np.float32)
            for which, parts in ((POSITION, of_kind[POSITION]), (ORDER, of_kind[ORDER]))
        },
        fresh=np.zeros((positions, FRESH_COLUMNS), dtype=np.float32),
        score=np.concatenate(score if score is not None else [np.zeros(size) for size in sizes]).astype(np.float32),
        objective=float(sum(cost)),
    )


def signs(*numbers: Sequence[float]) -> NDArray[np.float64]:
    """Rows of a position that begin with these numbers and are 0 otherwise."""
    rows = np.zeros((len(numbers), INPUTS))
    for row, values in enumerate(numbers):
        rows[row, : len(values)] = values
    return rows
