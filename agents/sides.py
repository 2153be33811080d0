"""Rules that stay on one side of the wide-area network: everything at the edge, everything in the cloud.

They stay there even where all of it is known to be down. Of several clouds the one takes one that is up; the other's
side is first of all its home, up or down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simoffload.decision import Decision

from .choosing import least_among, up_among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from simoffload.decision import Observation, Setting


class _OneSide:
    """Takes the first group of nodes that has a legal one, and of that group the node with the least known backlog."""

    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """The rule has no memory and draws nothing."""

    def groups(self, observation: Observation) -> tuple[NDArray[np.bool_], ...]:
        """Masks [k] of the groups of candidates, the preferred one first."""
        raise NotImplementedError

    def decide(self, observation: Observation) -> Decision:
        """The least backlog, in seconds of waiting, within the first group that has a candidate."""
        groups = (up_among(group, observation) for group in self.groups(observation))
        found = (least_among(observation.wait_s, group) for group in groups)
        return Decision(next(choice for choice in found if choice is not None))


class AllEdge(_OneSide):
    """Modality affinity: the home if it can, else the least busy edge node that can, the cloud only if none can."""

    def groups(self, observation: Observation) -> tuple[NDArray[np.bool_], ...]:
        """Home, edge nodes, clouds."""
        return observation.is_home, ~observation.is_cloud, observation.is_cloud


class AllCloud(_OneSide):
    """The least busy cloud server; without a legal one the home, else the least busy edge node."""

    def groups(self, observation: Observation) -> tuple[NDArray[np.bool_], ...]:
        """Clouds, home, edge nodes."""
        return observation.is_cloud, observation.is_home, ~observation.is_cloud
