"""The last of several pieces is done when published numbers and simulated queues have it."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.arguments import UnstableError
from simoffload.analysis.theory.fork_join import ForkJoin
from simoffload.analysis.theory.markovian import mm1

from .routes import assert_near, balance, waits


def test_published_numbers() -> None:
    assert ForkJoin(0.8, 1.0, 2).sojourn_s == pytest.approx(7.0)
    assert ForkJoin(0.8, 1.0, 3).sojourn_s == pytest.approx(8.103, abs=5e-4)
    assert ForkJoin(0.8, 1.0, 1).sojourn_s == pytest.approx(5.0)


def test_two_branches_solve_their_balance_equations() -> None:
    """The longer queue is what a customer leaves with: E[max] by the law of both numbers, and Little's law."""
    most, load = 40, 0.5
    rates = np.zeros(((most + 1) ** 2,) * 2)
    for i in range(most + 1):
        for j in range(most + 1):
            here = i * (most + 1) + j
            if i < most and j < most:
                rates[here, here + most + 2] = load
            if i:
                rates[here, here - most - 1] = 1.0
            if j:
                rates[here, here - 1] = 1.0
    law = balance(rates).reshape(most + 1, most + 1)
    in_system = sum(max(i, j) * law[i, j] for i in range(most + 1) for j in range(most + 1))
    assert ForkJoin(load, 1.0, 2).in_system == pytest.approx(in_system, rel=1e-6)


@pytest.mark.parametrize("branches", [2, 5])
def test_simulated_branches_are_near(branches: int) -> None:
    generator = np.random.default_rng(2)
    gaps = generator.exponential(1 / 0.6, 100_000)
    pieces = [generator.exponential(1.0, 100_000) for _ in range(branches)]
    last = np.max([waits(gaps, piece) + piece for piece in pieces], axis=0)
    form = ForkJoin(0.6, 1.0, branches)
    if form.is_exact:
        assert_near(last, form.sojourn_s)
    assert form.sojourn_s == pytest.approx(last.mean(), rel=0.06)
    low, high = form.sojourn_bounds_s
    assert low < last.mean() < high
    assert low < form.sojourn_s < high


def test_a_piece_waits_for_its_siblings() -> None:
    form = ForkJoin(0.8, 1.0, 2)
    assert form.synchronisation_s == pytest.approx(2.0)
    assert form.branch == mm1(0.8, 1.0)


def test_what_is_no_fork_join_is_refused() -> None:
    with pytest.raises(UnstableError):
        ForkJoin(1.0, 1.0, 2)
    with pytest.raises(ValueError, match="branches"):
        ForkJoin(0.5, 1.0, 0)
