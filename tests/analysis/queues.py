"""Waiting times of M/M/1 queues, for estimators to be tried on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def waits(rho: float, customers: int, seed: int, first_wait_s: float = 0.0) -> NDArray[np.float64]:
    """Waiting times of successive customers at service rate 1, by Lindley's recursion without a loop."""
    generator = np.random.default_rng(seed)
    steps = generator.exponential(1.0, customers - 1) - generator.exponential(1.0 / rho, customers - 1)
    sums = np.concatenate([[first_wait_s], first_wait_s + np.cumsum(steps)])
    found: NDArray[np.float64] = sums - np.minimum(np.minimum.accumulate(sums), 0.0)
    return found
