"""Weighted greedy: the least sum of weighted finish time and cost, with three orders of the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choosing import Floats, IndexRule

if TYPE_CHECKING:
    from simoffload.decision import Observation


class WeightedGreedy(IndexRule):
    """The least contribution of this subtask alone to the objective; queues by arrival.

    index = w weight finish / L_ref + (1 - w) cost / C_ref, the weighted-sum greedy rule of the offloading literature
    (Mach and Becvar, IEEE Communications Surveys & Tutorials 19(3), 2017, survey it).
    """

    def index(self, observation: Observation) -> Floats:
        """The observation's score."""
        return observation.score


class WeightedGreedyWspt(WeightedGreedy):
    """Weighted greedy; queues by expected service / task weight, least first (Smith 1956, WSPT)."""

    order = "wspt"


class WeightedGreedyRank(WeightedGreedy):
    """Weighted greedy; queues by HEFT's upward rank, highest first (Topcuoglu, Hariri, Wu 2002)."""

    order = "upward-rank"
