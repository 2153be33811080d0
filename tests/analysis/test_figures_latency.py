"""Pictures of latency: distributions are those of the rows, and parts add up to the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.figures_latency import (
    Ecdf,
    Split,
    ecdf,
    latency_figure,
    latency_split,
    measured_latencies,
    split_figure,
    spread_figure,
)
from simoffload.analysis.runs import Comparison, Run, read_columns

from .pictures import assert_readable, texts, tick_names

VALUES = st.lists(st.floats(0, 1e6), min_size=1, max_size=60)


def exponential(scale: float, count: int = 2000) -> Ecdf:
    return ecdf(np.random.default_rng(3).exponential(scale, count))


def test_latencies_are_those_of_tasks_after_the_warm_up(run: Run) -> None:
    rows = read_columns(run, "tasks", ["arrival_s", "finish_s"])
    kept = rows["arrival_s"] >= 20
    found = measured_latencies(run)
    assert found == pytest.approx((rows["finish_s"] - rows["arrival_s"])[kept])
    assert len(found) == run.summary.tasks.measured
    assert found.mean() == pytest.approx(run.summary.latency_s.mean)


@given(VALUES)
def test_a_share_counts_the_values_up_to_each(values: list[float]) -> None:
    found = ecdf(np.array(values))
    for value, share in zip(found.values[:-1], found.shares[:-1], strict=True):
        assert share <= np.mean(np.array(values) <= value) + 1e-12
    assert found.shares[-1] == 1
    assert found.values[-1] == max(values)


@given(VALUES, st.floats(0, 1))
def test_a_quantile_is_that_of_the_inverted_distribution(values: list[float], share: float) -> None:
    assert ecdf(np.array(values)).quantile(share) == np.quantile(values, share, method="inverted_cdf")


def test_thinning_keeps_the_shape_and_the_end_of_the_tail() -> None:
    values = np.random.default_rng(4).exponential(1.0, 100_000)
    found = ecdf(values)
    assert len(found.values) < 400
    assert found.count == 100_000
    ordered = np.sort(values)
    assert found.values[-10:].tolist() == ordered[-10:].tolist()
    assert np.searchsorted(ordered, found.values, "right") / 100_000 == pytest.approx(found.shares)
    assert np.diff(found.shares).max() < 0.01


def test_lines_show_shares_done_and_shares_left() -> None:
    figure = latency_figure({"a": ecdf(np.array([1.0, 3.0, 2.0, 4.0]))})
    assert_readable(figure)
    body, tail = (axes.get_lines()[0] for axes in figure.axes)
    assert body.get_xdata().tolist() == [1, 1, 2, 3, 4]  # type: ignore[union-attr]
    assert body.get_ydata().tolist() == [0, 0.25, 0.5, 0.75, 1]  # type: ignore[union-attr]
    assert tail.get_ydata().tolist() == [1, 0.75, 0.5, 0.25, 0]  # type: ignore[union-attr]


def test_all_agents_are_in_the_legend_from_best_to_worst() -> None:
    names = [*(f"weighted-greedy-{k}" for k in range(12)), "_hidden $x$", "y" * 80]
    figure = latency_figure({name: exponential(1 + k) for k, name in enumerate(names)})
    assert_readable(figure)
    (legend,) = figure.legends
    found = [text.get_text() for text in legend.get_texts()]
    assert found[:13] == names[:13]
    assert found[13].startswith("yyyy")


def test_an_unstable_agent_squashes_neither_picture() -> None:
    figure = latency_figure({"good": exponential(1.0), "fair": exponential(2.0), "bad": exponential(300.0)})
    assert_readable(figure)
    body, tail = figure.axes
    assert 3 < body.get_xlim()[1] < 1000
    assert tail.get_xscale() == "log"
    assert tail.get_xlim()[1] > 1000


def test_the_tail_is_drawn_as_deep_as_the_data_go() -> None:
    few, many = (latency_figure({"a": exponential(1.0, count)}).axes[1].get_ylim()[0] for count in (80, 10_000))
    assert few == pytest.approx(0.008)
    assert many == pytest.approx(0.00008)


@pytest.mark.parametrize("values", [[5.0], [0.0, 3.0], [2.0] * 500])
def test_distributions_of_hardly_anything_are_drawn(values: list[float]) -> None:
    assert_readable(latency_figure({"a": ecdf(np.array(values)), "empty": ecdf(np.zeros(0))}))


def test_parts_of_latency_are_means_that_add_up(run: Run) -> None:
    split = latency_split(run)
    assert split.tasks == run.summary.tasks.measured
    assert split.latency_s == pytest.approx(run.summary.latency_s.mean)


def test_waiting_is_what_makes_an_overloaded_agent_slow(comparison: Comparison) -> None:
    good, bad = (latency_split(comparison.runs[name]) for name in ("ucb-coma", "all-edge"))
    assert bad.waiting_s > 10 * good.waiting_s
    assert bad.service_s < 2 * good.service_s


def test_bars_are_as_long_as_their_parts() -> None:
    figure = split_figure({"a": Split(1.0, 2.0, 3.0, 9), "b": Split(0.5, 0.0, 4.0, 9)})
    assert_readable(figure)
    axes = figure.axes[0]
    assert tick_names(axes) == ["a", "b"]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches[:3]] == [(0, 1), (1, 2), (3, 3)]  # type: ignore[attr-defined]
    assert texts(axes) == ["6.00 s", "4.50 s"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["transfer", "waiting", "service"]


def test_a_bar_far_too_long_is_cut_and_says_so() -> None:
    figure = split_figure(
        {"a": Split(1.0, 2.0, 3.0, 9), "b": Split(1.0, 0.0, 4.0, 9), "bad": Split(6.0, 588.0, 6.0, 9)}
    )
    assert_readable(figure)
    axes = figure.axes[0]
    assert axes.get_xlim()[1] < 10
    assert "600 s" in texts(axes)
    assert "98 %" in texts(axes)
    assert any(line.get_marker() == ">" for line in axes.get_lines())


def test_agents_are_spread_out_in_their_order_and_colours() -> None:
    generator = np.random.default_rng(5)
    latencies = {name: generator.exponential(scale, 500) for name, scale in (("eft", 3.0), ("all-edge", 90.0))}
    figure = spread_figure(latencies)
    assert_readable(figure)
    axes = figure.axes[0]
    assert tick_names(axes) == ["eft", "all-edge"]
    low, high = axes.get_xlim()
    assert low < min(map(np.min, latencies.values())) < max(map(np.max, latencies.values())) < high
