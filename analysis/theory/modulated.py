"""M/M/1 whose pace changes at random: a radio that is good or bad (Gilbert-Elliott), a machine that slows down.

The pace is a Markov chain beside the number in the system, together a quasi-birth-death process: the law of numbers is
matrix-geometric, p(n) = p(0) R^n, with R found numerically (Neuts, Matrix-Geometric Solutions in Stochastic Models,
1981; logarithmic reduction: Latouche and Ramaswami 1993).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import arguments
from .means import Means
from .quantiles import quantile
from .uniformisation import not_ended, steps_until

Floats = NDArray[np.float64]

_CUT_OFF = 1e-13
"""Chance of larger numbers in the system than are followed for distributions of times."""


@dataclass(frozen=True, slots=True)
class ModulatedMM1:
    """Poisson arrivals at `arrival_rate`, one server of rate `service_rates[i]` while the pace is in state i; 1/s.

    `changes[i][j]` is the rate, 1/s, of going from state i to j; what is on the diagonal does not matter. Rates of
    service may be 0, not all of them. ValueError for what is no such chain, UnstableError for an arrival rate of at
    least the mean service rate.
    """

    arrival_rate: float
    service_rates: tuple[float, ...]
    changes: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate, largest_service_rate=max(self.service_rates, default=0.0))
        arguments.not_negative(**{f"service_rates[{place}]": rate for place, rate in enumerate(self.service_rates)})
        size = len(self.service_rates)
        if len(self.changes) != size or any(len(row) != size for row in self.changes):
            raise ValueError(f"changes must be {size} rows of {size} rates")
        for i, row in enumerate(self.changes):
            arguments.not_negative(**{f"changes[{i}][{j}]": rate for j, rate in enumerate(row) if i != j})
        if not is_connected(self.changes):
            raise ValueError("changes must lead from every state to every other, directly or not")
        arguments.stable(self.load)

    @property
    def state_shares(self) -> Floats:
        """Share of the time in each state."""
        return state_shares(self.changes)

    @property
    def mean_service_rate(self) -> float:
        """What the server could do in the long run, 1/s."""
        return float(self.state_shares @ np.array(self.service_rates))

    @property
    def load(self) -> float:
        """Arrival rate over the mean service rate."""
        return self.arrival_rate / self.mean_service_rate

    @property
    def means(self) -> Means:
        """From the law of the number in the system.

        The utilisation is the share of time with anybody there, which is above the load: a slow server is busy longer.
        Services follow the pace, so that a sojourn less its wait is longer than the mean of the inverse of the rates.
        """
        empty, ratio = self._solution()
        ones = np.ones(len(empty))
        beyond = np.linalg.inv(np.eye(len(empty)) - ratio)
        in_system = float(empty @ ratio @ beyond @ beyond @ ones)
        busy = 1 - float(empty.sum())
        waiting = in_system - busy
        return Means(busy, waiting / self.arrival_rate, in_system / self.arrival_rate, waiting, in_system)

    def in_system_pmf(self, most: int) -> Floats:
        """P(N = n), n = 0 .. most."""
        arguments.at_least(0, most=most)
        return np.asarray(self._law(most).sum(axis=1))

    def queue_pmf(self, most: int) -> Floats:
        """P(Q = k), k = 0 .. most, of the number that wait."""
        law = self.in_system_pmf(most + 1)
        return np.concatenate([[law[0] + law[1]], law[2:]])

    def wait_cdf(self, times_s: ArrayLike) -> Floats:
        """P(W <= t) in order of arrival: who finds n there waits for n ends of service."""
        return self._passed(np.asarray(times_s, dtype=np.float64), 0)

    def wait_quantile(self, share: float) -> float:
        """The least wait that a share of customers does not exceed, s."""
        return quantile(self.wait_cdf, share, self.means.sojourn_s)

    def sojourn_cdf(self, times_s: ArrayLike) -> Floats:
        """P(T <= t) in order of arrival: who finds n there leaves at the (n+1)-th end of service."""
        return self._passed(np.asarray(times_s, dtype=np.float64), 1)

    def sojourn_quantile(self, share: float) -> float:
        """The least sojourn time that a share of customers does not exceed, s."""
        return quantile(self.sojourn_cdf, share, self.means.sojourn_s)

    def _solution(self) -> tuple[Floats, Floats]:
        """p(0) by state, and R."""
        generator, served = _generator(self.changes), np.diag(self.service_rates)
        up = self.arrival_rate * np.eye(len(generator))
        same = generator - up - served
        down = _first_passage(up, same, served)
        ratio = up @ np.linalg.inv(-(same + up @ down))
        # p(0) (Q - up + R served) = 0 and p(0) (I - R)^-1 1 = 1
        equations = (generator - up + ratio @ served).T
        equations[-1] = np.linalg.solve(np.eye(len(ratio)) - ratio, np.ones(len(ratio)))
        return np.linalg.solve(equations, np.eye(len(ratio))[-1]), ratio

    def _law(self, most: int) -> Floats:
        """P(N = n and the pace is in state i), [n, i]."""
        empty, ratio = self._solution()
        law = np.empty((most + 1, len(empty)))
        law[0] = empty
        for n in range(most):
            law[n + 1] = law[n] @ ratio
        return law

    def _passed(self, times: Floats, own: int) -> Floats:
        """P(the customers found, and `own` more, have left by t), by uniformisation: steps at a rate above all others.

        `left[m]` is the chance, by state, that m of them are still there.
        """
        ratio = self._solution()[1]
        decay = float(np.abs(np.linalg.eigvals(ratio)).max())
        most = math.ceil(math.log(_CUT_OFF) / math.log(decay)) + 1
        left = self._law(most)
        if own:
            left = np.vstack([np.zeros(left.shape[1]), left])
        generator, served = _generator(self.changes), np.array(self.service_rates)
        pace = float((served - generator.diagonal()).max())
        stay = np.eye(len(served)) + (generator - np.diag(served)) / pace
        passed = pace * np.maximum(times, 0)
        still = np.empty(steps_until(passed))
        left[0] = 0.0
        for step in range(len(still)):
            still[step] = left.sum()
            ends = left * (served / pace)
            left = left @ stay
            left[1:-1] += ends[2:]
        return np.where(times < 0, 0.0, 1 - not_ended(still, passed))


def gilbert_elliott(
    arrival_rate: float, good_rate: float, bad_rate: float, mean_good_s: float, mean_bad_s: float
) -> ModulatedMM1:
    """M/M/1 served at `good_rate` or `bad_rate` (1/s), for exponential times of these means in turn.

    The channel of Gilbert (1960) and Elliott (1963) before a queue of exponential transfers.
    """
    arguments.positive(mean_good_s=mean_good_s, mean_bad_s=mean_bad_s)
    return ModulatedMM1(arrival_rate, (good_rate, bad_rate), ((0.0, 1 / mean_good_s), (1 / mean_bad_s, 0.0)))


def markov_changes(
    mean_sojourns_s: Sequence[float], transition: Sequence[Sequence[float]]
) -> tuple[tuple[float, ...], ...]:
    """Rates of change of a chain that stays in state i for `mean_sojourns_s[i]` and then goes by `transition[i]`."""
    pairs = zip(mean_sojourns_s, transition, strict=True)
    return tuple(tuple(chance / sojourn for chance in row) for sojourn, row in pairs)


def is_connected(changes: Sequence[Sequence[float]]) -> bool:
    """Whether a chain comes from every state to every other, by some way; what is on the diagonal does not matter."""
    steps = (np.array(changes, dtype=np.float64) > 0) | np.eye(len(changes), dtype=bool)
    return bool(np.linalg.matrix_power(steps.astype(np.float64) / len(steps), len(steps)).all())


def state_shares(changes: Sequence[Sequence[float]]) -> Floats:
    """Share of the time in each state of a chain that goes from state i to j at a rate of `changes[i][j]`."""
    equations = _generator(changes).T.copy()
    equations[-1] = 1.0
    return np.linalg.solve(equations, np.eye(len(equations))[-1])


def _generator(changes: Sequence[Sequence[float]]) -> Floats:
    rates = np.array(changes, dtype=np.float64)
    np.fill_diagonal(rates, 0.0)
    return rates - np.diag(rates.sum(axis=1))


def _first_passage(up: Floats, same: Floats, down: Floats) -> Floats:
    """G: in which state a number in the system is left for the next smaller one, by logarithmic reduction."""
    inverse = np.linalg.inv(-same)
    rise, fall = inverse @ up, inverse @ down
    found, carried = fall.copy(), rise.copy()
    for _ in range(60):
        both = rise @ fall + fall @ rise
        inverse = np.linalg.inv(np.eye(len(both)) - both)
        rise, fall = inverse @ rise @ rise, inverse @ fall @ fall
        found += carried @ fall
        carried = carried @ rise
        if np.abs(carried).max() < 1e-16:
            return found
    raise ArithmeticError("the numbers in the system do not settle: the load is too near 1 for this method")
