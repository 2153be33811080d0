"""Quantiles of distributions of which only the distribution function is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import arguments

_HALVINGS = 60


def quantile(cdf: Callable[[float], Any], share: float, scale: float) -> float:
    """The least time t >= 0 with cdf(t) >= share, by halving, to about 1e-15 of the first power of two above it.

    `scale` is a time of the order of those looked for. ValueError for a share outside [0, 1), or where the
    distribution function does not come up to it (within the digits that it has).
    """
    arguments.share(share)
    if float(cdf(0.0)) >= share:
        return 0.0
    low, high = 0.0, scale
    while float(cdf(high)) < share:
        low, high = high, 2 * high
        if high > 1e9 * scale:
            raise ValueError(f"the distribution function does not come up to {share!r} with the digits that it has")
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if float(cdf(middle)) >= share else (middle, high)
    return high
