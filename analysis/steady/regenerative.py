"""Means over cycles that begin anew, as whenever a task finds the system empty.

At such instants the past is forgotten, so cycles are independent and identical, and neither a warm-up nor batches are
needed. The mean is a ratio, of what is earned in a cycle to its length. A busy system is seldom empty; then there are
too few cycles.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .autocorrelation import autocorrelation_time, von_neumann
from .batch_means import MeanInterval
from .result import SteadyState
from .series import as_series
from .soundness import CORRELATED, SOUND, Evidence, check_wanted, concluded, rare_events

FEWEST_CYCLES = 100


def regenerative_mean(
    values: npt.ArrayLike, begins: npt.ArrayLike, level: float = 0.95, wanted: float = 0.05
) -> SteadyState:
    """The mean in the long run of observations in the order of time; `begins[i]` says whether i begins a cycle.

    What comes before the first beginning and after the last one is left out. With sums Y and lengths L of n cycles,
    r = sum Y / sum L and s^2 = Var(Y) - 2 r Cov(Y, L) + r^2 Var(L), the interval is r +- z s / (mean L sqrt(n)), by
    the delta method (Crane and Iglehart 1975). It needs at least 100 cycles and 1000 effective observations, and
    cycles that do not resemble their neighbours by von Neumann's test: those that do have not begun anew. ValueError
    when a value is not finite, the lengths differ, the level is not within (0, 1) or `wanted` is not positive.
    """
    check_wanted(level, wanted)
    series, starts = as_series(values), np.flatnonzero(np.asarray(begins, dtype=bool))
    if np.shape(begins) != series.shape:
        raise ValueError(f"beginnings are said of each observation, not of {np.shape(begins)} for {series.shape}")
    first, last = (int(starts[0]), int(starts[-1])) if len(starts) else (0, 0)
    used, cycles = series[first:last], max(len(starts) - 1, 0)
    tau = autocorrelation_time(used)
    rare, least = rare_events(used, tau)
    sound_n = max(SOUND * tau, least, FEWEST_CYCLES * len(used) / cycles if cycles else math.inf)
    sums = np.add.reduceat(used, starts[:-1] - first) if cycles else used
    lengths = np.diff(starts).astype(float)
    found = ratio_interval(sums, lengths, level)
    neighbours = von_neumann(sums - found.mean * lengths)
    if neighbours.p_value < CORRELATED:
        found = MeanInterval(found.mean, math.inf, -math.inf, math.inf, 0.0)
    evidence = Evidence("regenerative", len(used), tau, sound_n, cycles, neighbours, first, rare)
    return concluded(found, evidence, level, wanted)


def ratio_interval(sums: npt.ArrayLike, lengths: npt.ArrayLike, level: float = 0.95) -> MeanInterval:
    """The interval of E[Y] / E[L] from independent pairs; infinite below 2 pairs. ValueError when a length is 0."""
    from scipy.special import ndtri  # type: ignore[import-untyped]

    y, length = as_series(sums), as_series(lengths)
    if len(y) != len(length) or (length <= 0).any():
        raise ValueError("each cycle has a sum and a positive length")
    n = len(y)
    if n < 2:
        return MeanInterval(float(y[0] / length[0]) if n else math.nan, math.inf, -math.inf, math.inf, 0.0)
    ratio = math.fsum(y) / math.fsum(length)
    offsets = y - ratio * length
    se = math.sqrt(float(offsets @ offsets) / (n - 1) / n) / float(length.mean())
    half = float(ndtri(0.5 + level / 2)) * se
    return MeanInterval(ratio, se, ratio - half, ratio + half, math.inf)
