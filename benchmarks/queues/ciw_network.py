"""Ciw: a network of one node, run until nobody comes any more, with its own records."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, islice, repeat
from operator import attrgetter
from typing import Any

import ciw

from .load import Load


class Drawn(ciw.dists.Distribution):
    """The next of a sequence of values."""

    def __init__(self, values: Iterator[float]) -> None:
        self._values = values

    def sample(self, t: float | None = None, ind: Any = None) -> float:
        """One value."""
        return next(self._values)

    def __deepcopy__(self, memo: dict[int, Any]) -> Drawn:
        """Itself: a simulation copies its network's distributions, and this one has one sequence only."""
        return self


def waits_s(load: Load) -> list[float]:
    """The wait of every job."""
    gaps = chain(islice(load.gaps_s, load.jobs), repeat(math.inf))
    network = ciw.create_network(
        arrival_distributions=[Drawn(gaps)],
        service_distributions=[Drawn(load.services_s)],
        number_of_servers=[load.servers],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(load.jobs, method="Finish")
    records = sorted(simulation.get_all_records(), key=attrgetter("arrival_date"))
    return [record.waiting_time for record in records]
