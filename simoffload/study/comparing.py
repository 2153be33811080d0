"""Comparisons of two agents: of the policies that were measured, and of the schemes that they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..analysis.intervals import PairedDifference, adjusted_differences, paired_ratio
from ..analysis.scheme_intervals import Measured, SchemeDifference, adjusted_scheme_differences, scheme_ratio


class Verdict(Enum):
    """How the first of two agents did, whose objective is the better the smaller it is."""

    BETTER = "better"
    WORSE = "worse"
    BETTER_HERE = "better with these trainings"
    WORSE_HERE = "worse with these trainings"
    UNDECIDED = "interval includes zero"


@dataclass(frozen=True, slots=True)
class Percent:
    """A difference in per cent of the second mean, with the half-widths of both its intervals, at the levels of those
    of the difference; that of the schemes is nan if unknown.

    As the second mean is an estimate, too, they are not those of the difference in another unit.
    """

    mean: float
    here: float
    schemes: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first agent's objective minus the second's; both intervals are adjusted for all comparisons of a table."""

    here: PairedDifference
    """With these trainings: other held-out seeds might have moved it so far."""
    schemes: SchemeDifference
    """With any trainings: other held-out seeds and other trainings might have moved it so far."""
    percent: Percent

    @property
    def mean(self) -> float:
        """The difference itself, of which both have an interval."""
        return self.here.difference.mean

    @property
    def verdict(self) -> Verdict:
        """Of the schemes where their interval excludes 0, else of these trainings where that of the pairs does."""
        if self.schemes.excludes_zero:
            return Verdict.BETTER if self.mean < 0 else Verdict.WORSE
        if not self.here.is_tie:
            return Verdict.BETTER_HERE if self.mean < 0 else Verdict.WORSE_HERE
        return Verdict.UNDECIDED


def compared(pairs: Sequence[tuple[Measured, Measured]], level: float) -> list[Comparison]:
    """Every pair, adjusted for all that are given."""
    here = adjusted_differences([(a.by_seed, b.by_seed) for a, b in pairs], level)
    schemes = adjusted_scheme_differences(pairs, level)
    return [
        Comparison(paired, wider, _percent(a, b, paired.difference.level, wider.difference.level))
        for (a, b), paired, wider in zip(pairs, here, schemes, strict=True)
    ]


def _percent(a: Measured, b: Measured, level_here: float, level_schemes: float) -> Percent:
    here, schemes = paired_ratio(a.by_seed, b.by_seed, level_here), scheme_ratio(a, b, level_schemes)
    return Percent(100 * here.mean, 100 * here.half_width, 100 * schemes.half_width)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many comparisons came out how; `here` are those that hold for these trainings alone."""

    better: int
    worse: int
    better_here: int
    worse_here: int
    undecided: int

    @property
    def total(self) -> int:
        """Comparisons in all."""
        return self.better + self.worse + self.better_here + self.worse_here + self.undecided


def tally_of(comparisons: Sequence[Comparison]) -> Tally:
    """Of comparisons."""
    count = Counter(each.verdict for each in comparisons)
    return Tally(*(count[verdict] for verdict in Verdict))
