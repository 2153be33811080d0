"""Open Jackson networks: stations of exponential services between which customers move at random.

However they move, each station is as if it were alone, M/M/c with the arrival rate that the traffic equations give,
and the numbers at the stations are independent at any one time (Jackson 1957, 1963). Two stations in a row are the
simplest case: what leaves M/M/c is again Poisson (Burke 1956).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import arguments
from .markovian import MMc

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class JacksonNetwork:
    """Stations i = 0 .. n-1; rates in 1/s.

    `external_rates[i]` come from outside, as Poisson streams; `routing[i][j]` is the chance of going on to j after i,
    and what a row lacks to 1 that of leaving. ValueError for what is no such network, or one that customers never
    leave; UnstableError, with its number, for a station with a load of 1 or more.
    """

    external_rates: tuple[float, ...]
    service_rates: tuple[float, ...]
    servers: tuple[int, ...]
    routing: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        size = len(self.external_rates)
        if not (len(self.service_rates) == len(self.servers) == len(self.routing) == size):
            raise ValueError("external_rates, service_rates, servers and routing must have an entry for every station")
        for row, chances in enumerate(self.routing):
            if len(chances) != size:
                raise ValueError(f"routing[{row}] must have {size} chances, not {len(chances)}")
            arguments.not_negative(**{f"routing[{row}][{column}]": each for column, each in enumerate(chances)})
            if math.fsum(chances) > 1 + 1e-9:
                raise ValueError(f"routing[{row}] adds up to {math.fsum(chances):g}; a row may come to 1 at most")
        arguments.not_negative(**{f"external_rates[{place}]": rate for place, rate in enumerate(self.external_rates)})
        arguments.positive(sum_of_external_rates=math.fsum(self.external_rates))
        for number, rate in enumerate(self.arrival_rates):
            arguments.positive(**{f"service_rates[{number}]": self.service_rates[number]})
            arguments.at_least(1, **{f"servers[{number}]": self.servers[number]})
            load = rate / (self.servers[number] * self.service_rates[number])
            if load >= 1:
                raise arguments.UnstableError(f"station {number} has no steady state: its load is {load:.4g}")

    @property
    def arrival_rates(self) -> tuple[float, ...]:
        """What comes to each station, from outside and from others: lambda = gamma + lambda R (traffic equations)."""
        return tuple(self._solved(np.array(self.external_rates, dtype=np.float64)).tolist())

    @property
    def stations(self) -> tuple[MMc | None, ...]:
        """Each station on its own; None for one that nobody comes to."""
        found = zip(self.arrival_rates, self.service_rates, self.servers, strict=True)
        return tuple(MMc(rate, service, servers) if rate > 0 else None for rate, service, servers in found)

    @property
    def in_system(self) -> float:
        """Mean number of customers in the network."""
        return math.fsum(each.means.in_system for each in self.stations if each is not None)

    @property
    def sojourn_s(self) -> float:
        """Mean time from entering the network to leaving it: by Little's law."""
        return self.in_system / math.fsum(self.external_rates)

    def in_system_pmf(self, numbers: tuple[int, ...]) -> float:
        """P(n_0 customers at station 0, n_1 at station 1, ...): the product of the stations' own chances."""
        arguments.at_least(0, **{f"numbers[{place}]": number for place, number in enumerate(numbers)})
        pairs = zip(self.stations, numbers, strict=True)
        return math.prod(float(each.in_system_pmf(n)[n]) if each is not None else float(n == 0) for each, n in pairs)

    def _solved(self, external: Floats) -> Floats:
        routing = np.array(self.routing, dtype=np.float64)
        reached = external > 0
        for _ in external:
            reached = reached | ((reached @ (routing > 0)) > 0)
        inside = routing[np.ix_(reached, reached)]
        rates = np.zeros(len(external))
        if np.abs(np.linalg.eigvals(inside)).max(initial=0.0) > 1 - 1e-12:
            raise ValueError("routing keeps some customers in the network for ever")
        rates[reached] = np.linalg.solve(np.eye(len(inside)) - inside.T, external[reached])
        return rates
