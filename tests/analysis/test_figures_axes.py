"""Axes reach as far as they help, and have round ticks whatever the numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from simoffload.analysis.figures_axes import is_wide, log_ticks, reach, set_log, span

POSITIVE = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("values", "wide"),
    [([1.0, 6.5], True), ([1.0, 5.5], False), ([0.0, 100.0], False), ([], False), ([1.0, math.nan, 2.0], False)],
)
def test_values_that_differ_by_factors_are_wide(values: list[float], wide: bool) -> None:
    assert is_wide(values) == wide


@given(POSITIVE, st.floats(1.3, 1e6))
def test_ticks_lie_within_and_suffice_to_read_the_axis(low: float, factor: float) -> None:
    ticks = log_ticks(low, low * factor)
    assert ticks == sorted(set(ticks))
    assert all(low <= tick <= low * factor for tick in ticks)
    assert len(ticks) >= (4 if factor > 6 else 1)


def test_ticks_are_few_over_many_decades() -> None:
    assert log_ticks(0.9, 1.1e6) == pytest.approx([1, 10, 100, 1e3, 1e4, 1e5, 1e6])


def test_a_span_has_room_on_either_side() -> None:
    assert span([2.0, math.nan, 0.0, 8.0], margin=2) == (1, 16)


def test_nothing_is_cut_off_where_no_gap_is_wide() -> None:
    assert reach([1.0, 2.0, 4.0, 8.0, 16.0]) == 16
    assert reach([1.0, 3.9]) == 3.9


@pytest.mark.parametrize("near", [[1.0], [1.0, 1.5], [1.0, 1.5, 2.0], [1.0, 9.0, 10.0, 12.0, 13.0]])
def test_values_far_beyond_the_rest_are_cut_off(near: list[float]) -> None:
    assert reach([800.0, *near]) == max(near)


def test_gaps_near_the_least_value_are_shown() -> None:
    assert reach([1.0, 5.0, 6.0, 7.0]) == 7
    assert reach([0.0, 0.0, 0.0, 5.0]) == 5


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_the_reach_is_one_of_the_values(values: list[float]) -> None:
    found = reach([*values, math.nan, math.inf])
    assert found in values
    assert sum(value <= found for value in values) >= min(3, len(values) - 1)


@pytest.mark.parametrize("which", ["x", "y"])
def test_a_logarithmic_axis_has_plain_ticks(which: str) -> None:
    axes = Figure().subplots()
    set_log(axes, which, 0.5, 2000.0)  # type: ignore[arg-type]
    axis = axes.xaxis if which == "x" else axes.yaxis
    assert axis.get_scale() == "log"
    assert tuple(axis.get_view_interval()) == (0.5, 2000)
    assert [label.get_text() for label in axis.get_ticklabels()] == ["1", "10", "100", "1000"]
