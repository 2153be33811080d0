"""Fork-join: each customer sets off one piece of work in every branch at once and leaves when the last one is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import arguments
from .markovian import MMc, mm1


@dataclass(frozen=True, slots=True)
class ForkJoin:
    """Poisson arrivals at `arrival_rate`; `branches` queues, each with one exponential server of `service_rate`; 1/s.

    UnstableError for a load of 1 or more.
    """

    arrival_rate: float
    service_rate: float
    branches: int

    def __post_init__(self) -> None:
        arguments.at_least(1, branches=self.branches)
        mm1(self.arrival_rate, self.service_rate)

    @property
    def branch(self) -> MMc:
        """One branch on its own: M/M/1."""
        return mm1(self.arrival_rate, self.service_rate)

    @property
    def is_exact(self) -> bool:
        """Whether `sojourn_s` is exact: for one branch and for two."""
        return self.branches <= 2

    @property
    def sojourn_s(self) -> float:
        """Mean time from arrival to the end of the last piece.

        Two branches: (12 - rho) / 8 times that of M/M/1 (Flatto and Hahn 1984, Nelson and Tantawi 1988). More: the
        approximation (H_K/H_2 + 4 rho/11 (1 - H_K/H_2)) times that of two (Nelson and Tantawi 1988), within 5 % for up
        to 32 branches by their simulations.
        """
        alone_s = self.branch.means.sojourn_s
        if self.branches == 1:
            return alone_s
        load = self.branch.load
        two_s = (12 - load) / 8 * alone_s
        ratio = _harmonic(self.branches) / _harmonic(2)
        return (ratio + 4 * load / 11 * (1 - ratio)) * two_s

    @property
    def sojourn_bounds_s(self) -> tuple[float, float]:
        """Between which the mean lies for certain: no wait at all, and branches that are independent (H_K each)."""
        harmonic = _harmonic(self.branches)
        return harmonic / self.service_rate, harmonic * self.branch.means.sojourn_s

    @property
    def in_system(self) -> float:
        """Mean number of customers of which some piece is not done: by Little's law."""
        return self.arrival_rate * self.sojourn_s

    @property
    def synchronisation_s(self) -> float:
        """What a piece waits on average for the last of its siblings."""
        return self.sojourn_s - self.branch.means.sojourn_s


def _harmonic(number: int) -> float:
    return math.fsum(1 / k for k in range(1, number + 1))
