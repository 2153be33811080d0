"""A mean over independent replications and how far other seeds would have moved it."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mean_and_half_width(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Mean and t_{n-1,(1+level)/2} s / sqrt(n) (Student 1908); nan for no values, infinite for a single one."""
    n = len(values)
    if n < 2:
        return (values[0] if n else math.nan), math.inf
    sd = standard_deviation(values)
    mean = math.fsum(values) / n if sd > 0 else values[0]
    return mean, t_quantile(n - 1, level) * sd / math.sqrt(n)


def standard_deviation(values: Sequence[float]) -> float:
    """With divisor n - 1, of at least two values; 0 exactly where all are equal."""
    if min(values) == max(values):
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def t_quantile(degrees: float, level: float) -> float:
    """The t with probability `level` between -t and t."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(degrees, 0.5 + level / 2))
