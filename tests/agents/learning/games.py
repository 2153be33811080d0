"""Small games with known answers, for learners to learn: rows to choose among, and what choices cost."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.agents.learning.rollout import Episode
from tests.agents.learning.episodes import by_hand, signs

FIRST, SECOND, THIRD = signs([1.0, 0.0], [0.0, 1.0]), signs([1.0, 1.0], [0.5, -1.0]), signs([-1.0, 0.3], [0.2, 2.0])
"""A game of two moves: the first leads to the second or the third pair of actions."""
COSTS = {(0, 0): 1.0, (0, 1): 5.0, (1, 0): 4.0, (1, 1): -2.0}
PATHS = list(itertools.product((0, 1), (0, 1)))


def path(first: int, second: int, *, homes: tuple[int, int] = (0, 0), **fields: Any) -> Episode:
    """An episode; 1 of its cost comes at once if the first move is 1, the rest at the end."""
    cost = [float(first), COSTS[first, second] - first]
    return by_hand([FIRST, (SECOND, THIRD)[first]], [first, second], cost, home=homes, **fields)


def logits(learner: Any, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the learner's network says of rows of which the rule says nothing."""
    found: NDArray[np.float64] = learner.heads().position(rows)
    return found


def greedy_path(learner: Any) -> tuple[int, int]:
    """The path of the best rows."""
    first = int(np.argmax(logits(learner, FIRST)))
    return first, int(np.argmax(logits(learner, (SECOND, THIRD)[first])))
