"""What the critic sees besides a candidate's row: the plant as it is, without the age of any notice.

Only training uses it. Columns are symmetric in the nodes, so that the critic, too, is not bound to their number.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ..decision import Observation
    from ..world.telemetry import NodeReport
    from .world import World

Floats = NDArray[np.float64]
STATE_COLUMNS = 14
FRESH_COLUMNS = 4
_NO_WAIT = 10.0
"""Stands for the wait at a cloud, in units of L_ref, where there is none."""


def plant_state(world: World, potential: float, reports: list[NodeReport]) -> Floats:
    """[columns]: backlogs of edge nodes and clouds, queues, links, tasks and expected time in the system."""
    latency = world.scenario.objective.latency_reference
    assert isinstance(latency, float)
    now, edges = world.kernel.now, world.plant.edge_count
    waits = [max(report.starts_s[-1] - now, 0.0) / latency for report in reports]
    queues = [report.queue_length for report in reports]
    busy = [min(report.in_service / report.capacity, 1.0) for report in reports]
    edge, cloud = waits[:edges], waits[edges:]
    mean = sum(edge) / edges
    values = [
        mean,
        max(edge),
        min(edge),
        math.sqrt(sum((wait - mean) ** 2 for wait in edge) / edges),
        sum(queues[:edges]),
        sum(busy[:edges]) / edges,
        min(cloud, default=_NO_WAIT),
        sum(queues[edges:]),
        sum(busy[edges:]) / len(cloud) if cloud else 1.0,
        sum(link.line.work for link in world.links) / 1e6,
        len(world.dispatcher.courses),
        potential,
        (now - world.telemetry.time_s) / latency,
        sum(link.occupancy.serving for link in world.links),
    ]
    compressed: Floats = np.log1p(np.array(values))
    return compressed


def fresh_rows(seen: Observation, world: World, reports: list[NodeReport]) -> Floats:
    """Each candidate as it is at this moment, [candidates, 4], each as log(1 + x).

    The wait of one that joins its line now (in L_ref), subtasks in that line, the finish by that wait (in L_ref from
    now), and that finish less the earliest of all candidates (in L_ref).
    """
    now, latency = world.kernel.now, seen.setting.latency_reference_s
    mine = [reports[node] for node in seen.candidates.tolist()]
    columns = np.empty((FRESH_COLUMNS, len(mine)))
    wait = np.array([max(report.starts_s[-1] - now, 0.0) for report in mine])
    finish = np.maximum(seen.transfer_s, wait) + (seen.service_s + seen.swap_s + seen.way_home_s)
    columns[0] = wait / latency
    columns[1] = [report.queue_length for report in mine]
    columns[2] = finish / latency
    columns[3] = (finish - min(finish.tolist())) / latency
    return np.log1p(columns).T
