"""Pictures of latency: its distribution and tail per agent, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .behaviour.latency_split import breakdown, critical_splits
from .figures_axes import reach, set_log, span
from .labels import short
from .numbers import percent, plain, rounded
from .palette import FAINT, PART_COLOURS, agent_style, new_figure, theme
from .runs import Floats, Run, read_columns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 160
_BETTER = 3.0
"""Agents whose 95th percentile is within this factor of the best one's are shown up to it."""
_STRONG = 3
"""As many agents, the best ones, are drawn in bold."""


@dataclass(frozen=True, slots=True)
class Ecdf:
    """Share of values <= value, at some of the values in rising order; `count` is the number of all values."""

    values: Floats
    shares: Floats
    count: int

    def quantile(self, share: float) -> float:
        """The least of the values kept with at least this share of all values up to it."""
        return float(self.values[np.searchsorted(self.shares, share)])


@dataclass(frozen=True, slots=True)
class Split:
    """Mean latency of tasks along their critical paths, s; the three parts add up to it."""

    transfer_s: float
    waiting_s: float
    service_s: float
    tasks: int

    @property
    def latency_s(self) -> float:
        """The whole."""
        return self.transfer_s + self.waiting_s + self.service_s


def measured_latencies(run: Run) -> Floats:
    """Latencies (s) of the tasks that arrived at or after the end of warm-up and completed."""
    rows = read_columns(run, "tasks", ["arrival_s", "status", "latency_s"])
    latencies: Floats = rows["latency_s"][(rows["arrival_s"] >= run.warm_up_s) & (rows["status"] == 0)]
    return latencies


def ecdf(values: Floats) -> Ecdf:
    """The empirical distribution, thinned to some hundred points that are dense in the upper tail."""
    ordered = np.sort(values)
    n = len(ordered)
    if n <= 2 * _POINTS:
        kept = np.arange(n)
    else:
        body = np.linspace(0, n - 1, _POINTS)
        tail = n - np.geomspace(1, n, _POINTS)
        kept = np.unique(np.concatenate([body, tail]).astype(np.intp))
    return Ecdf(ordered[kept], (kept + 1) / n, n)


def latency_figure(ecdfs: Mapping[str, Ecdf]) -> Figure:
    """Above the share of tasks done within a time, as far as the better agents need; below the tail of all agents.

    Agents are listed in the order given, which is from best to worst.
    """
    with theme():
        figure = new_figure(6.2)
        body, tail = figure.subplots(2, 1)
        shown = {name: each for name, each in ecdfs.items() if each.count}
        handles = []
        for place, (name, each) in enumerate(shown.items()):
            style = agent_style(name)
            values = np.concatenate([each.values[:1], each.values])
            shares = np.concatenate([[0.0], each.shares])
            for axes, heights in ((body, shares), (tail, 1 - shares)):
                (line,) = axes.plot(
                    values, heights, drawstyle="steps-post", color=style.colour, linestyle=style.dash,
                    linewidth=1.9 if place < _STRONG else 1.1, zorder=3 - place / 100,
                )  # fmt: skip
            handles.append(line)
        _body_axes(body, list(shown.values()))
        _tail_axes(tail, list(shown.values()))
        names = [short(name) for name in shown]
        figure.legend(handles, names, loc="outside right upper", handlelength=2.8, labelspacing=0.55)
    return figure


def _body_axes(axes: Axes, shown: Sequence[Ecdf]) -> None:
    from matplotlib.ticker import PercentFormatter

    needed = [each.quantile(0.95) for each in shown]
    axes.set_xlim(0, 1.15 * max(time for time in needed if time <= _BETTER * min(needed)))
    axes.set_ylim(0, 1.01)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title("Done within")
    axes.set_ylabel("share of tasks")
    axes.set_xlabel("latency (s)")
    axes.spines[["top", "right"]].set_visible(False)


