"""Critical-path greedy: what a placement does to the task's completion, not to the subtask alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .choosing import Floats, IndexRule

if TYPE_CHECKING:
    from simoffload.decision import Observation


@dataclass(eq=False)
class CriticalPath(IndexRule):
    """Least change of the task's estimated completion, plus cost, plus a little of the finish time; queues by arrival.

    index = w weight (change + dawdle finish) / L_ref + (1 - w) cost / C_ref. A subtask off the critical path changes
    nothing within its slack; the last term keeps it from going wherever it is cheapest and late. The idea is the
    dynamic critical path of Kwok and Ahmad, IEEE TPDS 7(5), 1996.
    """

    dawdle: float = 0.3
    """Weight of the finish time beside the change of the completion (no unit)."""

    def index(self, observation: Observation) -> Floats:
        """The weighted sum above."""
        setting = self.setting
        delay = observation.completion_change_s + self.dawdle * observation.finish_s
        pace = setting.latency_weight * observation.task_weight / setting.latency_reference_s
        price = (1.0 - setting.latency_weight) / setting.cost_reference_usd
        return pace * delay + price * observation.cost_usd
