"""The simulator's kernel with two calls a job and nothing else: the rest is what stations, jobs and statistics cost."""

from __future__ import annotations

import math
from collections import deque

from simoffload.world.kernel import ARRIVAL, COMPLETION, Call, Kernel

from .load import Load


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    kernel = Kernel()
    at = kernel.at
    gaps, services = load.gaps_s, load.services_s
    line: deque[tuple[float, float]] = deque()
    waits: list[float] = []
    at_rest: list[Call] = []
    free, to_come = load.servers, load.jobs

    def arrive(_: None) -> None:
        nonlocal free, to_come
        now, service_s = kernel.now, next(services)
        if free:
            free -= 1
            waits.append(0.0)
            departure = at_rest.pop() if at_rest else Call(depart)
            departure.item = departure
            at(now + service_s, COMPLETION, departure)
        else:
            line.append((now, service_s))
        to_come -= 1
        if to_come:
            at(now + next(gaps), ARRIVAL, arrival)

    def depart(departure: Call) -> None:
        nonlocal free
        if line:
            now = kernel.now
            arrived, service_s = line.popleft()
            waits.append(now - arrived)
            at(now + service_s, COMPLETION, departure)
        else:
            free += 1
            at_rest.append(departure)

    arrival = Call(arrive)
    at(next(gaps), ARRIVAL, arrival)
    kernel.advance(math.inf)
    return waits
