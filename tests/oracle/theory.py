"""Intervals from batch means, and averages over time, to compare a simulation with closed forms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import stdtrit


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
