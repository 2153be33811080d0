"""Queue lengths, busy periods and departures are exact of given instants, and of M/M/1 those of theory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from simoffload.analysis.behaviour.queues import (
    busy_periods,
    envelope,
    gaps,
    number_present,
    pasta,
    seen_by_arrivals,
    time_distribution,
)
from simoffload.analysis.steady.time_average import steady_time_average

Floats = NDArray[np.float64]

VISITS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 9) | st.just(math.inf)).map(lambda v: (v[0] / 4, (v[0] + v[1]) / 4)),
    max_size=20,
)
"""Arrival and departure; some stay for ever."""


def instants(visits: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    array = np.array(visits, dtype=float).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def one_server(rho: float, customers: int, seed: int) -> tuple[Floats, Floats]:
    """Arrivals and departures of M/M/1 at service rate 1, by Lindley's recursion without a loop."""
    generator = np.random.default_rng(seed)
    arrivals = np.cumsum(generator.exponential(1 / rho, customers))
    work = np.cumsum(generator.exponential(1.0, customers))
    return arrivals, work + np.maximum.accumulate(arrivals - np.concatenate([[0.0], work[:-1]]))


@pytest.fixture(scope="module")
def queue() -> tuple[Floats, Floats]:
    """At load 0.6; the last departure is its end."""
    return one_server(0.6, 200_000, seed=11)


def test_the_number_present_steps_up_and_down() -> None:
    found = number_present([0.0, 1.0, 4.0], [3.0, 2.0, math.nan], 0.0, 5.0)
    assert found.times_s.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert found.values.tolist() == [1.0, 2.0, 1.0, 0.0, 1.0]
    assert (found.integral, found.mean) == (5.0, 1.0)


def test_those_who_are_there_at_the_beginning_count() -> None:
    found = number_present([0.0, 1.0, 2.5], [9.0, 2.0, 3.0], 2.0, 3.0)
    assert (found.times_s.tolist(), found.values.tolist()) == ([2.0, 2.5, 3.0], [1.0, 2.0, 1.0])


def test_nobody_is_a_function_too() -> None:
    found = number_present([], [], 1.0, 3.0)
    assert (found.values.tolist(), found.mean) == ([0.0], 0.0)
    assert busy_periods([], []).served.tolist() == []


@given(VISITS, st.integers(0, 10), st.integers(1, 20))
def test_the_integral_is_the_sum_of_times_spent(visits: list[tuple[float, float]], begin: int, length: int) -> None:
    arrivals, departures = instants(visits)
    end = begin + length
    spent = np.minimum(departures, end).clip(begin) - arrivals.clip(begin, end)
    found = number_present(arrivals, departures, begin, end)
    assert found.integral == spent.sum()
    assert (found.values >= 0).all()
    assert (np.diff(found.times_s) > 0).all()


@given(VISITS, st.integers(1, 12))
def test_a_thinned_series_keeps_extremes_and_the_integral(visits: list[tuple[float, float]], points: int) -> None:
    function = number_present(*instants(visits), 0.0, 8.0)
    thin = envelope(function, points)
    held = function.values[function.times_s < 8.0]
    assert (thin.high.max(), thin.low.min()) == (held.max(), held.min())
    assert thin.mean.mean() * 8.0 == pytest.approx(function.integral)
    assert ((thin.low <= thin.mean + 1e-12) & (thin.mean <= thin.high + 1e-12)).all()


@given(VISITS)
def test_shares_of_time_are_all_of_it(visits: list[tuple[float, float]]) -> None:
    function = number_present(*instants(visits), 0.0, 8.0)
    found = time_distribution(function)
    assert found.shares.sum() == pytest.approx(1.0)
    assert found.mean == pytest.approx(function.mean)


@given(VISITS)
def test_arrivals_find_those_who_came_before_and_are_not_gone(visits: list[tuple[float, float]]) -> None:
    visits = sorted(visits, key=lambda visit: visit[0])
    expected = [sum(left > came for _, left in visits[:number]) for number, (came, _) in enumerate(visits)]
    assert seen_by_arrivals(*instants(visits)).tolist() == expected


