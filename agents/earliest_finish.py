"""Earliest finish time with three orders of the queues: arrival, weighted shortest first, upward rank (HEFT)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .choosing import Floats, IndexRule

if TYPE_CHECKING:
    from simoffload.decision import Observation


class EarliestFinish(IndexRule):
    """The node where the subtask is expected to be finished first, transfer and waiting included; queues by arrival.

    The list scheduler's step of Ibarra and Kim, "Heuristic algorithms for scheduling independent tasks on nonidentical
    processors", J. ACM 24(2), 1977, applied when a subtask becomes ready.
    """

    def index(self, observation: Observation) -> Floats:
        """Seconds until it is finished there."""
        return observation.finish_s


class EarliestFinishWspt(EarliestFinish):
    """Earliest finish; queues by expected service / task weight, least first (Smith 1956, WSPT)."""

    order = "wspt"


class Heft(EarliestFinish):
    """HEFT when subtasks become ready: earliest finish; queues by upward rank, highest first.

    Topcuoglu, Hariri, Wu, IEEE TPDS 13(3), 2002. Across tasks a high rank means a young and long task, so under load
    this order keeps nearly finished tasks waiting: read it beside `eft` and `eft-wspt`, never alone.
    """

    order = "upward-rank"
