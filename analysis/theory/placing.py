"""How kinds of work are shared out over nodes so that the busiest node is as little busy as can be.

The linear programme of `simoffload.run.split`, solved for the shares themselves; nodes that take equally long for
everything take equal parts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def best_shares(work: Floats) -> Floats:
    """Share of kind k that goes to node r, [k, r]; rows add up to 1.

    `work[k, r]` >= 0 is the share of its time that node r would spend on all of kind k, inf if it cannot serve it.
    ValueError for a kind that no node can serve.
    """
    if not np.isfinite(work).any(axis=1).all():
        raise ValueError("a kind of work fits nowhere")
    different, member, copies = np.unique(work, axis=1, return_inverse=True, return_counts=True)
    shares = _solved(different / copies)
    return np.asarray((shares / copies)[:, member.ravel()])


def _solved(work: Floats) -> Floats:
    from scipy.optimize import linprog  # type: ignore[import-untyped]
    from scipy.sparse import coo_array  # type: ignore[import-untyped]

    kinds, nodes = np.nonzero(np.isfinite(work))
    count, unknowns = work.shape[0], len(kinds) + 1  # the last one is the load of the busiest
    places = np.arange(len(kinds))
    ones = np.ones(len(kinds))
    whole = coo_array((ones, (kinds, places)), shape=(count, unknowns))
    columns = np.concatenate([places, np.full(work.shape[1], len(kinds))])
    entries = np.concatenate([work[kinds, nodes], -np.ones(work.shape[1])])
    rows = np.concatenate([nodes, np.arange(work.shape[1])])
    busy = coo_array((entries, (rows, columns)), shape=(work.shape[1], unknowns))
    costs = np.append(np.zeros(len(kinds)), 1.0)
    solved = linprog(costs, busy, np.zeros(work.shape[1]), whole, np.ones(count), method="highs")
    if solved.status != 0:
        raise ValueError(f"the work cannot be shared out: {solved.message}")
    shares = np.zeros(work.shape)
    shares[kinds, nodes] = np.clip(solved.x[:-1], 0.0, 1.0)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))
