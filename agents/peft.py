"""PEFT when subtasks become ready (Arabnejad and Barbosa, IEEE TPDS 25(3), 2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simoffload.decision import Decision

from .choosing import least_up

if TYPE_CHECKING:
    import numpy as np

    from simoffload.decision import Observation, Setting


class Peft:
    """Least finish plus optimistic cost of what must follow; queues by the mean optimistic cost, highest first.

    The mean runs over the legal candidates, as the published rank's does over all processors.
    """

    order: str = "optimistic-rank"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """The rule has no memory and draws nothing."""

    def decide(self, observation: Observation) -> Decision:
        """argmin of finish + OCT."""
        return Decision(least_up(observation.finish_s + observation.optimistic_cost_s, observation))
