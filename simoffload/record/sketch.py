"""Quantiles of a stream in constant memory, within a guaranteed relative error.

Values fall in buckets whose bounds grow by a constant factor, gamma = (1 + alpha) / (1 - alpha): bucket k holds
(gamma^(k-1), gamma^k] and stands for 2 gamma^k / (gamma + 1), which is within alpha of everything in it (DDSketch:
Masson, Rim, Lee, VLDB 2019). Buckets are counters, so sketches merge exactly and the order of the values does not
matter.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

SMALLEST, LARGEST = 1e-300, 1e300
"""Smaller values count as 0, larger ones as infinite."""

_NEAR = 1e-6
"""Logarithms this near to a bucket's bound are taken again, one by one: vectorised ones differ in the last bits."""


class QuantileSketch:
    """Counters of the buckets; two that have seen the same values in any order are equal."""

    __slots__ = ("_buckets", "_gamma", "_infinite", "_per_log", "_zero", "alpha")

    def __init__(self, alpha: float = 0.005) -> None:
        if not 1e-6 <= alpha < 1:
            raise ValueError(f"alpha, the relative error, must be at least 1e-6 and less than 1, not {alpha}")
        self.alpha = alpha
        self._gamma = (1 + alpha) / (1 - alpha)
        self._per_log = 1 / (math.log1p(alpha) - math.log1p(-alpha))
        self._buckets: defaultdict[int, int] = defaultdict(int)
        self._zero = self._infinite = 0

    def add(self, value: float) -> None:
        """Take in a value; ValueError when it is negative or nan."""
        if SMALLEST <= value <= LARGEST:
            self._buckets[math.ceil(math.log(value) * self._per_log)] += 1
        elif 0 <= value < SMALLEST:
            self._zero += 1
        elif value > LARGEST:
            self._infinite += 1
        else:
            raise ValueError(f"a sketch holds values from 0 up, not {value}")

    def add_many(self, values: ArrayLike) -> None:
        """Take in an array of values, with the same result as one by one; ValueError before any when one is amiss."""
        array = np.asarray(values, dtype=np.float64).ravel()
        if not (array >= 0).all():
            raise ValueError(f"a sketch holds values from 0 up, not {array[~(array >= 0)][0]}")
        self._zero += int((array < SMALLEST).sum())
        self._infinite += int((array > LARGEST).sum())
        ordinary = array[(array >= SMALLEST) & (array <= LARGEST)]
        scaled = np.log(ordinary) * self._per_log
        near = np.abs(scaled - np.rint(scaled)) < _NEAR
        scaled[near] = [math.log(value) * self._per_log for value in ordinary[near].tolist()]
        numbers, counts = np.unique(np.ceil(scaled), return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            self._buckets[int(number)] += count

    def merge(self, other: QuantileSketch) -> None:
        """Take in all that another sketch has seen; ValueError when its relative error is a different one."""
        if other.alpha != self.alpha:
            raise ValueError(f"sketches of relative errors {self.alpha} and {other.alpha} do not merge")
        self._zero += other._zero
        self._infinite += other._infinite
        for number, count in other._buckets.items():
            self._buckets[number] += count

    @property
    def count(self) -> int:
        """Number of values."""
        return self._zero + self._infinite + sum(self._buckets.values())

    def count_up_to(self, value: float) -> int:
        """Number of values in the bucket of a value, from 0 up, and in all below it."""
        if value < SMALLEST:
            return self._zero
        if value > LARGEST:
            return self.count
        last = math.ceil(math.log(value) * self._per_log)
        return self._zero + sum(count for number, count in self._buckets.items() if number <= last)

    def count_beside(self, q: float) -> int:
        """Number of values in the bucket of a quantile, itself included; 0 of no values."""
        rank, seen = _rank(q, self.count), self._zero
        if rank <= seen or not self.count:
            return self._zero
        for _, count in sorted(self._buckets.items()):
            seen += count
            if rank <= seen:
                return count
        return self._infinite

    def quantile(self, q: float) -> float:
        """Within `alpha` of the smallest value v with a share of at least q of all values <= v; nan of no values."""
        return self.quantiles([q])[0]

    def quantiles(self, shares: Iterable[float]) -> list[float]:
        """The quantiles of several shares, in their order; ValueError when one is not from 0 to 1."""
        total = self.count
        ordered = sorted(self._buckets.items())
        return [self._at(_rank(q, total), ordered) if total else math.nan for q in shares]

    def _at(self, rank: int, ordered: list[tuple[int, int]]) -> float:
        """Estimate of the value with this rank, from 1 on."""
        seen = self._zero
        if rank <= seen:
            return 0.0
        for number, count in ordered:
            seen += count
            if rank <= seen:
                return 2 * math.exp(number / self._per_log) / (self._gamma + 1)
        return math.inf

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: alpha, the counts of zeros and of infinite values, (bucket, count) in order."""
        buckets = [[number, count] for number, count in sorted(self._buckets.items())]
        return {"alpha": self.alpha, "zero": self._zero, "infinite": self._infinite, "buckets": buckets}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> QuantileSketch:
        """The sketch of which `to_dict` gave `data`; ValueError when it is not such data."""
        try:
            sketch = cls(float(data["alpha"]))
            sketch._zero, sketch._infinite = int(data["zero"]), int(data["infinite"])
            for number, count in data["buckets"]:
                sketch._buckets[int(number)] += int(count)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the data of a sketch: {error!r}") from None
        return sketch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QuantileSketch) and self.to_dict() == other.to_dict()


def _rank(q: float, total: int) -> int:
    """The rank from 1 on of the quantile; a product that only rounding lifted over a whole number is that number."""
    if not 0 <= q <= 1:
        raise ValueError(f"a quantile is of a share from 0 to 1, not {q}")
    return max(math.ceil(q * total * (1 - 1e-14)), 1)
