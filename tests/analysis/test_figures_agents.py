"""Pictures of agents show every agent, where its numbers say, and stay readable whatever the numbers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes

from simoffload.analysis.figures_agents import (
    non_dominated,
    objective_figure,
    objective_rows,
    pareto_figure,
    pareto_points,
)
from simoffload.analysis.ranking import standings
from simoffload.analysis.runs import Results

from .pictures import assert_readable, texts, tick_names
from .results import results_of

SPREAD = [0.0, 0.02, -0.02, 0.01, -0.01]
FOURTEEN = {f"weighted-greedy-{k}": [1 + 0.1 * k + spread * (1 + k % 3) for spread in SPREAD] for k in range(12)}
UNSTABLE = {"all-edge": [130.0, 90.0, 150.0, 99.0, 120.0], "all-cloud": [33.0, 35.0, 31.0, 30.0, 36.0]}
ODD = {"_under $x$ $y$": [1.0, 1.1], "x" * 80: [1.2, 1.3], "<b>&": [2.0, 2.1], "強化": [1.5, 1.6]}


def objective_axes(results: Results) -> Axes:
    figure = objective_figure(objective_rows(results, standings(results)))
    assert_readable(figure)
    return figure.axes[0]


def pareto_axes(results: Results) -> Axes:
    figure = pareto_figure(pareto_points(results))
    assert_readable(figure)
    return figure.axes[0]


def test_agents_stand_from_best_to_worst_with_their_numbers() -> None:
    axes = objective_axes(results_of({"b": [2.0, 2.2, 2.1], "a": [1.0, 1.1, 1.2]}))
    assert tick_names(axes) == ["a", "b"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]
    assert texts(axes) == ["1.10 ± 0.25", "2.10 ± 0.25"]


def test_means_intervals_and_replications_are_drawn_where_they_are() -> None:
    axes = objective_axes(results_of({"a": [1.0, 1.1, 1.2]}))
    drawn = [sorted(map(float, line.get_xdata())) for line in axes.get_lines()]
    half_width = 4.302652729911275 * 0.1 / math.sqrt(3)
    assert drawn == [pytest.approx(each) for each in ([1.0, 1.1, 1.2], [1.1 - half_width, 1.1 + half_width], [1.1])]
    low, high = axes.get_xlim()
    assert low < 1.1 - half_width < 1.1 + half_width < high


def test_agents_far_beyond_the_rest_have_an_arrow_and_their_number() -> None:
    results = results_of({**FOURTEEN, **UNSTABLE})
    axes = objective_axes(results)
    assert axes.get_xlim()[1] < 3
    assert [line.get_marker() for line in axes.get_lines()].count(">") == 2
    assert any(text.startswith("118 ± ") for text in texts(axes))
    assert len(tick_names(axes)) == 14


def test_the_first_and_those_that_tie_with_it_are_bold() -> None:
    results = results_of({"a": [1.0, 1.2, 0.9, 1.1], "b": [1.1, 1.2, 1.05, 1.0], "far": [9.0, 9.1, 9.3, 9.2]})
    axes = objective_axes(results)
    assert [label.get_fontweight() for label in axes.get_yticklabels()] == ["bold", "bold", "normal"]


def test_agents_without_an_objective_are_not_drawn() -> None:
    results = results_of({"a": [1.0, 2.0], "gap": [math.nan, math.nan]})
    assert [row.agent for row in objective_rows(results, standings(results))] == ["a"]


@pytest.mark.parametrize(
    "objectives",
    [{"a": [1.0]}, {"a": [1.0], "b": [1.0]}, {"a": [0.0, 0.0]}, {"a": [1.0, 900.0], "b": [500.0, 2.0]}, ODD],
)
def test_the_objective_is_readable_whatever_the_numbers_and_names(objectives: dict[str, list[float]]) -> None:
    assert len(tick_names(objective_axes(results_of(objectives)))) == len(objectives)


POINTS = st.lists(st.tuples(st.integers(0, 5).map(float), st.integers(0, 5).map(float)), min_size=1, max_size=12)


@given(POINTS)
def test_points_that_nothing_dominates_are_the_edge_of_all(points: list[tuple[float, float]]) -> None:
    marks = non_dominated(points)
    assert any(marks)
    for (a, b), mark in zip(points, marks, strict=True):
        better = [(x, y) for x, y in points if x <= a and y <= b and (x < a or y < b)]
        assert mark == (not better)


def test_equal_points_do_not_exclude_each_other() -> None:
    assert non_dominated([(1.0, 1.0), (1.0, 1.0), (2.0, 1.0)]) == [True, True, False]


def test_costs_are_per_thousand_tasks() -> None:
    (point,) = pareto_points(results_of({"a": [1.0, 2.0]}, {"a": [5.0, 7.0]}, {"a": [0.004, 0.006]}))
    assert (point.latency_s.mean, point.cost.mean) == (6.0, pytest.approx(5.0))
    assert point.cost.half_width == pytest.approx(1000 * 12.706204736 * 0.001)
    assert point.efficient


def test_agents_without_latency_or_cost_have_no_point() -> None:
    results = results_of({"a": [1.0], "b": [1.0]}, {"a": [5.0], "b": [math.nan]})
    assert [point.agent for point in pareto_points(results)] == ["a"]


def test_every_agent_is_named_and_the_efficient_ones_are_bold() -> None:
    latencies = {"fast": [1.0, 1.1], "cheap": [2.0, 2.1], "neither": [2.5, 2.6]}
    costs = {"fast": [3.0, 3.1], "cheap": [1.0, 1.1], "neither": [3.5, 3.6]}
    axes = pareto_axes(results_of(latencies, latencies, costs))
    assert {text.get_text(): text.get_fontweight() for text in axes.texts} == {
        "fast": "bold", "cheap": "bold", "neither": "normal",
    }  # fmt: skip


def test_unstable_agents_stand_at_the_upper_edge_with_their_latency() -> None:
    results = results_of({**FOURTEEN, **UNSTABLE})
    axes = pareto_axes(results)
    assert axes.get_ylim()[1] < 4
    assert "all-edge, 118 s" in texts(axes)
    assert axes.get_xscale() == "log"


def test_intervals_near_the_others_are_in_the_picture() -> None:
    latencies = {"a": [10.0, 11.0, 12.0], "b": [10.5, 11.5, 12.5]}
    axes = pareto_axes(results_of(latencies))
    assert axes.get_ylim()[0] < 11 - 4.3 / math.sqrt(3)
    assert axes.get_ylim()[1] > 11.5 + 4.3 / math.sqrt(3)


@pytest.mark.parametrize("values", [{"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [0.0]}, {"a": [0.0], "b": [7.0]}, ODD])
def test_latency_and_cost_are_readable_whatever_the_numbers_and_names(values: dict[str, list[float]]) -> None:
    assert len(texts(pareto_axes(results_of(values)))) == len(values)
