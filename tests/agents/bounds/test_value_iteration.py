"""Value iteration agrees with closed forms, with the balance equations, and with trying other tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.bounds import Routing, RoutingError, average_cost, solve

PLAIN = Routing(1.2, (1.0, 0.5), 0.5, (0.0, 0.0), 3.5)


@dataclass(frozen=True)
class Roomy(Routing):
    """A problem with more places than an optimal rule uses."""

    @property
    def places(self) -> tuple[int, ...]:
        return tuple(most + 4 for most in super().places)


@st.composite
def routings(draw: st.DrawFn) -> Routing:
    rates = draw(st.lists(st.floats(0.2, 2), min_size=1, max_size=2))
    return Routing(
        arrival_rate=draw(st.floats(0.1, 3)),
        service_rates=tuple(rates),
        holding_cost=draw(st.floats(0.3, 2)),
        busy_costs=tuple(draw(st.floats(0, 1)) for _ in rates),
        outside_cost=draw(st.floats(0.1, 4)),
    )


def _blocking(load: float, places: int) -> list[float]:
    """Stationary distribution of M/M/1/K."""
    weights = [load**jobs for jobs in range(places + 1)]
    return [weight / math.fsum(weights) for weight in weights]


@pytest.mark.parametrize(("load", "places"), [(0.5, 3), (0.9, 10), (1.0, 5), (1.7, 4)])
def test_one_queue_without_a_choice_costs_what_a_queue_of_few_places_does(load: float, places: int) -> None:
    """M/M/1/K whose lost jobs go outside: h E[N] + b P(busy) + lambda P(full) outside, by the second."""
    routing = Routing(2 * load, (2.0,), 0.7, (0.4,), 5.0)
    chance = _blocking(load, places)
    jobs = math.fsum(number * each for number, each in enumerate(chance))
    by_second = 0.7 * jobs + 0.4 * (1 - chance[0]) + 2 * load * chance[-1] * 5.0
    join = np.zeros(places + 1, dtype=np.intp)
    assert average_cost(routing, join) == pytest.approx(by_second / (2 * load), rel=1e-12)


def test_one_queue_of_many_places_costs_what_the_mm1_queue_does() -> None:
    routing = Routing(0.6, (1.0,), 1.0, (0.0,), 5.0)
    assert average_cost(routing, np.zeros(200, dtype=np.intp)) == pytest.approx(1 / (1.0 - 0.6), rel=1e-12)


def test_a_queue_is_joined_up_to_the_threshold_of_the_best_closed_form() -> None:
    """Of all thresholds the table has the one with which M/M/1/K is cheapest (Naor 1969)."""
    routing = Routing(0.9, (1.0,), 1.0, (0.0,), 6.0)
    costs = []
    for places in range(1, 7):
        chance = _blocking(0.9, places)
        jobs = math.fsum(number * each for number, each in enumerate(chance))
        costs.append((jobs + 0.9 * chance[-1] * 6.0) / 0.9)
    found = solve(routing)
    assert found.cost_per_job == pytest.approx(min(costs), rel=1e-9)
    joined = 1 + int(np.argmin(costs))
    assert found.table.tolist() == [0] * joined + [1] * (7 - joined)
    assert joined < 6, "what is best for all is less than what each would choose for himself"


@settings(max_examples=40)
@given(routings())
def test_the_cost_of_the_table_by_balance_equations_is_that_of_value_iteration(routing: Routing) -> None:
    found = solve(routing)
    assert average_cost(routing, found.table) == pytest.approx(found.cost_per_job, rel=1e-9)


@settings(max_examples=40)
@given(routings(), st.randoms(use_true_random=False))
def test_no_other_table_costs_less(routing: Routing, chance: object) -> None:
    found = solve(routing)
    assert found.cost_per_job <= routing.outside_cost * (1 + 1e-9)
    generator = np.random.default_rng(chance.randrange(2**32))  # type: ignore[attr-defined]
    for _ in range(5):
        table = generator.integers(0, found.table.ndim + 1, found.table.shape)
        assert average_cost(routing, table) >= found.cost_per_job * (1 - 1e-9)


def test_changing_any_single_entry_of_the_best_table_makes_nothing_better() -> None:
    found = solve(PLAIN)
    for state in product(*(range(size) for size in found.table.shape)):
        for choice in range(3):
            table = found.table.copy()
            table[state] = choice
            assert average_cost(PLAIN, table) >= found.cost_per_job * (1 - 1e-9)


@settings(max_examples=15)
@given(routings())
def test_more_places_than_can_be_of_use_change_nothing(routing: Routing) -> None:
    fields = (getattr(routing, name) for name in Routing.__dataclass_fields__)
    assert solve(Roomy(*fields)).cost_per_job == pytest.approx(solve(routing).cost_per_job, rel=1e-9)


def test_the_best_table_is_a_switching_curve() -> None:
    """Once a job is better off elsewhere than in the fast queue it stays so the longer that queue is."""
    table = solve(PLAIN).table
    joins_fast = table == 0
    assert (joins_fast[1:] <= joins_fast[:-1]).all()
    assert joins_fast[0].all() and not joins_fast[-1].any()
    outside = table == 2
    assert (outside[1:] >= outside[:-1]).all() and (outside[:, 1:] >= outside[:, :-1]).all()


def test_too_many_states_are_refused() -> None:
    with pytest.raises(RoutingError, match="states are too many to go through; 1000000 are allowed"):
        solve(Routing(1.0, (1.0, 1.0), 0.001, (0.0, 0.0), 5.0))
    with pytest.raises(RoutingError, match="40000 states are too many for balance equations; 20000 are allowed"):
        average_cost(PLAIN, np.zeros((200, 200), dtype=np.intp))
