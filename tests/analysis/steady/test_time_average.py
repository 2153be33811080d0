"""Averages over time are integrals of the step function, exact to rounding, whatever the events and the bounds."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.steady.time_average import integrals, steady_time_average, stretch_means

from .processes import mm1_waits

STEPS = st.lists(st.tuples(st.integers(0, 64), st.integers(-5, 50)), min_size=1, max_size=30)
BOUNDS = st.lists(st.integers(0, 3000), min_size=2, max_size=8).map(sorted)


def exact_integral(steps: list[tuple[Fraction, int]], begin: Fraction, end: Fraction) -> Fraction:
    """Step by step, in fractions."""
    total = Fraction(0)
    for (at, value), following in zip(steps, [*(step[0] for step in steps[1:]), end], strict=True):
        total += value * max(min(following, end) - max(at, begin), Fraction(0))
    return total


@given(STEPS, BOUNDS)
def test_integrals_are_exact(waits: list[tuple[int, int]], bounds: list[int]) -> None:
    now, steps = Fraction(0), []
    for wait, value in waits:
        steps.append((now, value))
        now += Fraction(wait, 4)
    edges = [Fraction(bound, 16) for bound in bounds]
    found = integrals([float(at) for at, _ in steps], [value for _, value in steps], [float(edge) for edge in edges])
    expected = [float(exact_integral(steps, a, b)) for a, b in pairwise(edges)]
    assert found.tolist() == pytest.approx(expected, abs=1e-9)


def test_a_queue_worked_out_by_hand() -> None:
    times, queue = [0.0, 2.0, 3.0, 7.0], [0, 1, 2, 0]
    assert integrals(times, queue, [0.0, 10.0]).tolist() == [1 * 1 + 2 * 4]
    assert stretch_means(times, queue, 0.0, 10.0, 5).tolist() == [0.0, 1.5, 2.0, 1.0, 0.0]
    assert stretch_means(times, queue, 2.5, 3.0, 1).tolist() == [1.0]


def test_of_events_at_once_the_last_holds() -> None:
    assert integrals([0.0, 1.0, 1.0], [5, 9, 2], [0.0, 1.0, 3.0]).tolist() == [5.0, 4.0]


@given(STEPS, st.integers(1, 40))
def test_stretches_add_up_to_the_whole(waits: list[tuple[int, int]], stretches: int) -> None:
    times = np.cumsum([0.0, *(wait / 4 for wait, _ in waits[1:])])
    values = [value for _, value in waits]
    end = float(times[-1]) + 1.7
    parts = stretch_means(times, values, 0.0, end, stretches) * end / stretches
    assert parts.sum() == pytest.approx(integrals(times, values, [0.0, end])[0], rel=1e-9, abs=1e-9)


def queue_of(waits: np.ndarray, seed: int, rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Times and values of the number waiting, for waits of `mm1_waits` with that seed."""
    generator = np.random.default_rng(seed)
    n = len(waits)
    generator.standard_exponential(n)
    arrivals = np.cumsum(generator.standard_exponential(n) / rho)
    times = np.concatenate((arrivals, arrivals + waits))
    order = np.argsort(times, kind="stable")
    steps = np.concatenate((np.ones(n), -np.ones(n)))[order]
    return np.insert(times[order], 0, 0.0), np.insert(np.cumsum(steps), 0, 0.0)


def test_littles_law_holds_to_rounding() -> None:
    waits = mm1_waits(5_000, 0.8, 7)
    times, queue = queue_of(waits, 7, 0.8)
    assert integrals(times, queue, [0.0, times[-1]])[0] == pytest.approx(math.fsum(waits), rel=1e-12)


def test_the_mean_queue_of_mm1_is_held() -> None:
    held = 0
    for seed in range(20):
        times, queue = queue_of(mm1_waits(60_000, 0.5, seed), seed, 0.5)
        found = steady_time_average(times, queue, float(times[-1]))
        assert found.state.half_width < 0.1
        assert found.cut_s == found.state.cut * found.stretch_s
        assert found.needed_s is not None and found.needed_s < 10 * times[-1]
        held += found.state.low <= 0.5**2 / (1 - 0.5) <= found.state.high
    assert held >= 17


def test_a_mean_over_events_would_be_another_number() -> None:
    bursts = 10.0 * np.arange(500)
    times = np.column_stack((bursts, bursts + 0.001)).ravel()
    levels = np.tile([3.0, 0.0], 500)
    assert levels.mean() == 1.5
    assert stretch_means(times, levels, 0.0, 5000.0, 50) == pytest.approx(np.full(50, 0.0003))


@pytest.mark.parametrize(
    ("times", "values", "bounds", "message"),
    [
        ([0.0, 2.0, 1.0], [1, 2, 3], [0.0, 3.0], "times go on; after 2.0 s comes 1.0 s"),
        ([0.0], [1], [1.0, 0.5], "bounds go on"),
        ([0.0, 1.0], [1], [0.0, 1.0], "a value for each of its times"),
        ([], [], [0.0, 1.0], "a value for each of its times"),
        ([1.0], [1], [0.0, 2.0], "nothing is known before"),
    ],
)
def test_what_is_no_step_function_is_refused(
    times: list[float], values: list[float], bounds: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        integrals(times, values, bounds)


def test_no_time_has_no_average() -> None:
    with pytest.raises(ValueError, match="over some time"):
        steady_time_average([1.0], [2.0], 1.0)
    with pytest.raises(ValueError, match="are none"):
        stretch_means([0.0], [1.0], 2.0, 2.0, 4)
