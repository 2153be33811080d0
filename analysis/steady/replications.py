"""Means and quantiles over independent runs of one scenario, each with the same warm-up deleted.

Runs do not know of each other, so what each gives is independent whatever goes on inside. What they share is the bias
of a warm-up that is longer than the cut; so each must be long compared with its memory. The cut is that of MSER-5 on
the mean over the runs, where the warm-up shows more clearly than in any of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .autocorrelation import VonNeumann, autocorrelation_time
from .batch_means import MeanInterval, adjusted
from .mean import BATCHES
from .quantiles import SECTIONS, check_share, crossing_time, sample_quantile, sectioning, sound_length
from .result import Flag, SteadyState
from .series import FloatArray, as_series, group_means, is_constant
from .soundness import SOUND, Evidence, check_wanted, concluded, rare_events
from .stationarity import Settling, settling

EACH = 10.0
"""Effective observations that each run must have, lest the warm-up rules its mean."""


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs after the cut."""

    rests: tuple[FloatArray, ...]
    cut: int
    flags: frozenset[Flag]

    @property
    def n(self) -> int:
        return sum(map(len, self.rests))

    @property
    def shortest(self) -> int:
        return min(map(len, self.rests))

    @property
    def joined(self) -> FloatArray:
        return np.concatenate(self.rests)

    def section(self, wanted: int) -> int:
        """Length of sections of equally many of each run, at least 2, of which there are then so many or a few more."""
        return max(self.shortest // max(2, -(-wanted // len(self.rests))), 1)


def replicated_mean(
    runs: Sequence[npt.ArrayLike], level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """Replication and deletion: the mean of the runs' means, with Student's interval, adjusted for their skewness.

    Counts in the result are over all runs; `batches` is the number of runs. No interval from a single run. ValueError
    as for `steady_mean`, or where there is no run or an empty one.
    """
    check_wanted(level, wanted)
    seen = _after_the_cut(runs, cut)
    means = np.array([rest.mean() for rest in seen.rests])
    return _mean("replications", adjusted(means, 0.0, level), seen, len(means), math.nan, level, wanted)


def pooled_mean(
    runs: Sequence[npt.ArrayLike], level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """The mean of equal batches of all runs, for runs that are few and long; at least 2 batches of each.

    As `few_batches`, with the autocorrelation of neighbours in the same run. ValueError as for `replicated_mean`.
    """
    check_wanted(level, wanted)
    seen = _after_the_cut(runs, cut)
    size = seen.section(BATCHES)
    by_run = [group_means(rest[len(rest) % size :], size) for rest in seen.rests]
    pooled = np.concatenate(by_run)
    r = _lag1_within(by_run, float(pooled.mean()))
    return _mean("pooled batches", adjusted(pooled, r, level), seen, len(pooled), r, level, wanted)


def replicated_quantile(
    runs: Sequence[npt.ArrayLike], p: float, level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """The p-quantile of all runs together by sectioning, each run a section.

    ValueError as for `replicated_mean`, and when p is not within (0, 1).
    """
    check_share(p)
    check_wanted(level, wanted)
    seen = _after_the_cut(runs, cut)
    return _quantile("sectioning by replications", p, seen, [rest[None, :] for rest in seen.rests], level, wanted)


def pooled_quantile(
    runs: Sequence[npt.ArrayLike], p: float, level: float = 0.95, wanted: float = 0.05, cut: int | None = None
) -> SteadyState:
    """The p-quantile of all runs together by equal sections of each, for runs that are few and long.

    At least 2 sections of each run, with the autocorrelation of neighbours in the same run. ValueError as for
    `replicated_quantile`.
    """
    check_share(p)
    check_wanted(level, wanted)
    seen = _after_the_cut(runs, cut)
    size = seen.section(SECTIONS)
    parts = [rest[len(rest) % size :].reshape(-1, size) for rest in seen.rests]
    return _quantile("pooled sections", p, seen, parts, level, wanted)


def _quantile(
    method: str, p: float, seen: _Runs, parts: Sequence[FloatArray], level: float, wanted: float
) -> SteadyState:
    """By sections, of each run an array of shape (sections, observations)."""
    whole = sample_quantile(seen.joined, p)
    by_run = [np.array([sample_quantile(part, p) for part in of_run]) for of_run in parts]
    sections = np.concatenate(by_run)
    tau = _mean_time([crossing_time(rest, whole) for rest in seen.rests])
    r = _lag1_within(by_run, whole)
    sound_n = sound_length(p, tau, len(sections))
    flags = seen.flags | ({Flag.RARE_EVENT} if is_constant(seen.joined) else frozenset())
    evidence = Evidence(method, seen.n, tau, sound_n, len(sections), VonNeumann(r, math.nan), seen.cut, flags)
    return concluded(sectioning(whole, sections, r, level), evidence, level, wanted)


def _mean(
    method: str, found: MeanInterval, seen: _Runs, batches: int, r: float, level: float, wanted: float
) -> SteadyState:
    tau = _mean_time([autocorrelation_time(rest) for rest in seen.rests])
    rare, least = rare_events(seen.joined, tau)
    sound_n = max(tau * max(SOUND, EACH * len(seen.rests)), least)
    evidence = Evidence(
        method, seen.n, tau, sound_n, batches, VonNeumann(r, math.nan), seen.cut, seen.flags | rare
    )  # fmt: skip
    return concluded(found, evidence, level, wanted)


def common_settling(runs: Sequence[npt.ArrayLike], cut: int | None = None) -> Settling:
    """The cut and the verdict for all runs, by their mean as far as the shortest goes.

    ValueError as for `replicated_mean`.
    """
    series = [as_series(run) for run in runs]
    shortest = min((len(run) for run in series), default=0)
    if not shortest:
        raise ValueError(f"replications are at least one run, each of at least one observation, not {len(series)} runs")
    if cut is not None and cut >= shortest:
        raise ValueError(f"a cut of {cut} leaves nothing of a run of {shortest} observations")
    return settling(np.mean([run[:shortest] for run in series], axis=0), cut)


def _after_the_cut(runs: Sequence[npt.ArrayLike], cut: int | None) -> _Runs:
    settled = common_settling(runs, cut)
    rests = tuple(as_series(run)[settled.cut.n :] for run in runs)
    return _Runs(rests, settled.cut.n * len(rests), settled.flags)


def _lag1_within(by_run: list[FloatArray], mean: float) -> float:
    """Lag-1 autocorrelation of batches, of neighbours in the same run only; 0 where none differ, nan where none are."""
    if max(map(len, by_run)) < 2:
        return math.nan
    offsets = [means - mean for means in by_run]
    squares = sum(float(each @ each) for each in offsets)
    return sum(float(each[1:] @ each[:-1]) for each in offsets) / squares if squares > 0 else 0.0


def _mean_time(times: list[float]) -> float:
    """Mean autocorrelation time of the runs that vary; nan where none does."""
    known = [tau for tau in times if not math.isnan(tau)]
    return math.fsum(known) / len(known) if known else math.nan
