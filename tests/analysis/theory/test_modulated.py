"""A queue whose pace changes at random solves its balance equations, and its times are those of a simulated path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.markovian import mm1
from simoffload.analysis.theory.modulated import ModulatedMM1, gilbert_elliott, markov_changes

from .routes import assert_near, balance

TIMES_S = np.array([0.0, 0.5, 3.0, 12.0])
QUEUE = gilbert_elliott(0.5, 1.0, 0.2, 20.0, 10.0)


def cut_off(queue: ModulatedMM1, most: int) -> np.ndarray:
    """The law by number and state, from the balance equations with no room for more than `most`."""
    states = len(queue.service_rates)
    rates = np.zeros((most + 1, states, most + 1, states))
    for n in range(most + 1):
        for i in range(states):
            for j in range(states):
                if i != j:
                    rates[n, i, n, j] = queue.changes[i][j]
            if n < most:
                rates[n, i, n + 1, i] = queue.arrival_rate
                rates[n + 1, i, n, i] = queue.service_rates[i]
    return balance(rates.reshape(((most + 1) * states,) * 2)).reshape(most + 1, states)


def test_the_published_number_in_the_system() -> None:
    assert QUEUE.means.in_system == pytest.approx(4.569, abs=5e-4)


@settings(max_examples=8)
@given(st.floats(0.1, 0.6), st.lists(st.floats(0.0, 2.0), min_size=2, max_size=3), st.floats(0.2, 5.0))
def test_numbers_solve_the_balance_equations(load: float, rates: list[float], sojourn_s: float) -> None:
    size = len(rates)
    following = [[float(j == (i + 1) % size) for j in range(size)] for i in range(size)]
    changes = markov_changes([sojourn_s * (i + 1) for i in range(size)], following)
    rates[0] += 0.1
    capacity = ModulatedMM1(1e-6, tuple(rates), changes).mean_service_rate
    queue = ModulatedMM1(load * capacity, tuple(rates), changes)
    law = cut_off(queue, 100)
    if law[-1].sum() < 1e-8:
        assert queue.in_system_pmf(40) == pytest.approx(law[:41].sum(axis=1), abs=1e-7)
        assert queue.means.in_system == pytest.approx(float(law.sum(axis=1) @ np.arange(101)), rel=1e-4)
        assert queue.means.utilisation == pytest.approx(1 - law[0].sum(), abs=1e-7)
        assert queue.queue_pmf(3).sum() == pytest.approx(law[:5].sum(), abs=1e-7)


@pytest.mark.parametrize("load", [0.3, 0.8, 0.97])
def test_a_pace_that_is_the_same_in_both_states_is_mm1(load: float) -> None:
    queue, known = gilbert_elliott(load, 1.0, 1.0, 20.0, 10.0), mm1(load, 1.0)
    assert queue.means.wait_s == pytest.approx(known.means.wait_s)
    assert queue.wait_cdf(TIMES_S) == pytest.approx(known.wait_cdf(TIMES_S))
    assert queue.sojourn_cdf(TIMES_S) == pytest.approx(known.sojourn_cdf(TIMES_S))


def test_quantiles_too() -> None:
    queue, known = gilbert_elliott(0.3, 1.0, 1.0, 20.0, 10.0), mm1(0.3, 1.0)
    assert queue.sojourn_quantile(0.99) == pytest.approx(known.sojourn_quantile(0.99))
    assert queue.wait_quantile(0.9) == pytest.approx(known.wait_quantile(0.9))


def test_distributions_of_times_have_the_means_of_littles_law() -> None:
    grid = np.linspace(0, 300, 3001)
    assert np.trapezoid(1 - QUEUE.wait_cdf(grid), grid) == pytest.approx(QUEUE.means.wait_s, rel=1e-4)
    assert np.trapezoid(1 - QUEUE.sojourn_cdf(grid), grid) == pytest.approx(QUEUE.means.sojourn_s, rel=1e-4)


@pytest.mark.parametrize("time_s", [1.0, 6.0])
@pytest.mark.parametrize("own", [0, 1])
def test_distributions_of_times_are_those_of_the_matrix_exponential(time_s: float, own: int) -> None:
    """Of the chain that counts down who is ahead, each state with the pace, and stops when nobody is left."""
    law = cut_off(QUEUE, 120)
    size = len(law) + own
    rates = np.zeros((size, 2, size, 2))
    for left in range(1, size):
        for state in (0, 1):
            rates[left, state, left, 1 - state] = QUEUE.changes[state][1 - state]
            rates[left, state, left - 1, state] = QUEUE.service_rates[state]
    generator = rates.reshape(2 * size, 2 * size)
    generator -= np.diag(generator.sum(axis=1))
    start = np.zeros((size, 2))
    start[own:] = law
    still = (start.ravel() @ expm(generator * time_s))[2:].sum()
    cdf = QUEUE.sojourn_cdf if own else QUEUE.wait_cdf
    assert 1 - float(cdf(time_s)) == pytest.approx(still, abs=1e-6)


def test_a_simulated_path_agrees() -> None:
    """A discrete-event walk of the chain, customer by customer in order of arrival."""
    generator = np.random.default_rng(7)
    good, now, arrivals, sojourns = True, 0.0, [], []
    rates = {True: (1.0, 1 / 20), False: (0.2, 1 / 10)}
    while len(sojourns) < 80_000:
        pace, change = rates[good]
        total = 0.5 + change + (pace if arrivals else 0.0)
        now += generator.exponential(1 / total)
        chosen = generator.random() * total
        if chosen < 0.5:
            arrivals.append(now)
        elif chosen < 0.5 + change:
            good = not good
        else:
            sojourns.append(now - arrivals.pop(0))
    found = np.array(sojourns)
    assert_near(found, QUEUE.means.sojourn_s)
    assert_near((found > 8.0).astype(float), 1 - float(QUEUE.sojourn_cdf(8.0)))


def test_an_outage_is_a_rate_of_0() -> None:
    queue = gilbert_elliott(0.4, 1.0, 0.0, 10.0, 2.0)
    assert queue.mean_service_rate == pytest.approx(10 / 12)
    assert queue.means.wait_s > mm1(0.4, 10 / 12).means.wait_s


def test_what_is_no_chain_is_refused() -> None:
    with pytest.raises(UnstableError, match="the load is"):
        gilbert_elliott(0.8, 1.0, 0.2, 10.0, 10.0)
    with pytest.raises(ValueError, match="from every state to every other"):
        ModulatedMM1(0.1, (1.0, 1.0), ((0.0, 1.0), (0.0, 0.0)))
    with pytest.raises(ValueError, match="2 rows of 2 rates"):
        ModulatedMM1(0.1, (1.0, 1.0), ((0.0, 1.0),))
    with pytest.raises(ValueError, match="largest_service_rate"):
        ModulatedMM1(0.1, (0.0, 0.0), ((0.0, 1.0), (1.0, 0.0)))
