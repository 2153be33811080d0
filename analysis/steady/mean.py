"""The steady-state mean of a run, by the recommended procedure, or the answer that the run does not allow one.

The warm-up is cut by MSER-5, the rest is tested for a trend, and its mean gets an interval from few long batches. Below
1000 effective observations all known intervals cover less than they say: so short a run gets a flag and a forecast of
the length needed, and no interval.
"""

from __future__ import annotations

import numpy.typing as npt

from .autocorrelation import autocorrelation_time, von_neumann
from .batch_means import batches_of, few_batches
from .result import SteadyState
from .series import FloatArray, as_series
from .soundness import SOUND, Evidence, check_wanted, concluded, rare_events
from .stationarity import Settling, settling

BATCHES = 32
METHOD = "few batches, AR(1) and skewness"


def steady_mean(
    values: npt.ArrayLike, level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """The mean in the long run of observations in the order of time, with its interval or what speaks against one.

    The interval is that of `few_batches` over 32 batches; `wanted` is the relative half-width that `needed_n` is for.
    A remainder after the cut belongs to no batch. A `cut`, where the end of the warm-up is known, replaces MSER-5.
    ValueError when a value is not finite, the level not within (0, 1), `wanted` not positive or the cut not within the
    run.
    """
    series = as_series(values)
    return mean_after(settling(series, cut), series, level, wanted)


def mean_after(settled: Settling, series: FloatArray, level: float, wanted: float) -> SteadyState:
    """As `steady_mean`, of a series whose cut is known already, with the verdict on what follows it."""
    check_wanted(level, wanted)
    rest = series[settled.cut.n :]
    tau = autocorrelation_time(rest)
    rare, least = rare_events(rest, tau)
    means = batches_of(rest, min(BATCHES, len(rest))) if len(rest) else rest
    used = len(rest) - len(rest) % max(len(means), 1)
    evidence = Evidence(
        METHOD, used, tau, max(SOUND * tau, least), len(means), von_neumann(means), settled.cut.n, settled.flags | rare
    )
    return concluded(few_batches(means, level), evidence, level, wanted)
