"""The least of SimPy: its environment and timeouts, a callback each, no process and no resource."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import simpy

from .load import Load


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    env = simpy.Environment()
    timeout = env.timeout
    gaps, services = load.gaps_s, load.services_s
    line: deque[tuple[float, float]] = deque()
    waits: list[float] = []
    free, to_come = load.servers, load.jobs

    def at(delay_s: float, act: Callable[[Any], None]) -> None:
        timeout(delay_s).callbacks.append(act)

    def arrive(_: Any) -> None:
        nonlocal free, to_come
        service_s = next(services)
        if free:
            free -= 1
            waits.append(0.0)
            at(service_s, depart)
        else:
            line.append((env.now, service_s))
        to_come -= 1
        if to_come:
            at(next(gaps), arrive)

    def depart(_: Any) -> None:
        nonlocal free
        if line:
            arrived, service_s = line.popleft()
            waits.append(env.now - arrived)
            at(service_s, depart)
        else:
            free += 1

    at(next(gaps), arrive)
    env.run()
    return waits
