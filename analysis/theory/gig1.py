"""Arrivals and services of any law, known by mean and coefficient of variation: bounds and approximations.

There is no closed form. Kingman's is a bound that holds for any renewal arrivals and independent services; the others
are approximations, exact where M/G/1 or M/M/c is: what they give should be read with a grain of salt, the more so the
lower the load and the more the arrivals vary. Renewal arrivals are assumed throughout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import arguments
from .markovian import erlang_c
from .means import Means, by_little


@dataclass(frozen=True, slots=True)
class GIG1:
    """GI/G/1 in order of arrival. `arrival_rate` in 1/s; CVs are standard deviations over means.

    UnstableError for a load of 1 or more.
    """

    arrival_rate: float
    arrival_cv: float
    mean_service_s: float
    service_cv: float

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, mean_service_s=self.mean_service_s)
        arguments.not_negative(arrival_cv=self.arrival_cv, service_cv=self.service_cv)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second."""
        return self.arrival_rate * self.mean_service_s

    @property
    def kingman_bound_s(self) -> float:
        """No mean wait is longer: lambda (var A + var S) / (2 (1 - rho)) (Kingman 1962, eq. 11)."""
        variances = (self.arrival_cv / self.arrival_rate) ** 2 + (self.service_cv * self.mean_service_s) ** 2
        return self.arrival_rate * variances / (2 * (1 - self.load))

    @property
    def marchal_wait_s(self) -> float:
        """Approximation: Kingman's bound times rho^2 (1 + cs^2) / (1 + rho^2 cs^2), exact for M/G/1 (Marchal 1976)."""
        varied = self.service_cv**2
        return self.kingman_bound_s * self.load**2 * (1 + varied) / (1 + self.load**2 * varied)

    @property
    def klb_wait_s(self) -> float:
        """Approximation of Krämer and Langenbach-Belz (1976): rho E[S] (ca^2 + cs^2) g / (2 (1 - rho)).

        g is exp(-2 (1 - rho) (1 - ca^2)^2 / (3 rho (ca^2 + cs^2))) for ca <= 1, exp(-(1 - rho) (ca^2 - 1) /
        (ca^2 + 4 cs^2)) beyond; 1 and so exact for M/G/1.
        """
        came, served, load = self.arrival_cv**2, self.service_cv**2, self.load
        if came + served == 0:
            return 0.0
        if came <= 1:
            power = 2 * (1 - load) * (1 - came) ** 2 / (3 * load * (came + served))
        else:
            power = (1 - load) * (came - 1) / (came + 4 * served)
        return load * self.mean_service_s * (came + served) / (2 * (1 - load)) * math.exp(-power)

    @property
    def means(self) -> Means:
        """By the approximation of Krämer and Langenbach-Belz."""
        return by_little(self.arrival_rate, self.klb_wait_s, self.mean_service_s)


@dataclass(frozen=True, slots=True)
class GIGc:
    """GI/G/c in order of arrival, by the approximation of Allen and Cunneen; arguments as for `GIG1`.

    The mean wait of M/M/c times (ca^2 + cs^2) / 2 (Allen, Probability, Statistics, and Queueing Theory, 2nd ed. 1990,
    section 5.3.4); exact for M/M/c and M/G/1.
    """

    arrival_rate: float
    arrival_cv: float
    mean_service_s: float
    service_cv: float
    servers: int

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, mean_service_s=self.mean_service_s)
        arguments.not_negative(arrival_cv=self.arrival_cv, service_cv=self.service_cv)
        arguments.at_least(1, servers=self.servers)
        arguments.stable(self.load)

    @property
    def load(self) -> float:
        """Work that comes per second over what can be done."""
        return self.arrival_rate * self.mean_service_s / self.servers

    @property
    def means(self) -> Means:
        """By the approximation."""
        waiting = erlang_c(self.servers, self.arrival_rate * self.mean_service_s)
        exponential_s = waiting * self.mean_service_s / (self.servers * (1 - self.load))
        wait_s = exponential_s * (self.arrival_cv**2 + self.service_cv**2) / 2
        return by_little(self.arrival_rate, wait_s, self.mean_service_s, self.servers)
