"""Processes whose steady state is known: autoregressions and the waits of the M/M/1 queue."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from simoffload.analysis.steady.series import FloatArray


def autoregression(n: int, phi: float, seed: int, mean: float = 0.0) -> FloatArray:
    """x_t = phi x_{t-1} + e_t around a mean, stationary; e_t standard normal.

    Var x = 1 / (1 - phi^2), autocorrelation time (1 + phi) / (1 - phi), n Var(mean) -> 1 / (1 - phi)^2.
    """
    noise = np.random.default_rng(seed).standard_normal(n)
    noise[0] /= np.sqrt(1 - phi**2)
    return mean + np.asarray(lfilter([1.0], [1.0, -phi], noise))


def mm1_waits(n: int, rho: float, seed: int, jobs: int = 0) -> FloatArray:
    """Waits of the first n customers of M/M/1 in mean service times, with so many jobs in the system at the start.

    Lindley's W' = max(W + S - A, 0), all at once as a walk less its running minimum.
    """
    generator = np.random.default_rng(seed)
    services, gaps = generator.standard_exponential(n), generator.standard_exponential(n) / rho
    ahead = float(generator.standard_exponential(jobs).sum())
    walk = ahead + np.cumsum(np.concatenate(([0.0], services[:-1])) - gaps)
    return np.asarray(walk - np.minimum(np.minimum.accumulate(walk), 0.0))


def mm1_time(rho: float) -> float:
    """Autocorrelation time of the waits, in customers (Daley 1968): n Var(mean) / Var(W)."""
    constant = rho * (2 + 5 * rho - 4 * rho**2 + rho**3) / (1 - rho) ** 4
    return constant / (rho * (2 - rho) / (1 - rho) ** 2)
