"""Intervals over independent replications, and differences of agents that saw the same random numbers.

A mean of simulated runs says little without a notion of how far other seeds would have moved it, so nothing here
returns a bare number. Values are results of whole replications, one per seed, which are independent; observations from
within one run are correlated and must not be fed to these functions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from simoffload.estimates import mean_and_half_width, standard_deviation


@dataclass(frozen=True, slots=True)
class Interval:
    """mean +- half_width, which covers the true mean with probability `level`, from `n` replications."""

    mean: float
    half_width: float
    level: float
    n: int

    @property
    def low(self) -> float:
        """Lower end."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end."""
        return self.mean + self.half_width

    def holds(self, value: float) -> bool:
        """Whether the value lies in the interval, ends included; an unbounded interval holds everything."""
        return math.isinf(self.half_width) or self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean of a - b over replications with the same seeds, tested against 0.

    `p_value` is two-sided. `variance_reduction` = (var a + var b) / var(a - b): how many times more replications an
    unpaired comparison would need for the same half-width; 1 means that sharing the random numbers did not help.
    """

    difference: Interval
    p_value: float
    variance_reduction: float

    @property
    def is_tie(self) -> bool:
        """Whether the interval includes 0."""
        return self.difference.holds(0.0)


def t_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """mean +- t_{n-1,(1+level)/2} s / sqrt(n) (Student 1908).

    Below 2 values nothing is known of their spread: the half-width is infinite (and the mean nan if there is none).
    ValueError when a value is not finite or the level is not within (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"a level is within (0, 1), not {level}")
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"replications must give finite values, not {list(values)}")
    return Interval(*mean_and_half_width(values, level), level, len(values))


def paired_difference(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> PairedDifference:
    """The interval of the mean of a - b; entry i of both must come from the same seed.

    ValueError when the lengths differ; otherwise as `t_interval`.
    """
    if len(a) != len(b):
        raise ValueError(f"pairs need equally many values, not {len(a)} and {len(b)}")
    differences = [x - y for x, y in zip(a, b, strict=True)]
    interval = t_interval(differences, level)
    if interval.n < 2:
        return PairedDifference(interval, p_value=1.0, variance_reduction=math.nan)
    separate = standard_deviation(a) ** 2 + standard_deviation(b) ** 2
    sd = standard_deviation(differences)
    if sd == 0:
        p_value = 1.0 if interval.mean == 0 else 0.0
        return PairedDifference(interval, p_value, math.inf if separate > 0 else math.nan)
    p_value = two_sided_p(interval.mean / (sd / math.sqrt(interval.n)), interval.n - 1)
    return PairedDifference(interval, p_value, separate / sd**2)


def paired_ratio(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval:
    """The interval of mean a / mean b - 1; entry i of both must come from the same seed.

    By the delta method (as in Cochran 1977, section 6.4): the scatter is that of (a_i - r b_i) / mean b with r the
    ratio found, so that the mean of b is not taken to be known. nan where that is 0; ValueError as for
    `paired_difference`.
    """
    of_a, of_b = ratio_weights(a, b)
    interval = paired_difference([of_a * x for x in a], [of_b * y for y in b], level).difference
    return Interval(of_b / of_a - 1 if of_a else math.nan, interval.half_width, level, interval.n)


def ratio_weights(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Weights by which a - b has mean 0 and varies as mean a / mean b does: 1 / mean b and r / mean b, r the ratio.

    Both are 0 where there is none, as the mean of b is 0.
    """
    base = math.fsum(b) / len(b) if b else 0.0
    if base == 0:
        return 0.0, 0.0
    return 1 / base, math.fsum(a) / len(a) / base / base


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values adjusted for being many, in the given order (Holm 1979).

    The k-th smallest of m is multiplied by m - k + 1 and raised to those before it, at most to 1: rejecting where the
    result is at most alpha makes any false rejection at most alpha likely, however the tests depend on each other.
    """
    adjusted = [1.0] * len(p_values)
    so_far = 0.0
    for rank, index in enumerate(_ascending(p_values)):
        so_far = max(so_far, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = so_far
    return adjusted


def holm_levels(p_values: Sequence[float], level: float = 0.95) -> list[float]:
    """The level at which each test's own interval excludes 0 just when Holm's test rejects it at 1 - `level`.

    With alpha = 1 - level, the k-th smallest of m is held against alpha / (m - k + 1) as long as all before it were
    rejected; from the first that is not, all are held against that one's share.
    """
    levels = [level] * len(p_values)
    share = 0.0
    rejecting = True
    for rank, index in enumerate(_ascending(p_values)):
        if rejecting:
            share = (1 - level) / (len(p_values) - rank)
            rejecting = p_values[index] <= share
        levels[index] = 1 - share
    return levels


def all_differences(values: Sequence[Sequence[float]], level: float = 0.95) -> dict[tuple[int, int], PairedDifference]:
    """values[j] - values[i] for every i < j, each with Holm's p-value and an interval that excludes 0 when it rejects.

    As all pairs are in the family, whichever of them one looks at afterwards, such as those with the best, the chance
    that any interval excludes 0 where there is no difference is at most 1 - `level`. The intervals say which
    differences there are; they do not cover all of them at once. ValueError as in `paired_difference`.
    """
    pairs = list(combinations(range(len(values)), 2))
    differences = adjusted_differences([(values[j], values[i]) for i, j in pairs], level)
    return dict(zip(pairs, differences, strict=True))


def adjusted_differences(
    pairs: Sequence[tuple[Sequence[float], Sequence[float]]], level: float = 0.95
) -> list[PairedDifference]:
    """a - b for every pair (a, b), each with Holm's p-value and an interval that excludes 0 when it rejects.

    The family is the pairs that are given, whatever seeds each is over. ValueError as in `paired_difference`.
    """
    p_values = [paired_difference(a, b, level).p_value for a, b in pairs]
    found = []
    for (a, b), wider, adjusted in zip(pairs, holm_levels(p_values, level), holm(p_values), strict=True):
        pair = paired_difference(a, b, wider)
        found.append(PairedDifference(pair.difference, adjusted, pair.variance_reduction))
    return found


def _ascending(p_values: Sequence[float]) -> list[int]:
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p-values are from 0 to 1, not {list(p_values)}")
    return sorted(range(len(p_values)), key=p_values.__getitem__)


def two_sided_p(t: float, degrees: float) -> float:
    """How likely a t at least as far from 0 is under Student's distribution, whose degrees may be no whole number."""
    from scipy.special import stdtr  # type: ignore[import-untyped]

    return float(2 * stdtr(degrees, -abs(t)))
