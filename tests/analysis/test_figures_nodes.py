"""Pictures of nodes: who is busy, and how long the lines were at any time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simoffload.analysis.figures_nodes import (
    Business,
    Queues,
    Utilisation,
    business,
    business_figure,
    keeps_growing,
    longest_queues,
    queue_figure,
    queues,
    utilisation,
    utilisation_figure,
)
from simoffload.analysis.ranking import ranked
from simoffload.analysis.runs import Comparison, Run, open_run, read_columns

from .pictures import assert_readable, texts, tick_names
from .synthetic import Setup, write_run


def constant(level: float, nodes: int = 4, ticks: int = 40) -> Queues:
    return Queues(5.0 * np.arange(1, ticks + 1), np.full((nodes, ticks), level))


def shaped(level: Callable[[float], float], ticks: int = 80) -> Queues:
    """One node whose queue follows a function of the share of time passed."""
    shares = np.arange(1, ticks + 1) / ticks
    return Queues(5.0 * np.arange(1, ticks + 1), np.array([[level(share) for share in shares]]))


def test_utilisation_is_that_of_the_comparison(comparison: Comparison) -> None:
    table = utilisation(comparison.results)
    assert table.agents == tuple(ranked(comparison.results))
    assert table.nodes == ("text-1", "image-1", "audio-1", "cloud")
    for agent, row in zip(table.agents, table.shares, strict=True):
        assert row.tolist() == list(comparison.results.agents[agent].utilisation.values())


def test_every_share_is_written_where_it_can_be_read() -> None:
    table = Utilisation(("a", "b"), ("one", "two", "three"), np.array([[0.0, 0.5, 1.0], [0.61, 0.7, np.nan]]))
    figure = utilisation_figure(table)
    assert_readable(figure)
    axes = figure.axes[0]
    assert tick_names(axes) == ["a", "b"]
    assert {text.get_text(): text.get_color() for text in axes.texts} == {
        "0": "#22262e", "50": "#22262e", "61": "#22262e", "70": "white", "100": "white",
    }  # fmt: skip


@pytest.mark.parametrize(("agents", "nodes"), [(1, 1), (14, 9), (3, 24), (2, 300)])
def test_the_heat_map_is_readable_at_any_size(agents: int, nodes: int) -> None:
    shares = np.linspace(0, 1, agents * nodes).reshape(agents, nodes)
    names = tuple(f"a-node-with-a-long-name-{k}" for k in range(nodes))
    figure = utilisation_figure(Utilisation(tuple(f"agent-{k}" for k in range(agents)), names, shares))
    assert_readable(figure)
    assert len(texts(figure.axes[0])) == (agents * nodes if nodes <= 24 else 0)


def test_queues_are_means_of_the_ticks_up_to_the_last_arrival(run: Run) -> None:
    rows = read_columns(run, "nodes", ["time_s", "node", "in_queue"])
    last = read_columns(run, "tasks", ["arrival_s"])["arrival_s"].max()
    found = queues(run)
    assert len(found.time_s) <= 100
    assert found.time_s[-1] <= last < found.time_s[-1] + 2 * np.diff(found.time_s)[0]
    for node in range(4):
        kept = (rows["node"] == node) & (rows["time_s"] <= found.time_s[-1])
        assert found.waiting[node].mean() == pytest.approx(rows["in_queue"][kept].mean())


def test_long_runs_are_drawn_in_at_most_a_hundred_stretches(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=700))
    run = open_run(tmp_path / "run")
    found = queues(run)
    rows = read_columns(run, "nodes", ["time_s", "node", "in_queue"])
    width = np.diff(found.time_s)[0]
    assert width > 5
    assert 50 <= len(found.time_s) <= 100
    third = (rows["node"] == 1) & (rows["time_s"] > found.time_s[1]) & (rows["time_s"] <= found.time_s[2])
    assert found.waiting[1, 2] == pytest.approx(rows["in_queue"][third].mean())


def test_a_run_shorter_than_a_tick_has_no_series(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=1))
    run = open_run(tmp_path / "run")
    found = queues(run)
    assert len(found.time_s) <= 3
    assert found.waiting.shape == (4, len(found.time_s))
    assert not keeps_growing(found)


def test_a_backlog_that_keeps_rising_is_called_growing() -> None:
    assert keeps_growing(shaped(lambda share: 50 * share))
    assert keeps_growing(shaped(lambda share: 3 + 20 * share**2))


@pytest.mark.parametrize(
    "level", [lambda share: 5.0, lambda share: 50 * min(share, 0.2), lambda share: 9 * (1 - share), lambda share: share]
)
def test_a_backlog_that_settles_or_shrinks_or_is_small_is_not(level: Callable[[float], float]) -> None:
    assert not keeps_growing(shaped(level))


def test_a_few_ticks_show_no_growth() -> None:
    assert not keeps_growing(shaped(lambda share: 100 * share, ticks=7))


def test_an_overloaded_agent_is_found_out(comparison: Comparison) -> None:
    growing = [name for name, run in comparison.runs.items() if keeps_growing(queues(run))]
    assert growing == ["all-edge"]


def test_the_longest_queues_have_a_panel() -> None:
    waiting = np.ones((40, 10)) * (np.arange(40) % 20)[:, None]
    found = longest_queues({"a": Queues(np.arange(10.0), waiting)}, best=3)
    assert found == [*range(14, 20), *range(34, 40)]


def test_only_the_best_agents_decide_which_panels_there_are() -> None:
    short, long = constant(0.0, nodes=20), constant(0.0, nodes=20)
    short.waiting[:12] = 1
    long.waiting[12:] = 99
    assert longest_queues({"a": short, "b": long}, best=1) == list(range(12))


def test_all_agents_are_on_top_and_the_best_three_below() -> None:
    series = {f"agent-{k}": constant(1 + k) for k in range(14)}
    figure = queue_figure(series, ["n0", "n1", "n2", "n3"])
    assert_readable(figure)
    whole, *panels = (axes for axes in figure.axes if axes.get_visible())
    assert [float(line.get_ydata()[0]) for line in whole.get_lines()] == [4.0 * (1 + k) for k in range(14)]  # type: ignore[index]
    assert [axes.get_title(loc="left") for axes in panels] == ["n0", "n1", "n2", "n3"]
    assert [len(axes.get_lines()) for axes in panels] == [3] * 4
    (legend,) = figure.subfigs[0].legends  # type: ignore[attr-defined]
    assert [text.get_text() for text in legend.get_texts()] == list(series)


@pytest.mark.parametrize(("level", "scale"), [(0.0, "linear"), (1.5, "linear"), (40.0, "symlog"), (1e6, "symlog")])
def test_the_scale_of_queues_is_the_one_its_label_names(level: float, scale: str) -> None:
    figure = queue_figure({"a": constant(level)}, ["n0", "n1", "n2", "n3"])
    assert_readable(figure)
    assert figure.axes[0].get_yscale() == scale
    assert ("log scale" in figure.axes[0].get_ylabel()) == (scale == "symlog")


@pytest.mark.parametrize(("tick_s", "unit"), [(5.0, "s"), (60.0, "min"), (1800.0, "h"), (90000.0, "d")])
def test_time_is_in_a_unit_that_suits_its_length(tick_s: float, unit: str) -> None:
    series = Queues(tick_s * np.arange(1.0, 101.0), np.ones((1, 100)))
    figure = queue_figure({"a": series}, ["n0"])
    assert_readable(figure)
    assert figure.subfigs[1].get_supxlabel() == f"simulated time ({unit})"  # type: ignore[attr-defined]


def test_nodes_with_long_names_are_told_apart() -> None:
    names = [f"a-node-with-quite-a-long-name-indeed-{k}" for k in range(4)]
    figure = queue_figure({"a": constant(1.0)}, names)
    assert_readable(figure)
    assert len({axes.get_title(loc="left") for axes in figure.axes[1:]}) >= 4


def test_business_over_time_is_the_time_average_of_each_node(run: Run) -> None:
    rows = read_columns(run, "nodes", ["time_s", "node", "busy"])
    found = business(run)
    assert found.time_s.tolist() == queues(run).time_s.tolist()
    for node in range(4):
        kept = (rows["node"] == node) & (rows["time_s"] <= found.time_s[-1])
        assert found.busy[node].mean() == pytest.approx(rows["busy"][kept].mean())


@pytest.mark.parametrize("nodes", [1, 24, 60])
def test_business_is_drawn_node_by_node_with_the_mean_beside_it(nodes: int) -> None:
    busy = np.linspace(0, 1, nodes * 50).reshape(nodes, 50)
    figure = business_figure(Business(5.0 * np.arange(1, 51), busy), [f"node-{k}" for k in range(nodes)])
    assert_readable(figure)
    if nodes <= 24:
        assert tick_names(figure.axes[0]) == [f"node-{k}" for k in range(nodes)]
        assert texts(figure.axes[0])[0] == f"{100 * busy[0].mean():.0f} %"
