"""Services that more urgent ones interrupt: which nodes have them, and how much of each was work.

One server that goes back to the interrupted where it was has services within services, like brackets. What a server did
for one is then the length of its bracket less those directly within.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simoffload.plant import PlantNode
from simoffload.schema.nodes import SlotsServer

Floats = NDArray[np.float64]


def interrupts(node: PlantNode) -> bool:
    """Whether a more urgent subtask interrupts one in service."""
    return isinstance(node.server, SlotsServer) and node.server.preemption == "resume"


def work_s(start_s: Floats, finish_s: Floats) -> Floats | None:
    """Seconds that the only server was at each, in the order given, from first beginnings and ends.

    None where two services overlap without one being within the other, as those of several servers do.
    """
    work = finish_s - start_s
    finish = finish_s.tolist()
    within: list[int] = []
    for place in np.lexsort((-finish_s, start_s)).tolist():
        start = float(start_s[place])
        while within and finish[within[-1]] <= start:
            within.pop()
        if within:
            outer = within[-1]
            if finish[place] > finish[outer]:
                return None
            work[outer] -= finish[place] - start
        within.append(place)
    return work
