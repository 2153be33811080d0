"""Running statistics of observations, and of a number that changes over time, in constant memory."""

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


class TimeWeighted:
    """The integral over time of a number that changes in steps, since the start or the last `reset`."""

    __slots__ = ("_area", "_began_s", "_last_s", "max", "value")

    def __init__(self, value: float = 0.0, now_s: float = 0.0) -> None:
        self.value = value
        self.reset(now_s)

    def reset(self, now_s: float) -> None:
        """Forget the past, as at the end of a warm-up; the value stays."""
        self._area = 0.0
        self._began_s = self._last_s = now_s
        self.max = self.value
        """Largest value since then, however short."""

    def set(self, now_s: float, value: float) -> None:
        """The number becomes `value`; ValueError when time goes backwards."""
        elapsed = now_s - self._last_s
        if elapsed < 0:
            raise ValueError(f"time went back from {self._last_s} s to {now_s} s")
        self._area += self.value * elapsed
        self._last_s = now_s
        self.value = value
        if value > self.max:
            self.max = value

    def change(self, now_s: float, by: float) -> None:
        """The number grows by `by`."""
        self.set(now_s, self.value + by)

    def integral(self, now_s: float) -> float:
        """Integral of the number up to `now_s`."""
        return self._area + self.value * (now_s - self._last_s)

    def mean(self, now_s: float) -> float:
        """Time average up to `now_s`; nan over no time."""
        duration = now_s - self._began_s
        return self.integral(now_s) / duration if duration > 0 else math.nan
