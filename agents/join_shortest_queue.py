"""Join the shortest queue (Winston, "Optimality of the shortest line discipline", J. Appl. Prob. 14, 1977)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choosing import Floats, IndexRule

if TYPE_CHECKING:
    from simoffload.decision import Observation


class JoinShortestQueue(IndexRule):
    """The node with the fewest subtasks waiting, as far as is known; blind to speed, transfer and price."""

    def index(self, observation: Observation) -> Floats:
        """Known queue length."""
        return observation.queue_length
