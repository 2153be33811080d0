"""A loop over a heap, written for this one model: what Python takes for two events a job, and nothing else."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from .load import Load


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    gaps, services = load.gaps_s, load.services_s
    line: deque[tuple[float, float]] = deque()
    waits: list[float] = []
    free, to_come, number = load.servers, load.jobs, 0
    events = [(next(gaps), number, True)]
    while events:
        now, _, is_arrival = heappop(events)
        if is_arrival:
            service_s = next(services)
            if free:
                free -= 1
                waits.append(0.0)
                number += 1
                heappush(events, (now + service_s, number, False))
            else:
                line.append((now, service_s))
            to_come -= 1
            if to_come:
                number += 1
                heappush(events, (now + next(gaps), number, True))
        elif line:
            arrived, service_s = line.popleft()
            waits.append(now - arrived)
            number += 1
            heappush(events, (now + service_s, number, False))
        else:
            free += 1
    return waits
