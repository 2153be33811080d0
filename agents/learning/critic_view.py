"""What the critic sees besides a candidate's row: the plant as it is, without the age of any notice.

Only training uses it. Columns are symmetric in the nodes, so that the critic, too, is not bound to their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simoffload.decision import Observation
    from simoffload.run.world import World
    from simoffload.world.telemetry import NodeReport

Floats = NDArray[np.float64]
STATE_COLUMNS = 14
FRESH_COLUMNS = 4


def plant_state(world: World, potential: float, reports: list[NodeReport]) -> Floats:
    """[columns]: backlogs of edge nodes and clouds, queues, links, tasks and expected time in the system."""
    latency = world.scenario.objective.latency_reference
    assert isinstance(latency, float)
    now, edges = world.kernel.now, world.plant.edge_count
    waits = np.array([max(report.starts_s[-1] - now, 0.0) for report in reports]) / latency
    queues = np.array([float(report.queue_length) for report in reports])
    busy = np.array([min(report.in_service / report.capacity, 1.0) for report in reports])
    backlog = sum(link.line.work for link in world.links) / 1e6
    edge, cloud = waits[:edges], waits[edges:]
    values = [
        float(edge.mean()), float(edge.max()), float(edge.min()), float(edge.std()), float(queues[:edges].sum()),
        float(busy[:edges].mean()), float(cloud.min()) if cloud.size else 10.0, float(queues[edges:].sum()),
        float(busy[edges:].mean()) if cloud.size else 1.0, backlog, float(len(world.dispatcher.courses)), potential,
        (now - world.telemetry.nodes[0].time_s) / latency, float(sum(link.occupancy.serving for link in world.links)),
    ]  # fmt: skip
    compressed: Floats = np.log1p(np.array(values))
    return compressed


def fresh_rows(seen: Observation, world: World, reports: list[NodeReport]) -> Floats:
    """[candidates, columns]: what each candidate's wait, queue and finish really look like."""
    latency = seen.setting.latency_reference_s
    now = world.kernel.now
    nodes = seen.candidates.tolist()
    wait = np.array([max(reports[node].starts_s[-1] - now, 0.0) for node in nodes])
    rest = seen.service_s + seen.swap_s + seen.way_home_s
    finish = np.maximum(seen.transfer_s, wait) + rest
    rows = np.empty((len(nodes), FRESH_COLUMNS))
    rows[:, 0] = wait / latency
    rows[:, 1] = [float(reports[node].queue_length) for node in nodes]
    rows[:, 2] = finish / latency
    rows[:, 3] = (finish - finish.min()) / latency
    return np.log1p(rows)
