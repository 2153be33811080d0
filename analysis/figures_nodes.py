"""Pictures of nodes: how busy each agent keeps them, and how their queues move over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from .figures_axes import time_unit
from .labels import short
from .numbers import plain
from .palette import FAINT, INK, agent_style, new_figure, theme
from .ranking import ranked
from .runs import Floats, Results, Run, read_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BINS = 100
_COLUMNS = 3
_DARK_BLUE = "#00476f"
_PALE_UP_TO = 62.0
"""Per cent of this blue on which dark figures are easier to read than white ones."""
_LINEAR_UP_TO = 8.0
_MOST_PANELS = 12
_MOST_NUMBERS = 24
"""Up to this many nodes, the numbers are written into the heat map."""


@dataclass(frozen=True, slots=True)
class Utilisation:
    """shares[a, n]: mean share of time that agent a keeps node n busy; nan where unknown."""

    agents: tuple[str, ...]
    nodes: tuple[str, ...]
    shares: Floats


@dataclass(frozen=True, slots=True)
class Queues:
    """waiting[n, t]: mean number of subtasks waiting at node n over the stretch that ends at time_s[t]."""

    time_s: Floats
    waiting: Floats

    @property
    def total(self) -> Floats:
        """Waiting at all nodes together, by time."""
        total: Floats = self.waiting.sum(axis=0)
        return total


@dataclass(frozen=True, slots=True)
class Business:
    """busy[n, t]: share of the time that node n had anything in service, over the stretch that ends at time_s[t]."""

    time_s: Floats
    busy: Floats


def utilisation(results: Results) -> Utilisation:
    """The table of the comparison, agents from best to worst, nodes in the order of the scenario."""
    agents = ranked(results)
    nodes = list(dict.fromkeys(node for name in agents for node in results.agents[name].utilisation))
    shares = [[results.agents[name].utilisation.get(node, np.nan) for node in nodes] for name in agents]
    return Utilisation(tuple(agents), tuple(nodes), np.array(shares, dtype=np.float64))


def utilisation_figure(table: Utilisation) -> Figure:
    """A heat map, agents by nodes, from 0 (pale) to 1 (dark)."""
    import seaborn  # type: ignore[import-untyped]

    with theme():
        figure = new_figure(1.5 + 0.27 * len(table.agents))
        axes = figure.subplots()
        written = len(table.nodes) <= _MOST_NUMBERS
        blues = seaborn.light_palette(_DARK_BLUE, as_cmap=True)
        seaborn.heatmap(
            100 * table.shares, vmin=0, vmax=100, cmap=blues, annot=written, fmt=".0f", annot_kws={"fontsize": 8},
            linewidths=1.0 * written, linecolor="white", ax=axes, rasterized=not written,
            xticklabels=[short(name) for name in table.nodes] if written else 10 * math.ceil(len(table.nodes) / 250),
            yticklabels=[short(name) for name in table.agents],
            cbar_kws={"label": "busy (%)", "pad": 0.015, "aspect": 30},
        )  # fmt: skip
        for number in axes.texts:
            number.set_color(INK if float(number.get_text()) <= _PALE_UP_TO else "white")
        if not written:
            axes.set_xlabel("number of the node, in the order of the scenario")
        axes.tick_params(length=0)
        slanted = sum(map(len, table.nodes)) > 70
        axes.tick_params(axis="x", rotation=40 if slanted and written else 0)
        axes.tick_params(axis="y", rotation=0)
        if slanted and written:
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")
                label.set_rotation_mode("anchor")
    return figure


def queues(run: Run) -> Queues:
    """Queue lengths from the first telemetry tick up to the last arrival, in at most a hundred equal stretches."""
    return Queues(*_stretches(run, "in_queue"))


def business(run: Run) -> Business:
    """How busy each node is over the same stretches."""
    return Business(*_stretches(run, "busy"))


def _stretches(run: Run, column: str) -> tuple[Floats, Floats]:
    """Ends of stretches, [t], and means of a column of the nodes' rows over them, [nodes, t].

    A stretch is the mean of equally many ticks; ticks that are left over at the end are not shown.
    """
    rows = read_columns(run, "nodes", ["time_s", "node", column])
    arrivals = read_columns(run, "tasks", ["arrival_s"])["arrival_s"]
    ticks = np.unique(rows["time_s"])
    early = ticks <= arrivals.max(initial=0.0)
    times = ticks[early] if early.any() else ticks
    width = max(1, -(-len(times) // _BINS))
    count, nodes = len(times) // width, len(run.summary.nodes)
    stretch = np.searchsorted(times, rows["time_s"]) // width
    kept = (rows["time_s"] <= times[-1]) & (stretch < count) if count else np.zeros(len(stretch), dtype=np.bool_)
    sums = np.bincount(rows["node"][kept] * count + stretch[kept], rows[column][kept], nodes * count)
    return times[width - 1 :: width][:count], sums.reshape(nodes, count) / width


def business_figure(series: Business, nodes: Sequence[str]) -> Figure:
    """A heat map, nodes by time, from idle (pale) to busy all the time (dark); the means over the run beside it."""
    import seaborn

    with theme():
        figure = new_figure(1.3 + 0.27 * min(len(nodes), _MOST_NUMBERS))
        axes = figure.subplots()
        unit_s, unit = time_unit(float(series.time_s[-1]))
        blues = seaborn.light_palette(_DARK_BLUE, as_cmap=True)
        begin = 2 * series.time_s[0] - series.time_s[1] if len(series.time_s) > 1 else 0.0
        image = axes.imshow(
            100 * series.busy, aspect="auto", vmin=0, vmax=100, cmap=blues, interpolation="nearest",
            extent=(max(begin, 0.0) / unit_s, series.time_s[-1] / unit_s, len(nodes) - 0.5, -0.5),
        )  # fmt: skip
        axes.grid(visible=False)
        if len(nodes) <= _MOST_NUMBERS:
            axes.set_yticks(range(len(nodes)), [short(name) for name in nodes])
            side = axes.get_yaxis_transform()
            for place, mean in enumerate(series.busy.mean(axis=1)):
                axes.text(1.01, place, f"{100 * mean:.0f} %", transform=side, va="center", fontsize=8, color=INK)
        else:
            axes.set_ylabel("number of the node, in the order of the scenario")
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"simulated time ({unit})")
        figure.colorbar(image, ax=axes, label="busy (%)", pad=0.075, aspect=30)
    return figure


def keeps_growing(series: Queues) -> bool:
    """Whether the backlog rose from each quarter of the run to the next, and by half or more from second to last.

    A description, not a test: a heavily loaded but stable system can do so by chance, rarely.
    """
    if len(series.time_s) < 8:
        return False
    quarters = [float(part.mean()) for part in np.array_split(series.total, 4)]
    rising = all(before < after for before, after in pairwise(quarters))
    return rising and quarters[3] > 1.5 * quarters[1] and quarters[3] > quarters[1] + 1


def queue_figure(series: Mapping[str, Queues], nodes: Sequence[str], best: int = 3) -> Figure:
    """On top the number waiting at all nodes for every agent; below node by node for the `best` first agents.

    Of many nodes, those with the longest queues under these agents have a panel.
    """
    with theme():
        shown = longest_queues(series, best)
        rows = -(-len(shown) // _COLUMNS)
        figure = new_figure(2.9 + 1.35 * rows)
        grid_of_two = figure.add_gridspec(2, 1, height_ratios=[2.7, 0.2 + 1.35 * rows])
        whole, parts = figure.add_subfigure(grid_of_two[0]), figure.add_subfigure(grid_of_two[1])
        unit_s, unit = time_unit(max(float(each.time_s[-1]) for each in series.values()))
        _total_panel(whole.subplots(), series, unit_s, best)
        names = [short(name) for name in series]
        whole.legend(
            whole.axes[0].get_lines(), names, loc="outside right upper", handlelength=2.8, labelspacing=0.35, fontsize=8
        )
        grid = parts.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
        top = max(float(each.waiting[shown].max()) for each in list(series.values())[:best])
        for axes, node in zip(grid, shown, strict=False):
            _node_panel(axes, nodes[node], {name: series[name] for name in list(series)[:best]}, node, unit_s)
            _count_axis(axes, top)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
        for axes in grid[max(0, len(shown) - _COLUMNS) : len(shown)]:
            axes.tick_params(axis="x", labelbottom=True)
        parts.supxlabel(f"simulated time ({unit})", fontsize=9)
        parts.supylabel(_count_label(top), fontsize=9)
    return figure


def longest_queues(series: Mapping[str, Queues], best: int) -> list[int]:
    """Up to a dozen nodes with the longest mean queues under the `best` first agents, in the order of the scenario."""
    means = sum(each.waiting.mean(axis=1) for each in list(series.values())[:best])
    order = np.argsort(-np.asarray(means), kind="stable")[:_MOST_PANELS]
    return sorted(int(node) for node in order)


def _total_panel(axes: Axes, series: Mapping[str, Queues], unit_s: float, best: int) -> None:
    for place, (name, each) in enumerate(series.items()):
        style = agent_style(name)
        axes.plot(
            each.time_s / unit_s, each.total, color=style.colour, linestyle=style.dash,
            linewidth=1.7 if place < best else 1.0, zorder=3 - place / 100,
        )  # fmt: skip
    axes.set_title("All nodes together")
    top = max(float(each.total.max()) for each in series.values())
    axes.set_ylabel(_count_label(top))
    _count_axis(axes, top)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def _node_panel(axes: Axes, name: str, series: Mapping[str, Queues], node: int, unit_s: float) -> None:
    for agent, each in series.items():
        style = agent_style(agent)
        axes.plot(each.time_s / unit_s, each.waiting[node], color=style.colour, linestyle=style.dash, linewidth=1.1)
    axes.set_title(short(name), fontsize=8.5, fontweight="normal", color=FAINT)
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def _count_label(top: float) -> str:
    return "subtasks waiting" if top <= _LINEAR_UP_TO else "subtasks waiting, log scale"


def _count_axis(axes: Any, top: float) -> None:
    """Linear from 0 to 1, logarithmic beyond, up to `top`; plainly linear where that is little."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    if top <= _LINEAR_UP_TO:
        axes.set_ylim(0, max(1.05 * top, 0.5))
        return
    decades = math.log10(1.2 * top)
    axes.set_yscale("symlog", linthresh=1.0, linscale=max(0.5, 0.2 * decades))
    axes.set_ylim(0, 1.2 * top)
    powers = [10.0**power for power in range(0, math.floor(decades) + 1, 1 + math.floor(decades / 4))]
    ticks = powers if len(powers) > 2 else [tick for tick in (1.0, 3.0, 10.0, 30.0) if tick <= 1.2 * top]
    axes.yaxis.set_major_locator(FixedLocator([0.0, *ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
