"""Poisson arrivals and exponential services: M/M/1, M/M/c, M/M/c/K, and Erlang's two formulas.

Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory, 4th ed. (2008), chapter 2. Customers are served
in the order of their arrival. Rates are per second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import arguments
from .means import Means, by_little
from .quantiles import quantile
from .uniformisation import not_ended, steps_until

Floats = NDArray[np.float64]


def erlang_b(servers: int, erlangs: float) -> float:
    """Share of arrivals that M/M/c/c (and M/G/c/c) turns away; `erlangs` is arrival rate over service rate.

    Erlang (1917), by the recursion B(k) = a B(k-1) / (k + a B(k-1)), B(0) = 1.
    """
    arguments.at_least(0, servers=servers)
    arguments.not_negative(erlangs=erlangs)
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = erlangs * blocked / (k + erlangs * blocked)
    return blocked


def erlang_c(servers: int, erlangs: float) -> float:
    """Share of arrivals that have to wait in M/M/c: c B / (c - a (1 - B)), B by `erlang_b` (Erlang 1917)."""
    arguments.at_least(1, servers=servers)
    blocked = erlang_b(servers, erlangs)
    arguments.stable(erlangs / servers)
    return servers * blocked / (servers - erlangs * (1 - blocked))


@dataclass(frozen=True, slots=True)
class MMc:
    """M/M/c: Poisson arrivals at `arrival_rate`, `servers` that each serve at `service_rate`, one queue; 1/s.

    ValueError for rates that are not above 0, UnstableError for a load of 1 or more.
    """

    arrival_rate: float
    service_rate: float
    servers: int = 1

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, service_rate=self.service_rate)
        arguments.at_least(1, servers=self.servers)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second over what can be done."""
        return self.arrival_rate / (self.servers * self.service_rate)

    @property
    def chance_of_waiting(self) -> float:
        """Share of customers that find no server free."""
        return erlang_c(self.servers, self.arrival_rate / self.service_rate)

    @property
    def means(self) -> Means:
        """Mean wait C / (c mu - lambda), the rest by Little's law."""
        wait_s = self.chance_of_waiting / self._relief
        return by_little(self.arrival_rate, wait_s, 1 / self.service_rate, self.servers)

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t) = 1 - C exp(-(c mu - lambda) t)."""
        times = np.asarray(times_s, dtype=np.float64)
        return np.where(times < 0, 0.0, 1 - self.chance_of_waiting * np.exp(-self._relief * np.maximum(times, 0)))

    def wait_quantile(self, share: float) -> float:
        """The least wait that a share of customers does not exceed, s."""
        arguments.share(share)
        return max(0.0, math.log(self.chance_of_waiting / (1 - share)) / self._relief)

    def sojourn_cdf(self, times_s: ArrayLike) -> Floats:
        """P(T <= t): with a chance of C the sum of two exponential times, of rates c mu - lambda and mu, else one.

        For one server this is 1 - exp(-(mu - lambda) t).
        """
        times = np.maximum(np.asarray(times_s, dtype=np.float64), 0)
        slow, fast = sorted((self._relief, self.service_rate))
        # (exp(-slow t) - exp(-fast t)) / (fast - slow), which is t exp(-slow t) where both rates are the same
        gap = (fast - slow) * times
        shrunk = np.where(gap > 0, -np.expm1(-gap) / np.where(gap > 0, gap, 1.0), 1.0)
        later = self.service_rate * times * np.exp(-slow * times) * shrunk
        return np.asarray(1 - np.exp(-self.service_rate * times) - self.chance_of_waiting * later)

    def sojourn_quantile(self, share: float) -> float:
        """The least sojourn time that a share of customers does not exceed, s."""
        return quantile(self.sojourn_cdf, share, self.means.sojourn_s)

    def queue_pmf(self, most: int) -> Floats:
        """P(Q = k), k = 0 .. most, of the number that wait: C (1 - rho) rho^k for k >= 1."""
        arguments.at_least(0, most=most)
        waiting, load = self.chance_of_waiting, self.load
        law = waiting * (1 - load) * load ** np.arange(most + 1)
        law[0] = 1 - waiting * load
        return np.asarray(law)

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n), n = 0 .. most, of the number in the system."""
        arguments.at_least(0, most=most)
        places = max(most, self.servers)
        weights = _log_weights(self.arrival_rate / self.service_rate, self.servers, places)
        beyond = weights[-1] + math.log(self.load / (1 - self.load))
        scale = np.logaddexp(np.logaddexp.reduce(weights), beyond)
        return np.asarray(np.exp(weights[: most + 1] - scale))

    @property
    def _relief(self) -> float:
        """Rate by which service outruns arrivals while all servers work."""
        return self.servers * self.service_rate - self.arrival_rate


