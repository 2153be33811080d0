"""Running statistics of observations, in constant memory."""

from __future__ import annotations

import math


class Tally:
    """Count, sum, mean, standard deviation and extremes of finite numbers.

    The sum is compensated (Neumaier 1974), so the mean is right to rounding over any number of observations; squares
    follow Welford (1962), merged by Chan, Golub and LeVeque (1979).
    """

    __slots__ = ("_centre", "_error", "_squares", "_sum", "count", "max", "min")

    def __init__(self) -> None:
        self.count = 0
        self.min = math.inf
        self.max = -math.inf
        self._sum = self._error = 0.0
        self._centre = self._squares = 0.0

    def add(self, value: float) -> None:
        """Take in an observation."""
        self.count = count = self.count + 1
        before = self._sum
        self._sum = after = before + value
        if abs(before) >= abs(value):
            self._error += (before - after) + value
        else:
            self._error += (value - after) + before
        offset = value - self._centre
        self._centre += offset / count
        self._squares += offset * (value - self._centre)
        if value < self.min:
            self.min = value
        if value > self.max:
            self.max = value

    def merge(self, other: Tally) -> None:
        """Take in all that another tally has seen."""
        if other.count == 0:
            return
        offset = other._centre - self._centre
        count = self.count + other.count
        self._squares += other._squares + offset * offset * (self.count * other.count / count)
        self._centre += offset * (other.count / count)
        before, value = self._sum, other._sum
        self._sum = after = before + value
        larger, smaller = (before, value) if abs(before) >= abs(value) else (value, before)
        self._error += other._error + ((larger - after) + smaller)
        self.count = count
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)

    @property
    def sum(self) -> float:
        """Sum of the observations."""
        return self._sum + self._error

    @property
    def mean(self) -> float:
        """Mean of the observations; nan of none."""
        return self.sum / self.count if self.count else math.nan

    @property
    def sd(self) -> float:
        """Standard deviation with divisor n - 1; nan of fewer than two.

        Says nothing about the error of the mean where observations depend on one another, as in a queue.
        """
        return math.sqrt(max(self._squares, 0.0) / (self.count - 1)) if self.count > 1 else math.nan
