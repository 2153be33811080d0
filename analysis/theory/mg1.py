"""Poisson arrivals, one server and services of any law: M/G/1, in order of arrival or shared, and M/D/1.

Means need two moments of the service (Pollaczek 1930, Khinchine 1932). The wait is a geometric number of residual
services, one after the other: that is how its distribution is found here, with bounds on either side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import arguments
from .means import Means, by_little
from .quantiles import quantile
from .service import Distribution, ServiceLaw

Floats = NDArray[np.float64]

STEPS = 4000
"""Steps of time, up to the last one asked for, on which distributions of M/G/1 are computed."""
_DOUBLINGS = 40


@dataclass(frozen=True, slots=True)
class MG1:
    """M/G/1 in order of arrival: Poisson arrivals at `arrival_rate` (1/s), one server.

    UnstableError for a load of 1 or more. Distributions need one that is known of the service, else ValueError.
    """

    arrival_rate: float
    service: ServiceLaw

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second."""
        return self.arrival_rate * self.service.mean_s

    @property
    def means(self) -> Means:
        """Mean wait lambda E[S^2] / (2 (1 - rho)); infinite where the second moment is."""
        wait_s = self.arrival_rate * self.service.second_s2 / (2 * (1 - self.load))
        return by_little(self.arrival_rate, wait_s, self.service.mean_s)

    @property
    def wait_second_moment_s2(self) -> float:
        """E[W^2] = 2 E[W]^2 + lambda E[S^3] / (3 (1 - rho)) (Takács 1962); ValueError without a third moment."""
        if math.isnan(self.service.third_s3):
            raise ValueError("the second moment of the wait needs the third moment of the service, which is not known")
        return 2 * self.means.wait_s**2 + self.arrival_rate * self.service.third_s3 / (3 * (1 - self.load))

    @property
    def sojourn_second_moment_s2(self) -> float:
        """E[(W + S)^2]; a wait and the service after it are independent. ValueError without a third moment."""
        means, service = self.means, self.service
        return self.wait_second_moment_s2 + 2 * means.wait_s * service.mean_s + service.second_s2

    def wait_cdf_bounds(self, times_s: ArrayLike) -> tuple[Floats, Floats]:
        """P(W <= t) from below and above, by residual services rounded up, and down, to `STEPS` equal steps of time."""
        times = np.asarray(times_s, dtype=np.float64)
        grid = self._grid(float(np.max(times, initial=0.0)))
        low, high = self._wait_bounds(grid)
        place = np.maximum(times, 0) / grid[1]
        before, after = np.floor(place * (1 + 1e-12)).astype(np.intp), np.ceil(place * (1 - 1e-12)).astype(np.intp)
        known = times >= 0
        return np.where(known, low[before], 0.0), np.where(known, high[after], 0.0)

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t), midway between the bounds."""
        times = np.asarray(times_s, dtype=np.float64)
        grid = self._grid(float(np.max(times, initial=0.0)))
        return np.where(times < 0, 0.0, np.interp(times, grid, self._waits(grid)))

    def wait_quantile(self, share: float) -> float:
        """The least wait that a share of customers does not exceed, s."""
        return self._quantile(self._waits, share)

    def sojourn_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W + S <= t), the wait's distribution being midway between its bounds."""
        times = np.asarray(times_s, dtype=np.float64)
        grid = self._grid(float(np.max(times, initial=0.0)))
        return np.where(times < 0, 0.0, np.interp(times, grid, self._sojourns(grid)))

    def sojourn_quantile(self, share: float) -> float:
        """The least sojourn time that a share of customers does not exceed, s."""
        return self._quantile(self._sojourns, share)

    def _grid(self, last_s: float) -> Floats:
        """`STEPS` equal steps from 0 on."""
        return np.linspace(0.0, last_s if last_s > 0 else self.service.mean_s, STEPS + 1)

    def _wait_bounds(self, grid: Floats) -> tuple[Floats, Floats]:
        """P(W <= t) on the grid from below and above: sums of residual services, each rounded up, or down.

        A wait is never equal to a step but for 0, so that rounded down to below a step is not above that step.
        """
        inside = np.diff(self._known().limited_mean(grid) / self.service.mean_s)
        up = _geometric_sum(self.load, np.concatenate([[0.0], inside]))
        down = _geometric_sum(self.load, inside)
        return np.cumsum(up), np.concatenate([[1 - self.load], np.cumsum(down)])

    def _waits(self, grid: Floats) -> Floats:
        """P(W <= t) on the grid."""
        low, high = self._wait_bounds(grid)
        return (low + high) / 2

    def _sojourns(self, grid: Floats) -> Floats:
        """P(W + S <= t) on the grid; waits within a step are taken as half at either end of it."""
        waits = self._waits(grid)
        inside = np.diff(waits)
        masses = (np.concatenate([[waits[0]], inside]) + np.concatenate([inside, [0.0]])) / 2
        masses[0] += waits[0] / 2
        return np.convolve(masses, self._known().cdf(grid))[: len(grid)]

    def _quantile(self, distribution: Callable[[Floats], Floats], share: float) -> float:
        """Where a distribution on a grid that is long enough comes to a share."""
        arguments.share(share)
        last_s = 4 * self.service.residual_s if math.isfinite(self.service.residual_s) else self.service.mean_s
        for _ in range(_DOUBLINGS):
            grid = self._grid(last_s)
            found = distribution(grid)
            if found[-1] >= share:
                return 0.0 if share <= found[0] else float(np.interp(share, found, grid))
            last_s *= 2
        raise ValueError(f"the distribution does not come up to {share!r} with the digits that it has")

    def _known(self) -> Distribution:
        if self.service.distribution is None:
            raise ValueError("only moments of the service are known: of the wait there are means, no distribution")
        return self.service.distribution


