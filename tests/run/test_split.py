"""The bound on the busiest resource is that of the linear programme, and never above it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from simoffload.run import split
from simoffload.run.split import Matrix, least_load


def optimum(work: Matrix) -> float:
    """The linear programme as it stands, by scipy, in units of the busiest class: its tolerances are absolute."""
    unit = float(work.min(axis=1).max())
    work = work / unit
    able = [(k, r) for k, r in np.ndindex(work.shape) if math.isfinite(work[k, r])]
    at_most, exactly = np.zeros((work.shape[1], len(able) + 1)), np.zeros((work.shape[0], len(able) + 1))
    at_most[:, -1] = -1
    for column, (k, r) in enumerate(able):
        at_most[r, column], exactly[k, column] = work[k, r], 1
    objective = np.eye(len(able) + 1)[-1]
    done = linprog(objective, at_most, np.zeros(work.shape[1]), exactly, np.ones(work.shape[0]))
    return unit * float(done.fun)


@st.composite
def works(draw: st.DrawFn) -> Matrix:
    classes, resources = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    amounts = st.one_of(st.sampled_from([0.5, 1.0, 2.0]), st.floats(1e-3, 1e3), st.just(math.inf))
    rows = [draw(st.lists(amounts, min_size=resources, max_size=resources)) for _ in range(classes)]
    for row in rows:
        row[draw(st.integers(0, resources - 1))] = draw(st.floats(1e-3, 1e3))
    return np.array(rows)


@given(works())
def test_the_bound_is_the_optimum_of_the_linear_programme(work: Matrix) -> None:
    assert least_load(work) == pytest.approx(optimum(work), rel=1e-6)


@given(works())
def test_prices_by_speed_give_a_bound_too(work: Matrix) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(split, "_MOST", 0)
        assert least_load(work) <= optimum(work) * (1 + 1e-6)


@pytest.mark.parametrize("most", [0, 150])
def test_one_class_is_shared_out_by_speed(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split, "_MOST", most)
    assert least_load(np.array([[1.0, 2.0, 4.0]])) == pytest.approx(1 / 1.75)
    assert least_load(np.array([[3.0, 1.5, math.inf], [6.0, 3.0, math.inf]])) == pytest.approx(3.0)


def test_each_class_goes_where_it_is_quick() -> None:
    assert least_load(np.array([[1.0, 10.0], [10.0, 1.0]])) == pytest.approx(1.0)


def test_equal_resources_count_as_one_that_is_as_many_times_faster() -> None:
    assert least_load(np.full((2, 5000), 10.0)) == pytest.approx(20 / 5000)


def test_work_that_costs_nothing_somewhere_does_not_count() -> None:
    assert least_load(np.array([[0.0, 5.0], [1.0, 1.0]])) == pytest.approx(0.5)
    assert least_load(np.zeros((1, 1))) == 0
    assert least_load(np.empty((0, 3))) == 0


def test_work_that_fits_nowhere_makes_the_load_infinite() -> None:
    assert least_load(np.array([[1.0, 1.0], [math.inf, math.inf]])) == math.inf
    assert least_load(np.empty((1, 0))) == math.inf
