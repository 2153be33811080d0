"""Pictures of what was measured beside what queueing theory says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .palette import BLUE, FAINT, ORANGE, new_figure, theme
from .runs import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKED = (0.5, 0.9, 0.99, 0.999)
FEWEST_BEYOND = 10
"""Quantiles are compared as far out as so many values lie beyond them."""


@dataclass(frozen=True, slots=True)
class QuantilePairs:
    """Quantiles of the same shares, measured and by a law, in the unit of the values."""

    shares: Floats
    measured: Floats
    theory: Floats


def quantile_pairs(values: Floats, quantile: Callable[[float], float], points: int = 60) -> QuantilePairs:
    """Quantiles of values beside those of a law, evenly over the body and towards the tail; ValueError of too few.

    A share up to which both have an atom at 0, such as of those who need not wait, is passed over.
    """
    n = len(values)
    if n <= 2 * FEWEST_BEYOND:
        raise ValueError(f"{n} values are too few to compare quantiles; it takes more than {2 * FEWEST_BEYOND}")
    body = np.linspace(0.02, 0.9, points // 2)
    tail = 1.0 - np.geomspace(0.1, FEWEST_BEYOND / n, points // 2)
    shares = np.unique(np.concatenate([body, tail[tail > 0.9]]))
    measured = np.quantile(values, shares, method="inverted_cdf")
    theory = np.array([quantile(float(share)) for share in shares])
    kept = (measured > 0) | (theory > 0)
    return QuantilePairs(shares[kept], measured[kept], theory[kept])


def qq_figure(pairs: QuantilePairs, quantity: str, law: str) -> Figure:
    """Measured quantiles against theory's; on the line they agree."""
    with theme():
        figure = new_figure(4.6)
        axes = figure.subplots()
        top = 1.05 * float(max(pairs.measured.max(), pairs.theory.max()))
        axes.plot([0, top], [0, top], color=FAINT, linewidth=1.0, linestyle=(0, (4, 2)), label="equal")
        axes.plot(pairs.theory, pairs.measured, "o", color=BLUE, markersize=4, label="quantiles")
        for share in _MARKED:
            if pairs.shares[0] <= share <= pairs.shares[-1]:
                place = int(np.argmin(np.abs(pairs.shares - share)))
                x, y = pairs.theory[place], pairs.measured[place]
                axes.plot(x, y, "o", color=ORANGE, markersize=6)
                axes.annotate(f"p{100 * share:g}", (x, y), xytext=(7, -10), textcoords="offset points", fontsize=8.5)
        axes.set_xlim(0, top)
        axes.set_ylim(0, top)
        axes.set_xlabel(f"{quantity} by {law}")
        axes.set_ylabel(f"{quantity}, measured")
        axes.legend(loc="upper left")
        axes.spines[["top", "right"]].set_visible(False)
    return figure
