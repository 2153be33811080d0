"""A long stream as few successive batches, in fixed memory: what an interval needs when no rows are kept.

Batches begin with one value each. Whenever there are twice as many as wanted, neighbours merge and batches become twice
as long; so from then on between `keep` and `2 keep` equal batches tell the whole story. Each holds its sum, its sum of
squares and a sketch of its quantiles. `simoffload.analysis.steady` makes estimates with intervals of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .sketch import LARGEST, QuantileSketch

KEEP = 32


class Batches:
    """Batches of a stream, in its order; runs side by side each need their own.

    Values are from 0 up; quantiles are within the relative error `alpha`, means exact to rounding.
    """

    __slots__ = ("_filled", "_shift", "_sketches", "_squares", "_sums", "alpha", "keep", "size")

    def __init__(self, keep: int = KEEP, alpha: float = 0.005) -> None:
        if keep < 1:
            raise ValueError(f"at least one batch is kept, not {keep}")
        self.keep, self.alpha = keep, alpha
        self.size = 1
        """Values in a full batch."""
        self._shift = 0.0
        """The first value. Sums and squares are of offsets from it, so that squares do not cancel."""
        self._sums: list[float] = []
        self._squares: list[float] = []
        self._sketches: list[QuantileSketch] = []
        self._filled = self.size
        """Values in the last batch."""

    def add(self, value: float) -> None:
        """Take in a value; ValueError when it is negative, infinite or nan."""
        if not 0 <= value <= LARGEST:
            raise ValueError(f"batches hold values from 0 to {LARGEST:g}, not {value}")
        if self._filled == self.size:
            self._begin(value)
        self._filled += 1
        offset = value - self._shift
        self._sums[-1] += offset
        self._squares[-1] += offset * offset
        self._sketches[-1].add(value)

    def add_many(self, values: ArrayLike) -> None:
        """Take in an array of values, with the same result as one by one but for rounding; ValueError as for `add`."""
        array = np.asarray(values, dtype=np.float64).ravel()
        if not ((array >= 0) & (array <= LARGEST)).all():
            wrong = array[~((array >= 0) & (array <= LARGEST))][0]
            raise ValueError(f"batches hold values from 0 to {LARGEST:g}, not {wrong}")
        taken = 0
        while taken < len(array):
            if self._filled == self.size:
                self._begin(float(array[taken]))
            part = array[taken : taken + self.size - self._filled]
            offsets = part - self._shift
            self._sums[-1] += math.fsum(offsets)
            self._squares[-1] += float(offsets @ offsets)
            self._sketches[-1].add_many(part)
            self._filled += len(part)
            taken += len(part)

    @property
    def count(self) -> int:
        """Values seen."""
        return (len(self._sums) - 1) * self.size + self._filled if self._sums else 0

    @property
    def full(self) -> int:
        """Batches that are full; values of the last one that is not are in `sketch` alone."""
        return len(self._sums) - (self._filled < self.size)

    def means(self) -> list[float]:
        """Means of the full batches, in the order of time."""
        return [self._shift + total / self.size for total in self._sums[: self.full]]

    def variance(self, first: int = 0) -> float:
        """Variance of the single values in the full batches from the given one on, with divisor n; nan of none."""
        n = (self.full - first) * self.size
        if n <= 0:
            return math.nan
        mean = math.fsum(self._sums[first : self.full]) / n
        return max(math.fsum(self._squares[first : self.full]) / n - mean * mean, 0.0)

    def events(self, first: int = 0) -> int:
        """Values in the full batches from the given one on that are not in the bucket of their median."""
        whole = merged(self._sketches[first : self.full], self.alpha)
        return whole.count - whole.count_beside(0.5)

    def sketch(self) -> QuantileSketch:
        """All values seen, whether their batch is full or not."""
        return merged(self._sketches, self.alpha)

    def sections(self, most: int, first: int = 0) -> list[QuantileSketch]:
        """The full batches from the given one on, merged by equally many neighbours to at most so many sections.

        What is left over at the beginning is in none.
        """
        batches = self._sketches[first : self.full]
        each = -(-len(batches) // most)
        begin = len(batches) % each if each else 0
        return [merged(batches[i : i + each], self.alpha) for i in range(begin, len(batches), each or 1)]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; a batch's sketch is a line of its own, see `_line`."""
        return {
            "keep": self.keep, "alpha": self.alpha, "size": self.size, "filled": self._filled, "shift": self._shift,
            "sums": list(self._sums), "squares": list(self._squares), "sketches": [_line(s) for s in self._sketches],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Batches:
        """The batches of which `to_dict` gave `data`; ValueError when it is not such data."""
        try:
            batches = cls(int(data["keep"]), float(data["alpha"]))
            batches.size, batches._filled, batches._shift = int(data["size"]), int(data["filled"]), float(data["shift"])
            batches._sums, batches._squares = list(map(float, data["sums"])), list(map(float, data["squares"]))
            batches._sketches = [_sketch(line, batches.alpha) for line in data["sketches"]]
            full = [batches.size] * max(len(batches._sums) - 1, 0) + [batches._filled][: len(batches._sums)]
            if not [s.count for s in batches._sketches] == full or len(batches._squares) != len(full):
                raise ValueError("sums and sketches are not of the same batches")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not the data of batches: {error!r}") from None
        return batches

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Batches) and self.to_dict() == other.to_dict()

    def _begin(self, value: float) -> None:
        """Begin a batch with this value to come."""
        if not self._sums:
            self._shift = value
        if len(self._sums) == 2 * self.keep:
            self._double()
        self._filled = 0
        self._sums.append(0.0)
        self._squares.append(0.0)
        self._sketches.append(QuantileSketch(self.alpha))

    def _double(self) -> None:
        self._sums = [a + b for a, b in zip(self._sums[::2], self._sums[1::2], strict=True)]
        self._squares = [a + b for a, b in zip(self._squares[::2], self._squares[1::2], strict=True)]
        for left, right in zip(self._sketches[::2], self._sketches[1::2], strict=True):
            left.merge(right)
        self._sketches = self._sketches[::2]
        self.size *= 2


def merged(sketches: list[QuantileSketch], alpha: float) -> QuantileSketch:
    """A sketch of what all of them have seen."""
    whole = QuantileSketch(alpha)
    for each in sketches:
        whole.merge(each)
    return whole


def _line(sketch: QuantileSketch) -> str:
    """As "zero:2 231:3,5 240:1": 2 zeros, 3 values in bucket 231, 5 in the one after it, 1 in 240."""
    data = sketch.to_dict()
    runs = [f"zero:{data['zero']}"] if data["zero"] else []
    before = None
    for number, count in data["buckets"]:
        if before is not None and number == before + 1:
            runs[-1] += f",{count}"
        else:
            runs.append(f"{number}:{count}")
        before = number
    return " ".join(runs)


def _sketch(line: str, alpha: float) -> QuantileSketch:
    zero, buckets = 0, []
    for run in line.split():
        start, _, counts = run.partition(":")
        if start == "zero":
            zero = int(counts)
        else:
            buckets += [(int(start) + i, int(count)) for i, count in enumerate(counts.split(","))]
    return QuantileSketch.from_dict({"alpha": alpha, "zero": zero, "infinite": 0, "buckets": buckets})
