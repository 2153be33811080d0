"""Rules that look at no estimate: random and round-robin."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from simoffload.decision import Decision

if TYPE_CHECKING:
    from simoffload.decision import Observation, Setting


class Random:
    """Each legal candidate with equal chance."""

    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Draw from `generator` from now on."""
        self._generator = generator

    def decide(self, observation: Observation) -> Decision:
        """A candidate drawn uniformly; of nodes known to be down none, where another is up."""
        up = observation.up_rows
        if up is None:
            return Decision(int(self._generator.integers(len(observation.candidates))))
        return Decision(int(up[self._generator.integers(len(up))]))


class RoundRobin:
    """The next legal node by number after the one that this home used last, beginning again after the highest."""

    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Forget whose turn it is: every home begins with its lowest legal node."""
        self._last: dict[int, int] = {}

    def decide(self, observation: Observation) -> Decision:
        """The first candidate above the home's last node, or else the lowest; nodes known to be down are left out."""
        nodes, home, up = observation.candidates, int(observation.home), observation.up_rows
        turns = nodes if up is None else nodes[up]
        choice = bisect_right(turns.tolist(), self._last.get(home, -1)) % len(turns)
        if up is not None:
            choice = int(up[choice])
        self._last[home] = int(nodes[choice])
        return Decision(choice)
