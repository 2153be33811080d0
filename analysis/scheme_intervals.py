"""Differences of schemes that were trained several times, which further trainings would have moved, too.

A paired interval over held-out seeds holds for the very policies that were measured. What is said of a scheme is said
of all trainings that it might have had, of which those measured are a sample; so how far these differ widens the
interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simoffload.estimates import standard_deviation, t_quantile

from .intervals import Interval, holm, holm_levels, ratio_weights, two_sided_p


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of an agent on held-out seeds."""

    by_seed: Sequence[float]
    """Of several trainings their mean."""
    of_trainings: Sequence[float] = ()
    """Mean over the held-out seeds of each training; empty for one policy or rule, which is compared as such."""

    def times(self, weight: float) -> Measured:
        """All of it in another unit."""
        return Measured([weight * value for value in self.by_seed], [weight * mean for mean in self.of_trainings])


@dataclass(frozen=True, slots=True)
class SchemeDifference:
    """Mean of a - b over held-out seeds and trainings, tested against 0.

    `p_value` is two-sided. Where the spread of trainings is not known, as a scheme was trained once, half-width,
    p-value, standard error and degrees of freedom are nan.
    """

    difference: Interval
    p_value: float
    standard_error: float
    degrees: float

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval, and it does not include 0."""
        return abs(self.difference.mean) > self.difference.half_width


def scheme_difference(a: Measured, b: Measured, level: float = 0.95) -> SchemeDifference:
    """The interval of the mean of a - b that holds for the schemes; entry i of both must come from the same seed.

    Its variance is that of the differences by held-out seed over the number of seeds, and for each scheme that was
    trained that of its trainings' means over the number of trainings. It has the degrees of freedom of Welch (1947) and
    Satterthwaite (1946) over all these terms. That is too many where trainings are few, differ more than seeds do, and
    happen to agree: of two or three trainings with a standard error two to four times that of the seeds, single 95 %
    intervals miss 7 to 9 % of the time with three and 11 to 13 % with two; so does some interval of ten comparisons
    adjusted. On the other side the trainings' means hold a little of what seeds and trainings do
    together, which the differences by seed hold already; and trainings of two schemes are taken to be independent,
    which those that play the same episodes need not be.

    ValueError when the seeds are not equally many.
    """
    if len(a.by_seed) != len(b.by_seed):
        raise ValueError(f"pairs need equally many values, not {len(a.by_seed)} and {len(b.by_seed)}")
    differences = [x - y for x, y in zip(a.by_seed, b.by_seed, strict=True)]
    n = len(differences)
    mean = math.fsum(differences) / n if n else math.nan
    samples = [differences, *(each.of_trainings for each in (a, b) if each.of_trainings)]
    if min(map(len, samples)) < 2:
        return SchemeDifference(Interval(mean, math.nan, level, n), math.nan, math.nan, math.nan)
    variance, degrees = _welch(samples)
    error = math.sqrt(variance)
    if error == 0:
        return SchemeDifference(Interval(mean, 0.0, level, n), 1.0 if mean == 0 else 0.0, 0.0, degrees)
    interval = Interval(mean, t_quantile(degrees, level) * error, level, n)
    return SchemeDifference(interval, two_sided_p(mean / error, degrees), error, degrees)


def scheme_ratio(a: Measured, b: Measured, level: float = 0.95) -> Interval:
    """The interval of mean a / mean b - 1 that holds for the schemes, by the delta method as in `paired_ratio`.

    nan where the mean of b is 0; ValueError as for `scheme_difference`.
    """
    of_a, of_b = ratio_weights(a.by_seed, b.by_seed)
    interval = scheme_difference(a.times(of_a), b.times(of_b), level).difference
    return Interval(of_b / of_a - 1 if of_a else math.nan, interval.half_width, level, interval.n)


def adjusted_scheme_differences(
    pairs: Sequence[tuple[Measured, Measured]], level: float = 0.95
) -> list[SchemeDifference]:
    """a - b for every pair (a, b), each with Holm's p-value and an interval that excludes 0 when it rejects.

    The family is the pairs that are given; one that cannot be tested is of it, and is not rejected. ValueError as in
    `scheme_difference`.
    """
    alone = [scheme_difference(a, b, level) for a, b in pairs]
    p_values = [1.0 if math.isnan(each.p_value) else each.p_value for each in alone]
    found = []
    for (a, b), wider, adjusted in zip(pairs, holm_levels(p_values, level), holm(p_values), strict=True):
        each = scheme_difference(a, b, wider)
        p_value = math.nan if math.isnan(each.p_value) else adjusted
        found.append(SchemeDifference(each.difference, p_value, each.standard_error, each.degrees))
    return found


def _welch(samples: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Variance of a sum of independent means, and its degrees of freedom; all of the first where nothing varies."""
    terms = [(standard_deviation(values) ** 2 / len(values), len(values) - 1) for values in samples]
    variance = math.fsum(term for term, _ in terms)
    if variance == 0:
        return 0.0, float(terms[0][1])
    return variance, 1 / math.fsum((term / variance) ** 2 / degrees for term, degrees in terms)
