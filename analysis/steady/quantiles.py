"""Steady-state quantiles, whose intervals come from sections of the run: successive batches, each with its quantile.

The estimate is the quantile of the whole run; the scatter of the sections' quantiles around it says how sure it is.
Tails need longer runs than means: a section must hold enough independent observations beyond the quantile.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .autocorrelation import autocorrelation_time, lag1, von_neumann
from .batch_means import MeanInterval, bent, symmetric
from .result import Flag, SteadyState
from .series import FloatArray, as_series, is_constant
from .soundness import Evidence, check_wanted, concluded
from .stationarity import Settling, settling

SECTIONS = 20
METHOD = "sectioning, AR(1) and skewness"
BEYOND = 5.0
"""Effective observations in a section on the rarer side of the quantile."""
PER_SECTION = 50.0
"""Effective observations in a section, whatever the quantile."""


def steady_quantile(
    values: npt.ArrayLike, p: float, level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """The p-quantile in the long run of observations in the order of time, as `steady_mean` gives the mean.

    The autocorrelation time is that of lying above or below the quantile. ValueError as for `steady_mean`, and when p
    is not within (0, 1).
    """
    series = as_series(values)
    return quantile_after(settling(series, cut), series, p, level, wanted)


def quantile_after(settled: Settling, series: FloatArray, p: float, level: float, wanted: float) -> SteadyState:
    """As `steady_quantile`, of a series whose cut is known already, with the verdict on what follows it."""
    check_share(p)
    check_wanted(level, wanted)
    rest = series[settled.cut.n :]
    sections = min(SECTIONS, len(rest))
    size = len(rest) // sections if sections else 0
    rest = rest[len(rest) - size * sections :]
    whole = sample_quantile(rest, p)
    by_section = np.array([sample_quantile(part, p) for part in rest.reshape(sections, size)]) if sections else rest
    tau = crossing_time(rest, whole)
    flags = settled.flags | ({Flag.RARE_EVENT} if len(rest) > 1 and is_constant(rest) else frozenset())
    evidence = Evidence(
        METHOD, len(rest), tau, sound_length(p, tau, SECTIONS), sections, von_neumann(by_section), settled.cut.n, flags
    )
    return concluded(sectioning(whole, by_section, lag1(by_section), level), evidence, level, wanted)


def sample_quantile(values: FloatArray, p: float) -> float:
    """The smallest value v with a share of at least p of all values <= v; nan of no values."""
    n = len(values)
    if not n:
        return math.nan
    rank = max(math.ceil(p * n * (1 - 1e-14)), 1)
    return float(np.partition(values, rank - 1)[rank - 1])


def sectioning(whole: float, by_section: FloatArray, r: float, level: float) -> MeanInterval:
    """q +- t_{b-1} se, se^2 = sum (q_j - q)^2 / (b (b - 1)), q of the whole sample, q_j of its b sections, adjusted.

    Asmussen and Glynn, Stochastic Simulation (2007), section III.5; Nakayama, TOMACS 24 (2014). Centred at the whole
    sample's quantile, which is less biased than the sections', it is the better one where sections are short. As in
    Sequest (Alexopoulos, Goldsman, Mokashi, Tien, Wilson, Operations Research 67, 2019) the sections' autocorrelation
    r widens it and their skewness bends it, by the formulas of `batch_means.adjusted`.
    """
    b = len(by_section)
    if b < 2:
        return symmetric(whole, math.inf, 0, level)
    offsets = by_section - whole
    se = math.sqrt(float(offsets @ offsets) / (b * (b - 1)))
    return bent(whole, se, by_section, r, level)


def crossing_time(values: FloatArray, quantile: float) -> float:
    """Autocorrelation time of lying above the quantile; nan where all values are equal."""
    above = values > quantile
    return autocorrelation_time(above if above.any() else values >= quantile)


def sound_length(p: float, tau: float, sections: int) -> float:
    """Observations from which `sectioning` covers: in each section 50 effective ones and 5 beyond the quantile."""
    return math.inf if math.isnan(tau) else sections * tau * max(PER_SECTION, BEYOND / min(p, 1 - p))


def check_share(p: float) -> None:
    """ValueError when a quantile's share is not within (0, 1)."""
    if not 0 < p < 1:
        raise ValueError(f"a quantile is of a share within (0, 1), not {p}")
