"""Do intervals hold the truth as often as they say? Measured on the M/M/1 queue, where the truth is known.

    python studies/coverage/coverage.py [REPLICATIONS] > studies/coverage/results.md

Each replication does as the tool says: a pilot of 10,000 waits, then a run of the length that the answer forecasts for
a relative half-width of 5 %, and should that give no interval, of the length that it forecasts in turn. With the same
seed the longer run begins as the shorter one did. Counted are the intervals of the run that ends this. Where an answer
has no forecast, as one that takes the queue for unstable, the next run is 4 times as long.

The queue starts empty, and for the warm-up with 100 jobs, of which nothing is said to the estimator. Of these the bias
is known that a run of this length has on average after a cut there, since the mean wait of every customer is; the table
says how often it is less than the interval owns to. Pooled quantiles are of 5 seeds, each a fifth of the length. Waits
of the FIFO queue follow from Lindley's recursion W' = max(W + S - A, 0), all at once as a walk less its running
minimum.
"""

from __future__ import annotations

import math
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial

import numpy as np
import scipy  # type: ignore[import-untyped]

from simoffload.analysis.steady.mean import steady_mean
from simoffload.analysis.steady.quantiles import steady_quantile
from simoffload.analysis.steady.replications import pooled_quantile
from simoffload.analysis.steady.result import SteadyState
from simoffload.analysis.steady.series import FloatArray
from simoffload.analysis.theory.transient import mm1_mean_waits

REPLICATIONS = 1000
PILOT = 10_000
LONGEST = 30_000_000
"""No run is longer; without an interval at that length there is none."""
SEED = 20_000_000
LEVEL = 0.95

JOBS = 100
SEEDS = 5
SETTLED = 40_000
"""Customers after whom nothing is left of the start."""

Estimator = Callable[[Sequence[FloatArray]], SteadyState]


@dataclass(frozen=True)
class Question:
    """What is estimated at which load, in mean service times."""

    name: str
    rho: float
    truth: float
    estimator: Estimator
    jobs: int = 0
    """In the system at the start."""
    seeds: int = 1
    """Runs that are pooled."""


@dataclass
class Counts:
    """What became of the replications of a question."""

    held: int = 0
    intervals: int = 0
    pilots: int = 0
    """Pilots that gave an interval."""
    lengths: list[int] = field(default_factory=list)
    half_widths: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    unbiased: int = 0
    """Intervals that are wider than the bias that was left."""


def waits(rho: float, n: int, seed: tuple[int, ...], jobs: int = 0) -> FloatArray:
    """Waits of the first n customers, with service rate 1; a longer series of the same seed begins with a shorter."""
    services, gaps = (np.random.default_rng((*seed, stream)) for stream in (0, 1))
    ahead = float(np.random.default_rng((*seed, 2)).standard_exponential(jobs).sum())
    walk = gaps.standard_exponential(n)
    walk *= -1 / rho
    walk[1:] += services.standard_exponential(n)[:-1]
    walk[0] += ahead
    np.cumsum(walk, out=walk)
    walk -= np.minimum(np.minimum.accumulate(walk), 0.0)
    return walk


def mean_wait(rho: float) -> float:
    """rho / (1 - rho) mean service times."""
    return rho / (1 - rho)


def wait_quantile(rho: float, p: float) -> float:
    """P(W > t) = rho exp(-(1 - rho) t), so the p-quantile is ln(rho / (1 - p)) / (1 - rho)."""
    return max(math.log(rho / (1 - p)) / (1 - rho), 0.0)


def questions() -> list[Question]:
    """All that is measured."""
    loads = (0.5, 0.8, 0.9)
    return [
        *(Question("mean", rho, mean_wait(rho), _mean) for rho in loads),
        *(Question("p95", rho, wait_quantile(rho, 0.95), partial(_quantile, p=0.95)) for rho in loads),
        *(Question(f"p{100 * p:g}", 0.5, wait_quantile(0.5, p), partial(_quantile, p=p)) for p in (0.99, 0.999)),
        *(Question("mean, from 100 jobs", rho, mean_wait(rho), _mean, jobs=JOBS) for rho in loads),
        *(
            Question(f"p95 of {SEEDS} seeds", rho, wait_quantile(rho, 0.95), partial(_pooled, p=0.95), seeds=SEEDS)
            for rho in loads[:2]
        ),
    ]


def _mean(runs: Sequence[FloatArray]) -> SteadyState:
    return steady_mean(runs[0], level=LEVEL)


def _quantile(runs: Sequence[FloatArray], p: float) -> SteadyState:
    return steady_quantile(runs[0], p, level=LEVEL)


def _pooled(runs: Sequence[FloatArray], p: float) -> SteadyState:
    return pooled_quantile(runs, p, level=LEVEL)


