"""The load of an M/M/c station: how many jobs come, how close together, how long they take."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, count

import numpy as np

BLOCK = 4096
"""Variates drawn at once."""


@dataclass(frozen=True, slots=True)
class Load:
    """Poisson arrivals at a station with so many servers, exponential services of mean 1 s, first come first served."""

    servers: int
    utilisation: float
    jobs: int
    seed: int = 1

    @property
    def gaps_s(self) -> Iterator[float]:
        """Times between arrivals, without end."""
        return _exponentials(self.seed, 0, 1.0 / (self.utilisation * self.servers))

    @property
    def services_s(self) -> Iterator[float]:
        """Service times in the order of arrival, without end."""
        return _exponentials(self.seed, 1, 1.0)

    @property
    def mean_wait_s(self) -> float:
        """The mean wait in the long run: Erlang's C over c - offered load (Erlang 1917)."""
        c, offered = self.servers, self.utilisation * self.servers
        blocking = 1.0
        for k in range(1, c + 1):
            blocking = offered * blocking / (k + offered * blocking)
        return blocking / (1.0 - self.utilisation * (1.0 - blocking)) / (c - offered)


def _exponentials(seed: int, stream: int, mean: float) -> Iterator[float]:
    generator = np.random.default_rng([seed, stream])
    return chain.from_iterable(generator.exponential(mean, BLOCK).tolist() for _ in count())


def checksum(waits_s: list[float], first: int | None = None) -> str:
    """A hash of the first waits, bit for bit."""
    return blake2b(np.array(waits_s[:first]).tobytes(), digest_size=8).hexdigest()


def mean(waits_s: list[float]) -> float:
    """Mean wait, s."""
    return math.fsum(waits_s) / len(waits_s)
