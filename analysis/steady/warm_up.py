"""Where the warm-up ends: how many observations to drop from the beginning of a run, and a picture to judge it by.

MSER drops what makes the standard error of the rest least. It always finds some cut, in an unstable queue too: whether
there is a steady state behind it is the question of `stationarity`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .series import FloatArray, as_series, group_means

LAST_PART = 0.9
"""A cut beyond this share of the largest one that is looked at may well be too small."""
FEWEST_GROUPS = 10
"""Nothing is cut from fewer groups."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Observations to drop, of which at most `limit` could be."""

    n: int
    limit: int


def cut_at_limit(cut: Cut) -> bool:
    """Whether the cut lies in the last tenth of what could be dropped: the warm-up may well be longer than that."""
    return cut.n > 0 and cut.n >= LAST_PART * cut.limit


def mser5(values: npt.ArrayLike) -> Cut:
    """The cut by MSER-5 (White, Cobb, Spratt 2000): MSER over the means of groups of 5 observations."""
    return mser(values, 5)


def mser(values: npt.ArrayLike, size: int = 1) -> Cut:
    """The cut d <= n / 2 that minimises the squared standard error S^2(d) / (k - d) of what follows (White 1997).

    Over the means of groups of `size` observations; nothing is cut from fewer than 10 groups.
    """
    curve = mser_curve(values, size)
    return Cut(size * int(np.argmin(curve)), size * (len(curve) - 1)) if len(curve) else Cut(0, 0)


def mser_curve(values: npt.ArrayLike, size: int = 5) -> FloatArray:
    """sum over i > d of (y_i - mean of those)^2 / (k - d)^2 for d = 0, ..., k / 2 of k means of groups of `size`.

    Empty where there are fewer than 10 groups. In O(k), by cumulative sums from the end.
    """
    means = group_means(as_series(values), size)
    k = len(means)
    if k < FEWEST_GROUPS:
        return np.empty(0)
    offsets = means - means[k // 2 :].mean()
    left = np.arange(k, 0, -1)
    sums = np.cumsum(offsets[::-1])[::-1]
    squares = np.cumsum(offsets[::-1] ** 2)[::-1]
    return np.asarray(((squares - sums**2 / left) / left.astype(float) ** 2)[: k // 2 + 1])


def welch(runs: npt.ArrayLike, window: int) -> FloatArray:
    """Welch's moving average (1983) of the mean over replications, the picture on which to see the warm-up end.

    `runs` is one run or an array of shape (replications, observations). Entry i averages observations i - w, ..., i + w
    over all runs, w = min(i, window); the last `window` have none. ValueError when that is no such array or the window
    is negative or not shorter than a run.
    """
    array = np.atleast_2d(np.asarray(runs, dtype=np.float64))
    if array.ndim != 2 or not array.size:
        raise ValueError(f"replications have the shape (replications, observations), not {array.shape}")
    means = as_series(array.mean(axis=0))
    m = len(means)
    if not 0 <= window < m:
        raise ValueError(f"a window over {m} observations is from 0 to {m - 1}, not {window}")
    centre = float(means.mean())
    sums = np.concatenate(([0.0], np.cumsum(means - centre)))
    at = np.arange(m - window)
    reach = np.minimum(at, window)
    return np.asarray(centre + (sums[at + reach + 1] - sums[at - reach]) / (2 * reach + 1))
