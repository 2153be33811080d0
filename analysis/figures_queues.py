"""Pictures of queues: the number waiting at each station over time, with its distribution over time beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .behaviour.queues import Distribution, Envelope, envelope, number_present, time_distribution
from .behaviour.visits import node_visits
from .figures_axes import time_unit
from .labels import short
from .numbers import rounded
from .palette import BLUE, FAINT, ORANGE, new_figure, theme
from .runs import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STRETCHES = 240
MOST_STATIONS = 4


@dataclass(frozen=True, slots=True)
class QueueView:
    """The number waiting at a station: over time, and the share of time that each number held."""

    station: str
    over_time: Envelope
    distribution: Distribution


def queue_view(run: Run, node: str) -> QueueView | None:
    """Of a node, from the end of the warm-up to the last entry; None where nobody came then."""
    visits = node_visits(run, node)
    begin, end = run.warm_up_s, float(visits.arrivals_s.max(initial=0.0))
    if end <= begin:
        return None
    waiting = number_present(visits.arrivals_s, visits.starts_s, begin, end)
    return QueueView(node, envelope(waiting, _STRETCHES), time_distribution(waiting))


def longest_lines(run: Run) -> list[str]:
    """The nodes with the longest lines on average, the longest first."""
    nodes = run.summary.nodes
    return sorted(nodes, key=lambda name: -nodes[name].queue_length.mean)[:MOST_STATIONS]


def queues_figure(views: Sequence[QueueView]) -> Figure:
    """A row per station: on the left the line over time, mean and extremes; on the right its distribution."""
    unit_s, unit = time_unit(max(float(view.over_time.times_s[-1]) for view in views))
    with theme():
        figure = new_figure(0.6 + 1.45 * len(views))
        grid = figure.subplots(
            len(views), 2, squeeze=False, sharex="col", gridspec_kw={"width_ratios": [3.2, 1.0]}, sharey="row"
        )
        for (left, right), view in zip(grid, views, strict=True):
            _over_time(left, view, unit_s)
            _shares(right, view.distribution)
        grid[-1][0].set_xlabel(f"simulated time ({unit})")
        grid[-1][1].set_xlabel("share of time")
        figure.supylabel("subtasks waiting", fontsize=9)
    return figure


def _over_time(axes: Axes, view: QueueView, unit_s: float) -> None:
    from matplotlib.ticker import MaxNLocator

    seen = view.over_time
    times = seen.times_s / unit_s
    axes.fill_between(times, seen.low, seen.high, step="post", color=BLUE, alpha=0.2, linewidth=0)
    axes.step(times, seen.mean, where="post", color=BLUE, linewidth=1.2)
    axes.axhline(view.distribution.mean, color=ORANGE, linewidth=1.0)
    axes.set_title(f"{short(view.station)}: {rounded(view.distribution.mean)} on average")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.margins(x=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def _shares(axes: Axes, distribution: Distribution) -> None:
    axes.barh(distribution.values, distribution.shares, height=0.85, color=BLUE, linewidth=0)
    axes.axhline(distribution.mean, color=ORANGE, linewidth=1.0)
    axes.set_xscale("log")
    axes.set_xlim(1e-4, 1.3)
    axes.set_xticks([1e-4, 1e-2, 1.0], ["0.01 %", "1 %", "100 %"])
    axes.minorticks_off()
    axes.tick_params(axis="y", labelleft=False, color=FAINT)
    axes.spines[["top", "right"]].set_visible(False)
