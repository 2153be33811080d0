"""Rules that look at no estimate: random and round-robin."""

from __future__ import annotations

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
        """A candidate drawn uniformly."""
        return Decision(int(self._generator.integers(len(observation.candidates))))


class RoundRobin:
    """The next legal node by number after the one that this home used last, beginning again after the highest."""

    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Forget whose turn it is: every home begins with its lowest legal node."""
        self._last: dict[int, int] = {}

    def decide(self, observation: Observation) -> Decision:
        """The first candidate above the home's last node, or else the lowest."""
        nodes, home = observation.candidates, int(observation.home)
        choice = int(np.searchsorted(nodes, self._last.get(home, -1), side="right")) % len(nodes)
        self._last[home] = int(nodes[choice])
        return Decision(choice)