@given(VISITS)
def test_busy_periods_cover_the_time_that_is_not_idle(visits: list[tuple[float, float]]) -> None:
    arrivals, departures = instants(visits)
    found = busy_periods(arrivals, departures)
    end = 100.0
    busy = number_present(arrivals, departures, 0.0, end)
    unfinished = end - float(found.end_s.max(initial=0.0)) if np.isinf(departures).any() else None
    covered = float(busy.durations_s[busy.values > 0].sum())
    if unfinished is None:
        assert found.lengths_s.sum() == covered
        assert found.served.sum() == len(visits)
    else:
        assert found.lengths_s.sum() < covered
    assert (found.begin_s[1:] > found.end_s[:-1]).all()


def test_a_period_goes_on_with_one_who_comes_as_the_station_empties() -> None:
    found = busy_periods([0.0, 1.0, 5.0, 7.0], [1.0, 2.0, 6.0, math.nan])
    assert (found.begin_s.tolist(), found.end_s.tolist(), found.served.tolist()) == ([0.0, 5.0], [2.0, 6.0], [2, 1])


def test_the_queue_of_one_server_is_geometric_over_time(queue: tuple[Floats, Floats]) -> None:
    shares = time_distribution(number_present(*queue, 0.0, float(queue[1][-1])))
    for number in range(6):
        assert shares.share(number) == pytest.approx(0.4 * 0.6**number, rel=0.05)


def test_busy_periods_of_one_server_have_the_mean_of_theory(queue: tuple[Floats, Floats]) -> None:
    found = busy_periods(*queue)
    assert found.lengths_s.mean() == pytest.approx(1 / (1 - 0.6), rel=0.03)
    assert found.served.mean() == pytest.approx(1 / (1 - 0.6), rel=0.03)


def test_departures_of_one_server_are_poisson_and_those_of_a_full_one_as_its_service(
    queue: tuple[Floats, Floats],
) -> None:
    found = gaps(queue[1])
    assert found.cv == pytest.approx(1.0, abs=0.01)
    assert found.mean_s == pytest.approx(1 / 0.6, rel=0.02)
    steady = gaps(np.arange(5.0)[::-1])
    assert (steady.count, steady.mean_s, steady.cv) == (4, 1.0, 0.0)
    assert math.isnan(gaps([1.0]).mean_s)
    assert math.isnan(gaps([1.0, 2.0]).cv)


def test_poisson_arrivals_see_time_averages(queue: tuple[Floats, Floats]) -> None:
    found = pasta(*queue, 0.0, float(queue[0][-1]))
    assert found.agrees
    assert found.seen.mean == pytest.approx(0.6 / 0.4, rel=0.05)
    for number in range(4):
        assert found.seen.share(number) == pytest.approx(found.over_time.share(number), rel=0.03)


def test_regular_arrivals_do_not() -> None:
    arrivals = np.arange(1.0, 2001.0)
    found = pasta(arrivals, arrivals + 0.5, 0.0, 2000.0)
    assert (found.seen.mean, found.over_time.mean) == (0.0, pytest.approx(0.5, abs=0.001))
    assert not found.agrees


def test_too_few_arrivals_are_not_compared() -> None:
    with pytest.raises(ValueError, match="2 arrivals are too few"):
        pasta([1.0, 2.0], [1.5, 2.5], 0.0, 10.0)


def test_the_function_is_one_that_steady_state_averages_take(queue: tuple[Floats, Floats]) -> None:
    function = number_present(*queue, 0.0, float(queue[0][-1]))
    found = steady_time_average(function.times_s, function.values, function.end_s)
    assert found.state.low < 0.6 / 0.4 < found.state.high


@pytest.mark.parametrize(
    ("arrivals", "departures", "said"),
    [
        ([1.0, 2.0], [3.0, 1.5], "number 1 leaves at 1.5 s before it comes at 2.0 s"),
        ([1.0, math.nan], [3.0, 4.0], "number 1 is nan"),
        ([1.0, 2.0], [3.0], "each of 2 arrivals has its departure"),
    ],
)
def test_what_cannot_have_happened_is_refused(arrivals: list[float], departures: list[float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        number_present(arrivals, departures, 0.0, 5.0)


def test_no_time_has_no_averages() -> None:
    with pytest.raises(ValueError, match="nothing is between"):
        number_present([], [], 3.0, 1.0)
    with pytest.raises(ValueError, match="shares of time need some time"):
        time_distribution(number_present([], [], 1.0, 1.0))
