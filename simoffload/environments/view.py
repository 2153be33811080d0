"""How a decision looks from outside: arrays of one shape whatever there is to decide, masks, and what is told beside.

A row of the array is a candidate, its columns are the features that the trained agents read. Where choices of waiting
jobs are decisions too, the columns of positions come first and those of orders after them; the others are 0. Rows that
are no candidate are 0 throughout and masked.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..decision import Observation, OrderObservation
from ..decision.features import ORDER_COLUMNS, POSITION_COLUMNS, order_features, position_features
from ..plant import Plant
from ..schema import MODALITIES
from .process import DecisionProcess, Stretch, legal_rows

LINE_ROWS = 16
"""Rows there are at least where waiting jobs are shown; of a longer line those that joined first can be chosen."""
LARGEST = 710.0
"""Bound of all features: log(1 + x) of the largest finite number is a little less."""

Rows = NDArray[np.float32]
Mask = NDArray[np.int8]


class View:
    """The shape of what is seen in a plant: a row for every node that could be a candidate, or for a waiting job."""

    def __init__(self, plant: Plant, order: str) -> None:
        self._plant = plant
        serving = (sum(node.model_for[number] >= 0 for node in plant.nodes) for number in range(len(MODALITIES)))
        candidates = max(serving)
        self.shows_orders = order == "decide"
        self.rows = max(candidates, LINE_ROWS) if self.shows_orders else candidates
        self.columns = (*POSITION_COLUMNS, *ORDER_COLUMNS) if self.shows_orders else POSITION_COLUMNS
        self._numbers = {node.id: node.number for node in plant.nodes}

    def array(self, seen: Observation | OrderObservation | None) -> Rows:
        """[rows, columns] of a decision; 0 throughout where nothing is to be decided."""
        array = np.zeros((self.rows, len(self.columns)), dtype=np.float32)
        if isinstance(seen, OrderObservation):
            shown = order_features(seen)[: self.rows]
            array[: len(shown), len(POSITION_COLUMNS) :] = shown
        elif seen is not None:
            array[: len(seen.candidates), : len(POSITION_COLUMNS)] = position_features(seen)
        return array

    def mask(self, seen: Observation | OrderObservation | None) -> Mask:
        """[rows]: 1 for rows that may be chosen; all 0 where nothing is to be decided."""
        mask = np.zeros(self.rows, dtype=np.int8)
        if seen is not None:
            mask[[row for row in legal_rows(seen) if row < self.rows]] = 1
        return mask

    def decider(self, seen: Observation | OrderObservation) -> int:
        """Number of the node that decides: the task's home, or the one whose line or link has fallen free."""
        if isinstance(seen, OrderObservation):
            return self._numbers[seen.station.partition("/")[0]]
        return seen.home

    def told(self, seen: Observation | OrderObservation | None) -> dict[str, Any]:
        """What a decision is about; names of nodes are those of the scenario."""
        if seen is None:
            return {"kind": "none", "home": "", "station": "", "nodes": (), "age_s": 0.0}
        home = self._plant.nodes[self.decider(seen)].id
        if isinstance(seen, OrderObservation):
            return {"kind": "order", "home": home, "station": seen.station, "nodes": (), "age_s": 0.0}
        nodes = tuple(self._plant.nodes[number].id for number in seen.candidates.tolist())
        return {"kind": "position", "home": home, "station": "", "nodes": nodes, "age_s": seen.age_s}


def progress(process: DecisionProcess, stretch: Stretch) -> dict[str, Any]:
    """How an episode stands after a stretch."""
    return {
        "time_s": process.mark.time_s,
        "elapsed_s": stretch.elapsed_s,
        "shaping": stretch.shaping,
        "discount": stretch.discount,
        "potential": process.mark.potential,
        "tasks_in_system": process.tasks_in_system,
        "decisions": process.decisions,
        "seed": process.seed,
    }
