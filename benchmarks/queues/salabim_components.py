"""salabim as its documentation teaches it: a component per job, a resource for the servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import salabim

from .load import Load


class Arrivals(salabim.Component):
    """Makes the jobs."""

    def process(self, load: Load, servers: salabim.Resource, waits: list[float]) -> Iterator[Any]:
        """A job after each gap."""
        gaps, services = load.gaps_s, load.services_s
        for _ in range(load.jobs):
            yield self.hold(next(gaps))
            Job(servers=servers, service_s=next(services), waits=waits)


class Job(salabim.Component):
    """Waits for a server and keeps it for its service."""

    def process(self, servers: salabim.Resource, service_s: float, waits: list[float]) -> Iterator[Any]:
        """The life of a job."""
        arrived = self.env.now()
        yield self.request(servers)
        waits.append(self.env.now() - arrived)
        yield self.hold(service_s)


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    env = salabim.Environment(yieldless=False, trace=False)
    waits: list[float] = []
    Arrivals(load=load, servers=salabim.Resource("servers", capacity=load.servers), waits=waits)
    env.run()
    return waits
