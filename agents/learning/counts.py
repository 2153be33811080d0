"""How often each kind of action was tried in each kind of situation, and the bonus for what was tried little.

b(a) = c sqrt(ln(1 + N(k)) / (1 + N(k, a))) (UCB1: Auer, Cesa-Bianchi, Fischer 2002), with a key k of the situation and
actions counted by their kind, never by the number of a node. Counts are frozen while a batch of episodes is played and
learned from, and discounted from batch to batch, since learning makes old trials stale (Garivier, Moulines 2011).
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simoffload.decision import Observation, OrderObservation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
OWN, OTHER_EDGE, CLOUD = range(3)
FIRST_COME, SHORTEST, ANOTHER = range(3)
ACTIONS = 3
LOAD_BOUNDS = (0.05, 0.2, 0.6)
"""Mean known wait in units of L_ref that parts the bins of load."""
KEYS = 3 * 4 * (len(LOAD_BOUNDS) + 1) + 3 * 4
"""Keys of positions (stage, modality, load), then of orders (stage of the first come, jobs waiting)."""


class Counts:
    """Trials by key and kind of action, [keys, actions]."""

    def __init__(self, trials: Floats | None = None) -> None:
        self.trials = np.zeros((KEYS, ACTIONS)) if trials is None else trials

    def bonus(self, key: int, kinds: Ints, c: float) -> Floats:
        """The bonus of each row, [k], whose kind of action is given."""
        trials = self.trials[key]
        rows: Floats = c * np.sqrt(np.log1p(trials.sum()) / (1.0 + trials[kinds]))
        return rows

    def add(self, keys: Ints, kinds: Ints, discount: float) -> None:
        """Take in the actions of a batch after discounting what was before."""
        self.trials *= discount
        np.add.at(self.trials, (keys, kinds), 1.0)


def situation(seen: Any) -> tuple[int, Ints]:
    """Key of an observation, and the kind of action of each of its rows."""
    return _order_situation(seen) if seen.kind == "order" else _position_situation(seen)


def _position_situation(seen: Observation) -> tuple[int, Ints]:
    waits = seen.wait_s.tolist()
    load = sum(waits) / len(waits) / seen.setting.latency_reference_s
    bin_of_load = bisect_left(LOAD_BOUNDS, load)
    kinds = OTHER_EDGE + seen.is_cloud * (CLOUD - OTHER_EDGE) + seen.is_home * (OWN - OTHER_EDGE)
    return (seen.stage * 4 + seen.modality) * (len(LOAD_BOUNDS) + 1) + bin_of_load, kinds


def _order_situation(seen: OrderObservation) -> tuple[int, Ints]:
    count = len(seen.candidates)
    kinds = np.full(count, ANOTHER)
    kinds[int(np.argmin(seen.expected_service_s))] = SHORTEST
    kinds[0] = FIRST_COME
    first_key = 3 * 4 * (len(LOAD_BOUNDS) + 1)
    return first_key + int(seen.stage[0]) * 4 + min(count.bit_length() - 2, 3), kinds
