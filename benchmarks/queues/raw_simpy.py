"""SimPy as its documentation teaches it: a process per job, a `Resource` for the servers."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from .load import Load

Events = Generator[simpy.Event, Any, None]


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    env = simpy.Environment()
    servers = simpy.Resource(env, load.servers)
    waits: list[float] = []
    env.process(_arrivals(env, servers, load, waits))
    env.run()
    return waits


def _arrivals(env: simpy.Environment, servers: simpy.Resource, load: Load, waits: list[float]) -> Events:
    gaps, services = load.gaps_s, load.services_s
    for _ in range(load.jobs):
        yield env.timeout(next(gaps))
        env.process(_job(env, servers, next(services), waits))


def _job(env: simpy.Environment, servers: simpy.Resource, service_s: float, waits: list[float]) -> Events:
    arrived = env.now
    with servers.request() as request:
        yield request
        waits.append(env.now - arrived)
        yield env.timeout(service_s)
