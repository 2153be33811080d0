"""One server and several classes, of which those of higher priority go first; Poisson arrivals in each class.

Within a class it goes by arrival. Non-preemptive: Cobham (1954), Priority assignment in waiting line problems;
preemptive-resume: White and Christie (1958). Both are in Kleinrock, Queueing Systems II (1976), chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from . import arguments
from .means import Means, by_little
from .service import ServiceLaw


@dataclass(frozen=True, slots=True)
class PriorityClass:
    """Customers of one priority: how many come a second, and how long they take."""

    arrival_rate: float
    service: ServiceLaw

    def __post_init__(self) -> None:
        arguments.positive(arrival_rate=self.arrival_rate)

    @property
    def load(self) -> float:
        """Work that comes per second."""
        return self.arrival_rate * self.service.mean_s


@dataclass(frozen=True, slots=True)
class NonPreemptive:
    """Whoever is in service stays; the first class goes first. UnstableError where all loads add up to 1 or more."""

    classes: tuple[PriorityClass, ...]

    def __post_init__(self) -> None:
        _check(self.classes)

    @property
    def means_by_class(self) -> tuple[Means, ...]:
        """Mean wait of class k: W0 / ((1 - s_(k-1)) (1 - s_k)), W0 = sum of lambda E[S^2] / 2, s_k the load up to k."""
        sums = _load_sums(self.classes)
        left_s = _left_s(self.classes)
        return tuple(
            by_little(each.arrival_rate, left_s / ((1 - before) * (1 - upto)), each.service.mean_s)
            for each, before, upto in zip(self.classes, sums, sums[1:], strict=False)
        )

    @property
    def means(self) -> Means:
        """Of all customers together."""
        return _together(self.classes, self.means_by_class)


@dataclass(frozen=True, slots=True)
class PreemptiveResume:
    """A newcomer of a higher class interrupts, and the interrupted goes on later where it was; as `NonPreemptive`."""

    classes: tuple[PriorityClass, ...]

    def __post_init__(self) -> None:
        _check(self.classes)

    @property
    def means_by_class(self) -> tuple[Means, ...]:
        """Mean sojourn of class k: E[S_k] / (1 - s_(k-1)) + W_k, W_k as for non-preemptive with the classes up to k.

        What a sojourn has beyond the bare service, interruptions included, stands for the wait.
        """
        sums = _load_sums(self.classes)
        found = []
        for k, each in enumerate(self.classes):
            mean_s = each.service.mean_s
            left_s = _left_s(self.classes[: k + 1])
            sojourn_s = mean_s / (1 - sums[k]) + left_s / ((1 - sums[k]) * (1 - sums[k + 1]))
            found.append(by_little(each.arrival_rate, sojourn_s - mean_s, mean_s))
        return tuple(found)

    @property
    def means(self) -> Means:
        """Of all customers together."""
        return _together(self.classes, self.means_by_class)


def _check(classes: Sequence[PriorityClass]) -> None:
    arguments.at_least(1, classes=len(classes))
    arguments.stable(_load_sums(classes)[-1])


def _load_sums(classes: Sequence[PriorityClass]) -> list[float]:
    """Load of the classes ahead of each one, and last that of all."""
    return list(accumulate((each.load for each in classes), initial=0.0))


def _left_s(classes: Sequence[PriorityClass]) -> float:
    """Mean of what is left of the service that an arrival finds: the sum of lambda E[S^2] / 2."""
    return math.fsum(each.arrival_rate * each.service.second_s2 for each in classes) / 2


def _together(classes: Sequence[PriorityClass], means: Sequence[Means]) -> Means:
    arrival_rate = math.fsum(each.arrival_rate for each in classes)
    load = _load_sums(classes)[-1]
    return by_little(arrival_rate, math.fsum(each.queue_length for each in means) / arrival_rate, load / arrival_rate)