def _geometric_sum(load: float, masses: Floats) -> Floats:
    """Masses of a sum of N lattice variables, P(N = n) = (1 - load) load^n (Panjer 1981): only sums, no differences."""
    found = np.zeros(len(masses))
    scale = 1 / (1 - load * masses[0])
    found[0] = (1 - load) * scale
    backwards = load * scale * masses[::-1]
    for place in range(1, len(masses)):
        found[place] = backwards[-1 - place : -1] @ found[:place]
    return found


@dataclass(frozen=True, slots=True)
class MD1:
    """M/D/1: Poisson arrivals at `arrival_rate` (1/s), one server, services of exactly `service_s`."""

    arrival_rate: float
    service_s: float

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, service_s=self.service_s)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second."""
        return self.arrival_rate * self.service_s

    @property
    def means(self) -> Means:
        """Mean wait rho D / (2 (1 - rho)), half of what exponential services give."""
        wait_s = self.load * self.service_s / (2 * (1 - self.load))
        return by_little(self.arrival_rate, wait_s, self.service_s)

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n), n = 0 .. most.

        As many customers pass up over each number as down, seen at ends of service: p_(n+1) a_0 = p_0 P(A > n) + sum
        over j = 1 .. n of p_j P(A > n + 1 - j), A the arrivals in a service and a_0 = P(A = 0) (Ramaswami 1988).
        """
        from scipy.special import gammainc  # type: ignore[import-untyped]

        arguments.at_least(0, most=most)
        above = np.concatenate([[1.0], gammainc(np.arange(1, most + 2), self.load)])  # P(A >= k)
        law = np.zeros(most + 1)
        law[0] = 1 - self.load
        for n in range(most):
            law[n + 1] = (law[0] * above[n + 1] + law[1 : n + 1] @ above[n + 1 : 1 : -1]) * math.exp(self.load)
        return law

    def queue_pmf(self, most: int) -> Floats:
        """P(Q = k), k = 0 .. most, of the number that wait."""
        law = self.in_system_pmf(most + 1)
        return np.concatenate([[law[0] + law[1]], law[2:]])

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t): for t = k D - u with 0 < u <= D the sum over j < k of P(Q <= k-1-j) e^(-lambda u) (lambda u)^j/j!.

        Franx (2001), for M/D/c; all its terms are positive, those of Erlang's formula of 1909 alternate.
        """
        times = np.asarray(times_s, dtype=np.float64)
        services = np.floor(np.maximum(times, 0) / self.service_s).astype(np.intp) + 1
        sums = np.cumsum(self.queue_pmf(int(np.max(services, initial=1))))
        found = [
            self._passed(int(k), max(k * self.service_s - t, 0.0), sums) if t >= 0 else 0.0
            for k, t in zip(services.ravel(), times.ravel(), strict=True)
        ]
        return np.array(found, dtype=np.float64).reshape(times.shape)

    def wait_quantile(self, share: float) -> float:
        """The least wait that a share of customers does not exceed, s."""
        return quantile(self.wait_cdf, share, self.service_s)

    def sojourn_cdf(self, times_s: ArrayLike) -> Floats:
        """P(T <= t): the wait and one service."""
        return self.wait_cdf(np.asarray(times_s, dtype=np.float64) - self.service_s)

    def sojourn_quantile(self, share: float) -> float:
        """The least sojourn time that a share of customers does not exceed, s."""
        return self.wait_quantile(share) + self.service_s

    def _passed(self, services: int, left_s: float, queue_sums: Floats) -> float:
        mean = self.arrival_rate * left_s
        chances = np.cumprod(np.concatenate([[math.exp(-mean)], mean / np.arange(1, services)]))
        return float(queue_sums[:services] @ chances[::-1])


@dataclass(frozen=True, slots=True)
class MG1PS:
    """M/G/1 with processor sharing: all n that are there are served at once, each at 1/n of the pace.

    Means and numbers depend on the law of services through their mean only (Sakata, Noguchi and Oizumi 1969; Kleinrock,
    Queueing Systems II, 1976, section 4.4).
    """

    arrival_rate: float
    mean_service_s: float
    """Of a customer who is alone."""

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, mean_service_s=self.mean_service_s)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second."""
        return self.arrival_rate * self.mean_service_s

    @property
    def means(self) -> Means:
        """Mean sojourn E[S] / (1 - rho). Nobody waits; what sharing takes longer than E[S] stands for the wait."""
        slowed_s = self.mean_service_s * self.load / (1 - self.load)
        return by_little(self.arrival_rate, slowed_s, self.mean_service_s)

    def sojourn_given_s(self, service_s: float) -> float:
        """Mean sojourn time of a customer who would take `service_s` alone: in proportion to it."""
        arguments.not_negative(service_s=service_s)
        return service_s / (1 - self.load)

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n) = (1 - rho) rho^n, n = 0 .. most, as for M/M/1."""
        arguments.at_least(0, most=most)
        return np.asarray((1 - self.load) * self.load ** np.arange(most + 1))
