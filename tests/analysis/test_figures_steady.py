"""The picture of a series shows its level, its cut, its memory and its batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.figures_steady import series_view, steady_figure
from simoffload.analysis.steady.mean import steady_mean

from .pictures import assert_readable
from .queues import waits


@given(st.integers(1, 3000), st.integers(0, 50))
def test_a_constant_series_looks_constant(n: int, cut: int) -> None:
    view = series_view(np.full(n, 2.5), min(cut, n), 1.0)
    assert view.means == pytest.approx(2.5)
    assert view.moving == pytest.approx(2.5)
    assert view.batch_means == pytest.approx(2.5)


def test_stretches_hold_the_values_in_order() -> None:
    view = series_view(np.arange(1200.0), 0, 1.0)
    assert view.means[:3] == pytest.approx([0.5, 2.5, 4.5])
    assert view.middles[:3] == pytest.approx([1.0, 3.0, 5.0])
    line = view.means[: len(view.moving)]  # of a straight line, centred averages are its values
    assert view.moving == pytest.approx(line)
    assert view.batch_means[0] == pytest.approx(np.arange(37).mean())


def test_batches_and_memory_are_of_what_follows_the_cut() -> None:
    values = np.concatenate([np.full(100, 1000.0), np.tile([1.0, 3.0], 500)])
    view = series_view(values, 100, 1.0)
    assert view.batch_means.max() < 3
    assert view.correlations[:3] == pytest.approx([1.0, -1.0, 1.0], abs=0.01)


def test_the_picture_can_be_read_with_and_without_an_interval() -> None:
    for customers in (200, 60_000):
        values = waits(0.6, customers, 2, first_wait_s=80.0)
        state = steady_mean(values)
        figure = steady_figure(series_view(values, state.cut, state.tau), state, "wait (s)")
        assert_readable(figure)
        assert len(figure.axes) == 3
        assert ("shaded" in figure.axes[0].get_title(loc="left")) == (state.cut > 0)
