"""Closed forms of queueing theory, and intervals from batch means to compare a simulation with them.

Formulas: Gross and Harris, Fundamentals of Queueing Theory; Cobham (1954) for priorities. Rates are per second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import stdtrit


def erlang_c(servers: int, load: float) -> float:
    """Chance that an arrival has to wait in M/M/c with `load` = arrival rate / service rate."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return servers * blocked / (servers - load * (1 - blocked))


def mmc_wait(arrival_rate: float, service_rate: float, servers: int) -> float:
    """Mean wait in queue of M/M/c."""
    return erlang_c(servers, arrival_rate / service_rate) / (servers * service_rate - arrival_rate)


def mg1_wait(arrival_rate: float, mean: float, second_moment: float) -> float:
    """Mean wait in queue of M/G/1 (Pollaczek and Khinchine)."""
    return arrival_rate * second_moment / (2 * (1 - arrival_rate * mean))


def cobham_waits(rates: Sequence[float], means: Sequence[float], second_moments: Sequence[float]) -> list[float]:
    """Mean wait of each class, first class served first, non-preemptive, one server."""
    residual = sum(rate * second for rate, second in zip(rates, second_moments, strict=True)) / 2
    waits, before = [], 0.0
    for rate, mean in zip(rates, means, strict=True):
        after = before + rate * mean
        waits.append(residual / ((1 - before) * (1 - after)))
        before = after
    return waits


def batch_interval(values: Sequence[float] | np.ndarray, batches: int = 20, level: float = 0.95) -> tuple[float, float]:
    """(mean, half width) from the means of equal, consecutive batches and Student's t."""
    series = np.asarray(values, dtype=float)
    length = len(series) // batches
    means = series[: length * batches].reshape(batches, length).mean(axis=1)
    quantile = float(stdtrit(batches - 1, 0.5 + level / 2))
    return float(means.mean()), quantile * float(means.std(ddof=1)) / math.sqrt(batches)


def time_averages(begin: np.ndarray, end: np.ndarray, first: float, last: float, windows: int = 20) -> np.ndarray:
    """Mean number of intervals [begin, end) that hold the time, over each of equal windows of [first, last]."""
    edges = np.linspace(first, last, windows + 1)
    overlap = [np.clip(np.minimum(end, b) - np.maximum(begin, a), 0, None).sum() / (b - a) for a, b in pairwise(edges)]
    return np.array(overlap)