@cache
def _excess(rho: float, jobs: int) -> FloatArray:
    """By how much the waits of the first customers together are above those in the steady state, on average.

    Entry i is of the first i customers; all that come later add nothing.
    """
    waits_s = mm1_mean_waits(rho, 1.0, jobs, SETTLED)
    return np.concatenate([[0.0], np.cumsum(waits_s - mean_wait(rho))])


def bias_left(rho: float, jobs: int, cut: int, n: int) -> float:
    """The bias, on average over runs, of the mean wait of the customers after the cut in a run of n."""
    excess = _excess(rho, jobs)
    return float(excess[min(n, SETTLED)] - excess[min(cut, SETTLED)]) / (n - cut)


def replicate(question: Question, number: int, counts: Counts) -> None:
    """One replication: pilot, forecast, run; once more where that gives no interval."""
    seed = (SEED, round(100 * question.rho), question.jobs, number)
    answer = _asked(question, PILOT, seed)
    counts.pilots += math.isfinite(answer.half_width)
    n, runs = PILOT, 1
    while n < LONGEST and (runs == 1 or math.isinf(answer.half_width)):
        n = min(max(answer.needed_n + answer.cut if answer.needed_n else 4 * n, n), LONGEST)
        answer = _asked(question, n, seed)
        runs += 1
    counts.lengths.append(n)
    counts.runs.append(runs)
    if math.isinf(answer.half_width):
        return
    counts.intervals += 1
    counts.held += answer.low <= question.truth <= answer.high
    counts.half_widths.append(answer.half_width / question.truth)
    counts.errors.append(answer.value / question.truth - 1)
    counts.cuts.append(answer.cut)
    if question.jobs:
        bias = bias_left(question.rho, question.jobs, answer.cut, n)
        counts.unbiased += answer.low <= answer.value - bias <= answer.high


def _asked(question: Question, n: int, seed: tuple[int, ...]) -> SteadyState:
    """The answer for runs of n customers in all."""
    if question.seeds == 1:
        return question.estimator([waits(question.rho, n, seed, question.jobs)])
    each = -(-n // question.seeds)
    return question.estimator([waits(question.rho, each, (*seed, run), question.jobs) for run in range(question.seeds)])


def measured(question: Question, replications: int) -> Counts:
    """All replications of a question."""
    counts = Counts()
    for number in range(replications):
        replicate(question, number, counts)
    return counts


def row(question: Question, counts: Counts, replications: int, wall_s: float) -> str:
    """A line of the table."""
    share = counts.held / max(counts.intervals, 1)
    error = 1.96 * math.sqrt(share * (1 - share) / max(counts.intervals, 1))
    cells = [
        question.name, question.rho, f"{question.truth:.4g}", f"{np.median(counts.lengths):,.0f}",
        f"{np.mean(counts.lengths):,.0f}", f"{np.mean(counts.runs):.2f}", f"{100 * counts.pilots / replications:.1f}",
        f"{100 * counts.intervals / replications:.1f}", f"**{100 * share:.1f}** ± {100 * error:.1f}",
        f"{100 * np.mean(counts.half_widths):.1f}", f"{100 * np.mean(counts.errors):+.2f}",
        f"{np.median(counts.cuts):,.0f}", f"**{100 * counts.unbiased / replications:.1f}**" if question.jobs else "",
        f"{wall_s:.0f}",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def main(replications: int) -> None:
    """Print the table as it comes."""
    heads = [
        "what", "ρ", "truth", "length, median", "mean", "runs", "pilots with an interval, %", "with an interval, %",
        "held the truth, %", "relative half-width, %", "bias, %", "cut, median", "bias left inside the interval, %",
        "wall, s",
    ]  # fmt: skip
    print(
        "Coverage of nominal 95 % intervals for waits in M/M/1, in mean service times, by\n\n"
        "    python studies/coverage/coverage.py > studies/coverage/results.md\n\n"
        "The script says what is done and counted. The length is that of the run whose interval counts, the bias the\n"
        "mean error of its estimate. 'Bias left inside the interval' is the share of all replications in which what\n"
        "the automatic cut leaves of the bias, as known from theory, is inside the interval around the estimate.\n"
    )
    print(f"| {' | '.join(heads)} |\n| --- |{' ---: |' * (len(heads) - 1)}")
    began = time.perf_counter()
    for question in questions():
        start = time.perf_counter()
        counts = measured(question, replications)
        print(row(question, counts, replications, time.perf_counter() - start), flush=True)
    python = platform.python_version()
    print(
        f"\n{replications} replications each, in {time.perf_counter() - began:.0f} s in one process; "
        f"Python {python}, NumPy {np.__version__}, SciPy {scipy.__version__}."
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else REPLICATIONS)
