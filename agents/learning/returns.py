"""Advantages with a counterfactual baseline.

b_k = sum_a mu(a) Q(s_k, a) is what is expected of the situation whatever the deciding agent does; how much better its
action was shows over the steps that follow: A_k = sum_l lambda^l delta_{k+l}, delta_k = r_k + b_{k+1} - b_k (COMA's
baseline: Foerster et al. 2018; lambda-weighted: Schulman et al. 2016). The end of an episode has no value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def advantages(reward: Floats, baseline: Floats, last: NDArray[np.bool_], trace: float) -> Floats:
    """A of each step, [n]; `trace` is lambda. The lambda-return of a step is its baseline plus this."""
    following = np.where(last, 0.0, np.append(baseline[1:], 0.0))
    delta = reward + following - baseline
    advantage = np.empty_like(delta)
    running = 0.0
    for step in range(len(delta) - 1, -1, -1):
        running = delta[step] + (0.0 if last[step] else trace * running)
        advantage[step] = running
    return advantage
