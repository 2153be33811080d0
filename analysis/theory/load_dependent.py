"""Stations whose pace depends on how many customers are there: a birth and death process, and servers without limit.

A batch that serves n requests at once ends them at some rate mu(n); above its seats the others wait. With exponential
work this is exact for any such pace. Where nobody waits and all share alike, only the mean of the work counts (a
symmetric queue: Kelly, Reversibility and Stochastic Networks, 1979, section 3.3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import arguments
from .means import Means, by_little

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LoadDependent:
    """Poisson arrivals at `arrival_rate`, and ends of service at rate `end_rates[n-1]` while n are there; 1/s.

    There are as many seats as `end_rates`; with more customers than that the last rate holds, and the others wait.
    M/M/c is end_rates = (mu, 2 mu, ..., c mu); M/M/1-PS with room for m at once is (mu,) * m.
    """

    arrival_rate: float
    end_rates: tuple[float, ...]

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate)
        arguments.at_least(1, seats=self.seats)
        for rate in self.end_rates:
            arguments.positive(end_rates=rate)
        arguments.stable(self.load)

    @property
    def seats(self) -> int:
        """Customers that are served at once, at most."""
        return len(self.end_rates)

    @property
    def load(self) -> float:
        """Arrival rate over the rate of ends with all seats taken."""
        return self.arrival_rate / self.end_rates[-1]

    @property
    def means(self) -> Means:
        """From the law of the number in the system; the utilisation is the share of time with anybody there."""
        law = self._seated()
        beyond = float(law[-1]) * self.load / (1 - self.load)
        waiting = beyond / (1 - self.load)
        served = float(law @ np.arange(self.seats + 1)) + self.seats * beyond
        means = by_little(self.arrival_rate, waiting / self.arrival_rate, served / self.arrival_rate)
        return replace(means, utilisation=1 - float(law[0]))

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n), n = 0 .. most: p_n = p_(n-1) lambda / mu(n)."""
        arguments.at_least(0, most=most)
        law = self._seated()
        tail = law[-1] * self.load ** np.arange(1, max(most - self.seats, 0) + 1)
        return np.concatenate([law, tail])[: most + 1]

    def queue_pmf(self, most: int) -> Floats:
        """P(Q = k), k = 0 .. most, of the number that wait."""
        law = self.in_system_pmf(self.seats + most)
        return np.concatenate([[law[: self.seats + 1].sum()], law[self.seats + 1 :]])

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t) in order of arrival: while anybody waits, all seats are taken and ends come at the last rate.

        Who finds all seats taken waits an exponential time of rate mu(seats) - lambda, as in M/M/c.
        """
        times = np.asarray(times_s, dtype=np.float64)
        all_taken = float(self._seated()[-1]) / (1 - self.load)
        relief = self.end_rates[-1] - self.arrival_rate
        return np.where(times < 0, 0.0, 1 - all_taken * np.exp(-relief * np.maximum(times, 0)))

    def _seated(self) -> Floats:
        """P(N = n), n = 0 .. seats."""
        steps = math.log(self.arrival_rate) - np.log(np.array(self.end_rates))
        weights = np.concatenate([[0.0], np.cumsum(steps)])
        beyond = weights[-1] + math.log(self.load / (1 - self.load))
        return np.asarray(np.exp(weights - np.logaddexp(np.logaddexp.reduce(weights), beyond)))


@dataclass(frozen=True, slots=True)
class MGInfinity:
    """M/G/infinity: Poisson arrivals at `arrival_rate` (1/s), and a server for everybody.

    The number in the system is Poisson of mean lambda E[S], whatever the law of the services (Gross et al., section
    2.5 for M/M/infinity; insensitive by Mirasol 1963).
    """

    arrival_rate: float
    mean_service_s: float

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, mean_service_s=self.mean_service_s)

    @property
    def means(self) -> Means:
        """Nobody waits; the utilisation is the share of time with anybody there."""
        means = by_little(self.arrival_rate, 0.0, self.mean_service_s)
        return replace(means, utilisation=-math.expm1(-means.in_system))

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n), n = 0 .. most."""
        arguments.at_least(0, most=most)
        mean = self.arrival_rate * self.mean_service_s
        steps = math.log(mean) - np.log(np.arange(1, most + 1))
        return np.asarray(np.exp(np.concatenate([[0.0], np.cumsum(steps)]) - mean))
