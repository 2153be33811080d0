"""What the tests of environments play: a small busy plant, and policies that read rows as anybody outside can."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS

BUSY = (
    "horizon={tasks: 12}",
    "warm_up=0 s",
    "workloads.request.arrivals.rate=0.3 /s",
    "workloads.request.weight={kind: choice, values: [0.5, 1, 4]}",
    "objective={latency_weight: 0.6, latency_reference: 20 s, cost_reference: 0.001 USD}",
)
"""Of `tiny`: tasks of different weights that come faster than the edges can serve them."""
FINISH_GAP = POSITION_COLUMNS.index("finish_gap")
SERVICE_GAP = len(POSITION_COLUMNS) + ORDER_COLUMNS.index("service_gap")


def earliest_finish(rows: NDArray[np.float32], mask: NDArray[Any]) -> int:
    """The candidate that is finished first; of waiting jobs the shortest."""
    is_order = rows.shape[1] > len(POSITION_COLUMNS) and rows[:, len(POSITION_COLUMNS) :].any()
    return int(np.argmin(np.where(mask, rows[:, SERVICE_GAP if is_order else FINISH_GAP], np.inf)))


class ShortestFirst:
    """The same as an agent of a run."""

    order = "decide"

    def reset(self, setting: Any, generator: np.random.Generator) -> None:
        """Nothing to remember."""

    def decide(self, seen: Any) -> Decision:
        return Decision(int(np.argmin(seen.expected_service_s if seen.kind == "order" else seen.finish_s)))
