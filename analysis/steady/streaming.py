"""Steady-state estimates from the batches of a run whose rows were not kept, with the same flags as from rows.

The batches of `simoffload.record.batches` take the place of observations for the cut and the tests of a trend.
"""

from __future__ import annotations

import math

import numpy as np

from simoffload.record.batches import Batches, merged
from simoffload.record.sketch import QuantileSketch

from .autocorrelation import lag1, von_neumann
from .batch_means import MeanInterval, few_batches, t_quantile
from .quantiles import SECTIONS, check_share, sectioning, sound_length
from .result import Flag, SteadyState
from .soundness import EVENTS, SOUND, Evidence, check_wanted, concluded, rare
from .stationarity import Settling, judge
from .warm_up import cut_at_limit, mser


def steady_mean_of(batches: Batches, level: float = 0.95, wanted: float = 0.05) -> SteadyState:
    """As `steady_mean`, from batches: the cut is a number of whole ones, found by MSER over their means.

    The autocorrelation time is n Var(mean) / Var(x), as the batches tell it, and at least 1. ValueError as for
    `steady_mean`.
    """
    check_wanted(level, wanted)
    settled, means = settling_of(batches), np.array(batches.means())
    first = settled.cut.n
    found = few_batches(means[first:], level)
    n, variance = (len(means) - first) * batches.size, batches.variance(first)
    tau = _time(n * found.se**2, variance)
    flags, least = _rare_events(batches, first, n, tau)
    evidence = Evidence(
        "few batches of a stream, AR(1) and skewness", n, tau, max(SOUND * tau, least) if variance > 0 else math.inf,
        len(means) - first, von_neumann(means[first:]), first * batches.size, settled.flags | flags,
    )  # fmt: skip
    return concluded(found, evidence, level, wanted)


def steady_quantile_of(batches: Batches, p: float, level: float = 0.95, wanted: float = 0.05) -> SteadyState:
    """As `steady_quantile`, from the sketches of at most 20 sections.

    A sketch gives quantiles within its relative error a, here q of the whole and q_j of each of b sections. By
    Minkowski's inequality that changes q +- t se by at most a q (1 + 2 t / sqrt(b - 1)), about 2 a q: 1 % of the
    quantile for a = 0.005. The interval is widened by so much on either side, and no length of run makes it narrower;
    what the error does to the sections' autocorrelation and skewness is not counted. ValueError as for
    `steady_quantile`.
    """
    check_share(p)
    check_wanted(level, wanted)
    settled, means = settling_of(batches), np.array(batches.means())
    first = settled.cut.n
    sections = batches.sections(SECTIONS, first)
    single = batches.sections(max(len(means), 1), first)
    whole = merged(sections, batches.alpha)
    q = whole.quantile(p)
    by_section = np.array([section.quantile(p) for section in sections])
    tau = _crossing_time(single, whole, q, batches.size)
    evidence = Evidence(
        "sectioning of sketches", whole.count, tau, sound_length(p, tau, len(sections)), len(sections),
        von_neumann(by_section), first * batches.size, settled.flags | _rare(whole.count, batches.variance(first)),
    )  # fmt: skip
    return concluded(
        _widened(sectioning(q, by_section, lag1(by_section), level), len(sections), batches.alpha, level),
        evidence,
        level,
        wanted,
    )


def settling_of(batches: Batches) -> Settling:
    """The cut, in batches, and the verdict on those that follow."""
    means = np.array(batches.means())
    cut = mser(means)
    return judge(means[cut.n :], cut, cut_at_limit(cut))


def _time(variance_of_sum: float, variance: float) -> float:
    """Autocorrelation time from n Var(mean) and Var(x); nan where values do not vary or nothing is known."""
    return max(variance_of_sum / variance, 1.0) if variance > 0 and math.isfinite(variance_of_sum) else math.nan


def _crossing_time(batches: list[QuantileSketch], whole: QuantileSketch, q: float, size: int) -> float:
    """Autocorrelation time of lying above q, or where nothing does, of lying below."""
    if len(batches) < 2 or math.isnan(q):
        return math.nan
    up_to = q if whole.count_up_to(q) < whole.count else q * (1 - 3 * whole.alpha)
    shares = np.array([batch.count_up_to(up_to) / size for batch in batches])
    share = float(shares.mean())
    return _time(len(batches) * size * few_batches(shares, 0.95).se ** 2, share * (1 - share))


def _widened(found: MeanInterval, sections: int, alpha: float, level: float) -> MeanInterval:
    """With the error of the sketches added to both ends."""
    if sections < 2:
        return found
    t = t_quantile(found.degrees, 0.5 + level / 2)
    error = alpha * found.mean * (1 + 2 * t / math.sqrt(sections - 1))
    return MeanInterval(found.mean, found.se, found.low - error, found.high + error, found.degrees)


def _rare_events(batches: Batches, first: int, n: int, tau: float) -> tuple[frozenset[Flag], float]:
    """As `rare_events`, of values outside the bucket of the median; none is where that may hold all that varies."""
    width = batches.alpha * merged(batches.sections(1, first), batches.alpha).quantile(0.5)
    if 0 < batches.variance(first) <= width * width:
        return frozenset(), 0.0
    return rare(batches.events(first), n, tau)


def _rare(n: int, variance: float) -> frozenset[Flag]:
    """Whether many values show no difference at all."""
    return frozenset({Flag.RARE_EVENT}) if n >= EVENTS and variance == 0 else frozenset()
