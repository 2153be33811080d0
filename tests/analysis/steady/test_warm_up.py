"""MSER cuts where the standard error of the rest is least; Welch's average is a moving mean over runs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.steady.warm_up import Cut, cut_at_limit, mser, mser5, mser_curve, welch

from .processes import autoregression, mm1_waits

SERIES = st.integers(0, 10_000).map(lambda seed: autoregression(240, 0.6, seed))


@given(SERIES)
def test_the_curve_is_the_squared_standard_error_of_what_follows(values: np.ndarray) -> None:
    means = values.reshape(-1, 5).mean(axis=1)
    expected = [means[d:].var() / (len(means) - d) for d in range(len(means) // 2 + 1)]
    assert mser_curve(values) == pytest.approx(np.array(expected), rel=1e-9)
    assert mser5(values).n == 5 * int(np.argmin(expected))
    assert mser5(values).limit == 5 * (len(means) // 2)


@given(SERIES, st.integers(-10, 10), st.integers(-8, 8))
def test_unit_and_origin_do_not_move_the_cut(values: np.ndarray, power: int, shift: int) -> None:
    assert mser5(values * 2.0**power).n == mser5(values).n
    assert mser_curve(values + shift) == pytest.approx(mser_curve(values), rel=1e-6)


def test_a_high_beginning_is_cut_and_nothing_else() -> None:
    values = np.random.default_rng(1).standard_normal(4000)
    values[:300] += 10
    assert mser5(values).n == pytest.approx(300, abs=25)
    assert not cut_at_limit(mser5(values))


def test_a_queue_that_starts_full_is_cut_where_it_has_drained() -> None:
    cuts = [mser5(mm1_waits(20_000, 0.5, seed, jobs=100)).n for seed in range(30)]
    drained = 100 / (1 - 0.5) * 0.5
    assert drained <= np.median(cuts) <= 2 * drained


def test_a_level_that_goes_on_changing_is_cut_at_the_limit() -> None:
    assert cut_at_limit(mser5(np.arange(1000.0)))
    assert not cut_at_limit(Cut(0, 0))
    assert not cut_at_limit(Cut(449, 500))
    assert cut_at_limit(Cut(450, 500))


def test_nothing_is_cut_from_a_few_values() -> None:
    assert mser5(np.arange(49.0)) == Cut(0, 0)
    assert mser(np.arange(9.0)) == Cut(0, 0)
    assert mser5([]) == Cut(0, 0)


@given(st.integers(1, 5), st.integers(2, 60), st.data())
def test_welchs_average_is_over_runs_and_neighbours(runs: int, n: int, data: st.DataObject) -> None:
    window = data.draw(st.integers(0, n - 1))
    values = np.random.default_rng(runs * n).standard_normal((runs, n))
    reach = [min(i, window) for i in range(n - window)]
    expected = [values[:, i - w : i + w + 1].mean() for i, w in enumerate(reach)]
    assert welch(values, window) == pytest.approx(np.array(expected), abs=1e-12)


def test_one_run_may_be_a_plain_row() -> None:
    assert welch([1.0, 2.0, 6.0], 1).tolist() == pytest.approx([1.0, 3.0])


@pytest.mark.parametrize(("runs", "window"), [([[1.0, 2.0]], 2), ([[1.0, 2.0]], -1), ([[]], 0), ([[[1.0]]], 0)])
def test_what_has_no_moving_average_is_refused(runs: object, window: int) -> None:
    with pytest.raises(ValueError, match=r"window|shape"):
        welch(runs, window)  # type: ignore[arg-type]
