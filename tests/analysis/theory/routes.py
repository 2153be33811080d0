"""Second routes to what closed forms say: balance equations, a queue customer by customer, inverted transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def balance(rates: Floats) -> Floats:
    """The stationary law of a chain with rates[i, j] from state i to j."""
    equations = (rates - np.diag(rates.sum(axis=1))).T
    equations[-1] = 1.0
    return np.linalg.solve(equations, np.eye(len(rates))[-1])


def birth_death(arrival_rate: float, end_rates: Sequence[float]) -> Floats:
    """The law of the number in the system with room for as many as there are rates of ends."""
    size = len(end_rates) + 1
    rates = np.zeros((size, size))
    for n, end_rate in enumerate(end_rates):
        rates[n, n + 1], rates[n + 1, n] = arrival_rate, end_rate
    return balance(rates)


def waits(gaps_s: Floats, services_s: Floats, servers: int = 1) -> Floats:
    """Waits of successive customers in order of arrival, one after the other: each takes the server free first."""
    free_s, now_s, found = [0.0] * servers, 0.0, []
    for gap_s, service_s in zip(gaps_s.tolist(), services_s.tolist(), strict=True):
        now_s += gap_s
        first = min(range(servers), key=free_s.__getitem__)
        start_s = max(now_s, free_s[first])
        free_s[first] = start_s + service_s
        found.append(start_s - now_s)
    return np.array(found)


def inverted(transform: Callable[[complex], complex], time: float) -> float:
    """The function of a Laplace transform at a time, by the Euler method of Abate and Whitt (1995)."""
    terms, more, a = 30, 11, 18.4

    def term(k: int) -> float:
        return (transform(complex(a, 2 * k * math.pi) / (2 * time))).real

    sums = [term(0) / 2]
    for k in range(1, terms + more + 1):
        sums.append(sums[-1] + (-1) ** k * term(k))
    weighted = sum(math.comb(more, k) * sums[terms + k] for k in range(more + 1)) / 2**more
    return math.exp(a / 2) / time * weighted


def mg1_wait_cdf(arrival_rate: float, mean_s: float, service: Callable[[complex], complex], time_s: float) -> float:
    """P(W <= t) of M/G/1 from the transform of its service: Pollaczek and Khinchine's formula, inverted."""

    def transform(s: complex) -> complex:
        return (1 - arrival_rate * mean_s) / (s - arrival_rate + arrival_rate * service(s))

    return inverted(transform, time_s)


def assert_near(values: Floats, theory: float, batches: int = 20) -> None:
    """The mean of a series is within 4 standard errors (by batches) of what theory says, and these are small."""
    means = values[: len(values) // batches * batches].reshape(batches, -1).mean(axis=1)
    error = 4 * means.std(ddof=1) / math.sqrt(batches)
    assert abs(means.mean() - theory) < error, f"{means.mean():.4g} ± {error:.2g}, in theory {theory:.4g}"
    assert error < 0.25 * theory
