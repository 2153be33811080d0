"""A table of costs: what a subtask came to, on average, by situation and kind of place; its policy takes the least.

Of the nodes of the chosen kind (its own, another edge node, a cloud) it takes the one expected to finish first. The
table is a JSON file, written by the learner `ucb1`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision
from simoffload.record.durable import RecordError, read_json, write_json

from .learning.counts import ACTIONS, KEYS, LOAD_BOUNDS, situation
from .policy_file import LARGEST_CARD

if TYPE_CHECKING:
    from simoffload.decision import Observation, Setting

Floats = NDArray[np.float64]
KIND, FORMAT = "cost-table", 1


class TableAgent:
    """Takes the kind of least mean cost [keys, kinds], nan where it is unknown; what is unknown comes last."""

    order = "fifo"

    def __init__(self, means: Floats) -> None:
        self._worth = -np.nan_to_num(means, nan=np.inf)

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to remember, nothing to draw."""

    def decide(self, observation: Observation) -> Decision:
        """The best node of the best kind."""
        key, kinds = situation(observation)
        return Decision(best_of(self._worth[key][kinds], observation))


def best_of(worth: Floats, seen: Observation) -> int:
    """Of the rows of largest worth the one that is finished first, nodes known to be down left out if others are up."""
    rows = seen.rows_that_may_be
    best = rows[worth[rows] == worth[rows].max()]
    return int(best[np.argmin(seen.finish_s[best])])


def write_table(path: Path, means: Floats, card: dict[str, Any]) -> None:
    """Write PATH.json; `card` says where the table comes from."""
    table = [[None if np.isnan(mean) else float(mean) for mean in row] for row in means]
    about = {"kind": KIND, "format": FORMAT, "load_bounds": list(LOAD_BOUNDS), "means": table, **card}
    write_json(path.with_suffix(".json"), about)


def read_table(path: Path) -> Floats:
    """The means in PATH.json; RecordError when there are none or they are of other situations than this version's."""
    path = path.with_suffix(".json")
    card = read_json(path, LARGEST_CARD, "the policy")
    if not isinstance(card, dict) or (card.get("kind"), card.get("format")) != (KIND, FORMAT):
        raise RecordError(f"{path} is no {KIND} of format {FORMAT}")
    if card.get("load_bounds") != list(LOAD_BOUNDS):
        raise RecordError(f"{path}: its table is of other situations than this version has")
    try:
        means = np.array(card.get("means"), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        means = np.empty(0)
    if means.shape != (KEYS, ACTIONS) or np.isinf(means).any():
        raise RecordError(f"{path} has no means of {KEYS} situations and {ACTIONS} kinds of place")
    return means