def mm1(arrival_rate: float, service_rate: float) -> MMc:
    """M/M/1: M/M/c with one server; mean wait rho / (mu - lambda), sojourn times exponential of rate mu - lambda."""
    return MMc(arrival_rate, service_rate, 1)


@dataclass(frozen=True, slots=True)
class MMcK:
    """M/M/c/K: as M/M/c with room for `places` customers in all; who finds them taken goes away. Any load is stable.

    `places` = `servers` is Erlang's loss system. Times and their distributions are of customers that are let in.
    """

    arrival_rate: float
    service_rate: float
    servers: int
    places: int

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, service_rate=self.service_rate)
        arguments.at_least(1, servers=self.servers)
        arguments.at_least(self.servers, places=self.places)

    @property
    def blocking(self) -> float:
        """Share of arrivals that are turned away."""
        return float(self.in_system_pmf()[-1])

    @property
    def throughput(self) -> float:
        """Customers that are let in per second."""
        return self.arrival_rate * float(self.in_system_pmf()[:-1].sum())

    @property
    def means(self) -> Means:
        """From the law of the number in the system; waits by Little's law with the rate of those let in."""
        waiting = float(self.queue_pmf() @ np.arange(self.places - self.servers + 1))
        return by_little(self.throughput, waiting / self.throughput, 1 / self.service_rate, self.servers)

    def in_system_pmf(self) -> Floats:
        """P(N = n), n = 0 .. places: in proportion to a^n / n! up to c, then to rho^(n-c)."""
        weights = _log_weights(self.arrival_rate / self.service_rate, self.servers, self.places)
        return np.asarray(np.exp(weights - np.logaddexp.reduce(weights)))

    def queue_pmf(self) -> Floats:
        """P(Q = k), k = 0 .. places - servers, of the number that wait."""
        law = self.in_system_pmf()
        return np.concatenate([[law[: self.servers + 1].sum()], law[self.servers + 1 :]])

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t): who finds n >= c ahead waits for n - c + 1 ends of service, which come at rate c mu."""
        from scipy.special import gammaincc  # type: ignore[import-untyped]

        times = np.asarray(times_s, dtype=np.float64)
        law = self._found()
        ends = np.arange(1, self.places - self.servers + 1)
        passed = self.servers * self.service_rate * np.maximum(times, 0)
        later = gammaincc(ends, passed[..., None]) @ law[self.servers :]
        return np.where(times < 0, 0.0, 1 - later)

    def wait_quantile(self, share: float) -> float:
        """The least wait that a share of those let in does not exceed, s."""
        return quantile(self.wait_cdf, share, self.means.sojourn_s)

    def sojourn_cdf(self, times_s: ArrayLike) -> Floats:
        """P(T <= t), by uniformisation at the rate c mu.

        A service lasts a geometric number of steps of that rate, each of which is its last with a chance of 1/c. So who
        waits for m ends of service has still not left after k steps with chance 1 for k <= m, (1 - 1/c)^(k-m) beyond.
        """
        times = np.asarray(times_s, dtype=np.float64)
        passed = self.servers * self.service_rate * np.maximum(times, 0)
        steps = np.arange(steps_until(passed))
        law = self._found()
        waits = np.maximum(np.arange(self.places) - self.servers + 1, 0)
        still = law @ (1 - 1 / self.servers) ** np.maximum(steps - waits[:, None], 0)
        return np.where(times < 0, 0.0, 1 - not_ended(still, passed))

    def sojourn_quantile(self, share: float) -> float:
        """The least sojourn time that a share of those let in does not exceed, s."""
        return quantile(self.sojourn_cdf, share, self.means.sojourn_s)

    def _found(self) -> Floats:
        """P(n in the system), n = 0 .. places - 1, as those let in find it: they see time averages, for they come at
        random, given that there is room."""
        law = self.in_system_pmf()[:-1]
        return np.asarray(law / law.sum())


def _log_weights(erlangs: float, servers: int, places: int) -> Floats:
    """log(p_n / p_0), n = 0 .. places: the sum over k <= n of log(a / min(k, c))."""
    steps = math.log(erlangs) - np.log(np.minimum(np.arange(1, places + 1), servers))
    return np.concatenate([[0.0], np.cumsum(steps)])
