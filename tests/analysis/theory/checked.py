"""A queue whose answers may be checked."""

from __future__ import annotations

import math

CHECKED = (
    "catalogue.models.seer={parameters: 1e6, weights: 1 MB, modalities: [image]}",
    "catalogue.models.clerk.skill={explain: 1, analyze: 0, generate: 0}",
    "edges.station.models=[seer]",
    "clouds=[{id: office, hardware: counter, models: [clerk], discipline: fifo}]",
    "links={wire: {channel: 1 Gbit/s, delay: 0 s}}",
    "edges.station.uplink=wire",
    "edges.station.downlink=wire",
    "workloads.customers.arrivals.rate=0.4 /s",
    f"workloads.customers.stages.explain.difficulty={1 - math.log(3)}",
)
"""For theory/mm1: it is in the cloud, 0.4 a second come, and an answer is right with a chance of 3/4."""
