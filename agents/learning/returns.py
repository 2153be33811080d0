"""Returns: how much better a decision went than expected, and what follows it, for the plant or for its own home.

b_k = sum_a mu(a) Q(s_k, a) is what is expected of the situation whatever the deciding agent does; how much better its
action was shows over the steps that follow: A_k = sum_l lambda^l delta_{k+l}, delta_k = r_k + b_{k+1} - b_k (COMA's
baseline: Foerster et al. 2018; lambda-weighted: Schulman et al. 2016). Where time discounts, delta_k and A_k take what
follows a step times exp(-time of the step / horizon), as in semi-Markov processes (Bradtke, Duff 1995).

The end of an episode has no value: an episode of training ends by itself, when all its tasks have come and gone.
Nothing is ever cut off here, so there is nothing to bootstrap from behind a last step.

A learner that sees nothing but one home goes from each of its decisions to its next one. What the whole plant costs
meanwhile is the cost of that step, since all homes share the objective.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


def advantages(reward: Floats, baseline: Floats, last: Flags, trace: float, discount: Floats | float = 1.0) -> Floats:
    """A of each step, [n]; `trace` is lambda. The lambda-return of a step is its baseline plus this.

    `discount` says what of the worth of what follows is left after each step, [n] or the same for all.
    """
    following = np.where(last, 0.0, np.append(baseline[1:], 0.0))
    delta = reward + discount * following - baseline
    decay = np.broadcast_to(trace * discount, delta.shape)
    advantage = np.empty_like(delta)
    running = 0.0
    for step in range(len(delta) - 1, -1, -1):
        running = delta[step] + (0.0 if last[step] else decay[step] * running)
        advantage[step] = running
    return advantage


@dataclass(frozen=True, slots=True)
class Steps:
    """What lies between a decision and the next one of the same home in the same episode, [n]."""

    following: Ints
    """Number of that decision; -1 where there is none and the step goes to the end of the episode."""
    cost: Floats
    """Of the whole plant meanwhile."""
    duration_s: Floats


def own_steps(home: Ints, cost: Floats, duration_s: Floats, last: Flags) -> Steps:
    """From each decision to the next one of the same home, given the steps of the plant, all [n] and times in s."""
    following = np.full(len(home), -1)
    order, ends = by_home(home, last)
    goes_on = ~ends[:-1]
    following[order[:-1][goes_on]] = order[1:][goes_on]
    episode: Ints = np.cumsum(last) - last
    until = np.where(following >= 0, following, np.flatnonzero(last)[episode] + 1)
    so_far, time_s = np.append(0.0, np.cumsum(cost)), np.append(0.0, np.cumsum(duration_s))
    return Steps(following, so_far[until] - so_far[:-1], time_s[until] - time_s[:-1])


def by_home(home: Ints, last: Flags) -> tuple[Ints, Flags]:
    """The decisions sorted by episode, then home, then time, and which of them are a home's last in an episode; [n]."""
    episode: Ints = np.cumsum(last) - last
    order = np.lexsort((home, episode))
    changes = (np.diff(episode[order]) != 0) | (np.diff(home[order]) != 0)
    return order, np.append(changes, True)


def latest_of_homes(home: Ints, last: Flags) -> Ints:
    """Per decision every home's latest one in the episode so far, itself included, -1 for none; [n, homes]."""
    number = np.arange(len(home))
    begin = np.append(0, np.flatnonzero(last)[:-1] + 1)[np.cumsum(last) - last]
    latest = np.empty((len(home), int(home.max()) + 1), dtype=np.int64)
    for each in range(latest.shape[1]):
        seen = np.maximum.accumulate(np.where(home == each, number, -1))
        latest[:, each] = np.where(seen >= begin, seen, -1)
    return latest
