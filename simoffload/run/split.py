"""The best split of work over resources: how busy the busiest must at least be, whatever the policy.

Of the work of class k a share f[k, r] goes to resource r, which would spend the share work[k, r] of its time on all of
it. The least possible load L of the busiest resource is the linear programme

    min L   such that   sum over r of f[k, r] = 1,   sum over k of f[k, r] work[k, r] <= L,   f >= 0,

the static planning problem of parallel servers (Harrison and Lopez 1999): L >= 1 means that no policy is stable. In its
dual each resource has a price, prices adding up to 1, and sum over k of min over r of price[r] work[k, r] is at most L,
with equality for the best prices. So whatever prices the method ends with, what it returns is a true bound.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_MOST = 150
"""Classes and different resources, in sum, up to which prices are optimised; beyond, they follow the speeds."""
_TINY = 1e-12


def least_load(work: Matrix) -> float:
    """The load of the busiest resource under the best split; inf where a class fits nowhere.

    `work[k, r]` >= 0 is the share of its time that resource r would spend on all of class k, inf if it cannot serve it.
    """
    if work.shape[0] == 0:
        return 0.0
    if work.shape[1] == 0 or not np.isfinite(work.min(axis=1)).all():
        return math.inf
    work = work[work.min(axis=1) > 0]
    if work.shape[0] == 0:
        return 0.0
    different, copies = np.unique(work, axis=1, return_counts=True)
    pooled = different / copies
    prices = _best_prices(pooled) if sum(pooled.shape) <= _MOST else _speed_prices(pooled)
    return float(_costs(pooled, prices).min(axis=1).sum())


def _costs(work: Matrix, prices: Matrix) -> Matrix:
    """price[r] work[k, r], inf where r cannot serve k."""
    return np.multiply(work, prices, where=np.isfinite(work), out=np.full_like(work, np.inf))


def _speed_prices(work: Matrix) -> Matrix:
    """Prices in proportion to speed: the best ones where a fast resource is equally faster for every class."""
    speeds = (work.min(axis=1)[:, None] / work).max(axis=0)
    return np.asarray(speeds / speeds.sum())


def _best_prices(work: Matrix) -> Matrix:
    """The dual solution, by the revised simplex method with Dantzig's rule.

    It starts from each class on the resource that is quickest for it. Columns are numbered f[0, 0], f[0, 1], ..., then
    a slack for each resource, then L.
    """
    work = work / work[np.isfinite(work)].max()
    classes, resources = work.shape
    size, slack = classes + resources, classes * resources
    load = slack + resources

    def column(number: int) -> Matrix:
        entries = np.zeros(size)
        if number == load:
            entries[classes:] = -1
        elif number >= slack:
            entries[classes + number - slack] = 1
        else:
            k, r = divmod(number, resources)
            entries[k], entries[classes + r] = 1, work[k, r]
        return entries

    quickest = work.argmin(axis=1)
    loads = np.bincount(quickest, weights=work.min(axis=1), minlength=resources)
    busiest = int(loads.argmax())
    basis = [k * resources + int(r) for k, r in enumerate(quickest)]
    basis += [load if r == busiest else slack + r for r in range(resources)]
    matrix = np.column_stack([column(number) for number in basis])
    right = np.concatenate([np.ones(classes), np.zeros(resources)])
    prices = np.zeros(resources)
    for _ in range(50 * size):
        duals = np.linalg.solve(matrix.T, np.array([float(number == load) for number in basis]))
        prices = -duals[classes:]
        reduced = np.append((_costs(work, prices) - duals[:classes, None]).ravel(), prices)
        entering = int(reduced.argmin())
        if reduced[entering] > -_TINY:
            break
        step = np.linalg.solve(matrix, column(entering))
        values = np.linalg.solve(matrix, right)
        ratios = np.divide(values, step, where=step > _TINY, out=np.full(size, np.inf))
        leaving = int(ratios.argmin())
        matrix[:, leaving], basis[leaving] = column(entering), entering
    prices = np.maximum(prices, 0)
    return np.asarray(prices / prices.sum())
