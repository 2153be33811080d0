"""Pictures of a series of observations on its way to a steady state: what was cut, how it remembers, its batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .numbers import counted, rounded, with_ends
from .palette import BLUE, FAINT, INK, ORANGE, PALE, new_figure, theme
from .runs import Floats
from .steady.autocorrelation import acf
from .steady.result import SteadyState
from .steady.warm_up import welch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POINTS = 600
_BATCHES = 32
_MOST_LAGS = 400
_MOST_STEMS = 60
_CUT = ORANGE


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series as it is drawn: stretches of equal numbers of observations, its memory, and its batches."""

    middles: Floats
    """[k] number of the observation in the middle of each stretch."""
    means: Floats
    """[k] mean of each stretch."""
    moving: Floats
    """[k - w] moving average of the means (Welch 1983) over a twentieth of the series; the last w have none."""
    correlations: Floats
    """[lags + 1] autocorrelation after the cut."""
    batch_means: Floats
    """[batches] of equal numbers of observations after the cut."""
    n: int


def series_view(values: Sequence[float] | Floats, cut: int, tau: float) -> SeriesView:
    """What there is to see of a series whose first `cut` observations are its warm-up, with an autocorrelation time."""
    series = np.asarray(values, dtype=np.float64)
    n = len(series)
    width = max(1, n // _POINTS)
    count = n // width
    means = series[: count * width].reshape(count, width).mean(axis=1)
    kept = series[cut:]
    batches = min(_BATCHES, len(kept))
    size = len(kept) // batches if batches else 0
    lags = min(_MOST_LAGS, len(kept) - 1, max(_MOST_STEMS, math.ceil(8 * tau)) if math.isfinite(tau) else _MOST_STEMS)
    return SeriesView(
        middles=np.arange(0.5, count) * float(width),
        means=means,
        moving=welch(means, count // 40),
        correlations=acf(kept, lags) if lags > 0 else np.ones(1),
        batch_means=kept[: batches * size].reshape(batches, size).mean(axis=1) if size else np.empty(0),
        n=n,
    )


def steady_figure(view: SeriesView, state: SteadyState, quantity: str) -> Figure:
    """The series with its cut above; below its autocorrelation, and its batches with the estimate's interval."""
    with theme():
        figure = new_figure(5.6)
        grid = figure.add_gridspec(2, 2, height_ratios=[1.25, 1.0])
        _series_panel(figure.add_subplot(grid[0, :]), view, state, quantity)
        _memory_panel(figure.add_subplot(grid[1, 0]), view, state)
        _batches_panel(figure.add_subplot(grid[1, 1]), view, state, quantity)
    return figure


def _series_panel(axes: Axes, view: SeriesView, state: SteadyState, quantity: str) -> None:
    axes.plot(view.middles, view.means, color=BLUE, alpha=0.28, linewidth=0.8, label="mean of stretches")
    axes.plot(view.middles[: len(view.moving)], view.moving, color=BLUE, linewidth=1.8, label="moving average")
    if state.cut:
        axes.axvspan(0, state.cut, color=PALE, alpha=0.7, linewidth=0)
        axes.axvline(state.cut, color=_CUT, linewidth=1.2)
    if math.isfinite(state.value):
        axes.axhline(state.value, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), label="estimate")
    axes.set_xlim(0, view.n)
    low, high = np.quantile(view.means, [0.005, 0.995])
    room = 0.15 * (high - low) or 0.5
    axes.set_ylim(low - room, high + room)
    axes.xaxis.set_major_formatter(lambda number, _: f"{number:,.0f}".replace(",", "\N{THIN SPACE}"))
    cut = f"warm-up: the first {counted(state.cut, 'observation')}, shaded" if state.cut else "no warm-up was cut"
    axes.set_title(f"Over the run; {cut}")
    axes.set_xlabel("observation")
    axes.set_ylabel(quantity)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, ncols=3)
    axes.spines[["top", "right"]].set_visible(False)


def _memory_panel(axes: Axes, view: SeriesView, state: SteadyState) -> None:
    lags = np.arange(len(view.correlations))
    bound = 1.96 / math.sqrt(max(view.n - state.cut, 1))
    axes.axhspan(-bound, bound, color=PALE, linewidth=0)
    axes.axhline(0, color=FAINT, linewidth=0.8)
    if len(lags) <= _MOST_STEMS:
        axes.vlines(lags, 0, view.correlations, color=BLUE, linewidth=1.2)
    else:
        axes.fill_between(lags, 0, view.correlations, color=BLUE, alpha=0.75, linewidth=0)
    axes.set_xlim(-0.01 * len(lags), len(lags))
    axes.set_ylim(min(-0.1, 1.1 * float(view.correlations.min())), 1.03)
    axes.set_title(f"Memory: {rounded(state.tau)} observations are worth one")
    axes.set_xlabel("lag (observations)")
    axes.set_ylabel("autocorrelation")
    axes.spines[["top", "right"]].set_visible(False)


def _batches_panel(axes: Axes, view: SeriesView, state: SteadyState, quantity: str) -> None:
    numbers = np.arange(1, len(view.batch_means) + 1)
    if math.isfinite(state.low) and math.isfinite(state.high):
        axes.axhspan(state.low, state.high, color=BLUE, alpha=0.18, linewidth=0)
    if math.isfinite(state.value):
        axes.axhline(state.value, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.plot(numbers, view.batch_means, "o", color=BLUE, markersize=3.5)
    axes.set_title(f"{len(numbers)} batches; {with_ends(state.value, state.low, state.high)}")
    axes.set_xlabel("batch")
    axes.set_ylabel(quantity)
    axes.spines[["top", "right"]].set_visible(False)