def _tail_axes(axes: Axes, shown: Sequence[Ecdf]) -> None:
    high = max(float(each.values[-1]) for each in shown)
    low = min(each.quantile(0.05) for each in shown)
    set_log(axes, "x", max(low, high / 1e5), 1.05 * high)
    least = 0.8 / max(each.count for each in shown)
    set_log(axes, "y", min(max(least, 1e-5), 0.008), 1.1)
    axes.yaxis.set_major_formatter(lambda share, _: f"{plain(100 * share)}%")
    axes.set_title("Takes longer than: the tail")
    axes.set_ylabel("share of tasks, log scale")
    axes.set_xlabel("latency (s), log scale")
    for share, name in ((0.05, "p95"), (0.01, "p99")):
        axes.axhline(share, color=FAINT, linewidth=0.8, linestyle=(0, (4, 2)), zorder=1)
        axes.text(0.005, share, name, transform=axes.get_yaxis_transform(), va="bottom", fontsize=8, color=FAINT)
    axes.spines[["top", "right"]].set_visible(False)


def latency_split(run: Run) -> Split:
    """Mean transfer, waiting and service times along the critical paths of the measured tasks.

    A critical path runs back from the end of a task, each time to the subtask whose answer was the last to come; the
    times along it add up to the task's latency. The answer's way home counts as transfer, loading a model as service.
    """
    found = breakdown(critical_splits(run))
    return Split(
        transfer_s=found.part("transfer", "home"),
        waiting_s=found.part("queueing", "siblings"),
        service_s=found.part("swap", "prefill", "decode"),
        tasks=found.tasks,
    )


def split_figure(splits: Mapping[str, Split], quantity: str = "mean time along the critical path (s)") -> Figure:
    """Stacked bars in the order given; bars far longer than the others are cut, with their length beside."""
    with theme():
        figure = new_figure(1.25 + 0.27 * len(splits))
        axes = figure.subplots()
        limit = 1.04 * reach(split.latency_s for split in splits.values())
        axes.set_xlim(0, limit)
        for place, split in enumerate(splits.values()):
            _split_bar(axes, place, split, limit)
        axes.set_yticks(range(len(splits)), [short(name) for name in splits])
        axes.set_ylim(len(splits) - 0.4, -0.6)
        axes.set_xlabel(quantity)
        axes.grid(axis="y", visible=False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        handles, names = axes.get_legend_handles_labels()
        figure.legend(handles[:3], names[:3], loc="outside upper center", ncols=3)
    return figure


def _split_bar(axes: Axes, place: int, split: Split, limit: float) -> None:
    left = 0.0
    scale = min(1.0, limit / split.latency_s)
    for part, seconds in (("transfer", split.transfer_s), ("waiting", split.waiting_s), ("service", split.service_s)):
        width = seconds * scale
        axes.barh(
            place, width, left=left, height=0.68, color=PART_COLOURS[part], edgecolor="white", linewidth=0.5, label=part
        )
        if scale < 1 and width > 0.12 * limit:
            share = percent(seconds / split.latency_s)
            ink = "white" if part == "service" else "#22262e"
            axes.text(left + width / 2, place, share, ha="center", va="center", fontsize=8, color=ink)
        left += width
    if scale < 1:
        axes.plot(1.012, place, ">", transform=axes.get_yaxis_transform(), color=FAINT, markersize=6, clip_on=False)
    side = axes.get_yaxis_transform()
    axes.text(1.03, place, f"{rounded(split.latency_s)} s", transform=side, va="center", fontsize=8.5)


def spread_figure(latencies: Mapping[str, Floats]) -> Figure:
    """Letter-value plots (Hofmann, Wickham, Kafadar 2017) on a log axis, agents from top to bottom in the order given.

    The widest box holds the middle half of all tasks, the next ones each half of what is left on either side.
    """
    import seaborn  # type: ignore[import-untyped]

    names = list(latencies)
    table = {
        "agent": np.repeat([short(name) for name in names], [len(latencies[name]) for name in names]),
        "latency": np.concatenate([latencies[name] for name in names]),
    }
    with theme():
        figure = new_figure(1.1 + 0.32 * len(names))
        axes = figure.subplots()
        seaborn.boxenplot(
            table, x="latency", y="agent", hue="agent", order=[short(name) for name in names],
            palette={short(name): agent_style(name).colour for name in names}, saturation=1, legend=False,
            log_scale=True,
            width_method="exponential", linewidth=0.4, line_kws={"linewidth": 1.4, "color": "white"},
            flier_kws={"s": 6, "alpha": 0.6}, ax=axes,
        )  # fmt: skip
        set_log(axes, "x", *span(np.concatenate([values[values > 0] for values in latencies.values()])))
        axes.set_xlabel("latency (s), log scale")
        axes.set_ylabel("")
        axes.tick_params(axis="y", length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
    return figure
