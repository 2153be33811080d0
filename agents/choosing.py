"""What rules share: they take the candidate whose index is least, and of equal ones the lowest node.

Candidates stand in rising order of node number, so the first least index is the lowest node's. A node known to be down
is passed over where another is up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision

if TYPE_CHECKING:
    from simoffload.decision import Observation, Setting

Floats = NDArray[np.float64]


class IndexRule:
    """An agent without memory: argmin over the candidates of an index, queues in the order named by `order`."""

    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Keep the run's weights and references; the rule draws nothing."""
        self.setting = setting

    def index(self, observation: Observation) -> Floats:
        """The quantity [k] to be made least."""
        raise NotImplementedError

    def decide(self, observation: Observation) -> Decision:
        """The candidate of least index."""
        return Decision(least_up(self.index(observation), observation))


def least_up(values: Floats, observation: Observation) -> int:
    """The candidate with the least value among those that are up; among all where none is known to be up."""
    up = observation.up_rows
    return int(np.argmin(values)) if up is None else int(up[np.argmin(values[up])])


def least_among(values: Floats, eligible: NDArray[np.bool_]) -> int | None:
    """The eligible candidate with the least value, or None if none is eligible."""
    rows = np.flatnonzero(eligible)
    return int(rows[np.argmin(values[rows])]) if rows.size else None


def up_among(eligible: NDArray[np.bool_], observation: Observation) -> NDArray[np.bool_]:
    """Those of the eligible candidates that are up; all of them where none of them is known to be up."""
    if observation.up_rows is None:
        return eligible
    up = eligible & observation.is_up
    return up if up.any() else eligible
