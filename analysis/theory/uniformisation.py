"""Uniformisation: times of a Markov chain as a number of steps, which come at random at a rate above all its own.

What has not ended after k steps with a chance of `still[k]` has not ended by the time t with the chance that the
mixture over the Poisson number of steps until t gives: all its terms are positive (Jensen 1953).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def steps_until(mean_steps: Floats) -> int:
    """Steps to be followed, so that more happen with a chance below 1e-16."""
    most = float(np.max(mean_steps, initial=0.0))
    return math.ceil(most + 12 * math.sqrt(most) + 40)


def not_ended(still: Floats, mean_steps: Floats) -> Floats:
    """The chance that it has not ended, for each mean number of steps; `still` has `steps_until` entries or more."""
    from scipy.special import gammaln, xlogy  # type: ignore[import-untyped]

    steps = np.arange(len(still))
    means = np.asarray(mean_steps)[..., None]
    return np.asarray(np.exp(xlogy(steps, means) - means - gammaln(steps + 1)) @ still)
