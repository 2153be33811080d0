"""Episodes put together as tensors: decisions [n] and their rows, with the numbers that tie one to the other.

Costs count above the mean rate of the batch: what is left of an episode then has the same worth early and late, and the
critic, which does not know how long an episode still lasts, can learn it (differential returns: Mahadevan 1996). Time
counts up to the last arrival, which no policy can put off: else it would pay to be slow once nobody comes any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from simoffload.run.plant_state import FRESH_COLUMNS

from .rollout import ORDER, POSITION, Episode


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of all decisions of a kind: [r] and [r, columns]."""

    features: Tensor
    critic: Tensor
    """Features, fresh columns, and the state of the plant at the decision."""
    decision: Tensor
    """Number of the decision that a row belongs to."""
    place: Tensor
    """Number of the row among the rows of all kinds."""
    taken: Tensor
    """Per decision of any kind the row of its action among these, -1 where it is of another kind, [n]."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All decisions of several episodes, one episode after the other."""

    decisions: int
    taken: Tensor
    """Row of each decision's action."""
    decision: Tensor
    """Per row its decision."""
    score: Tensor
    """Per row the part of the logit beside the network."""
    log_chance: Tensor
    cost: np.ndarray[tuple[int], np.dtype[np.float64]]
    """x of each decision above the mean of the batch for the time until the last arrival that it took."""
    last: np.ndarray[tuple[int], np.dtype[np.bool_]]
    """Whether a decision is the last one of its episode."""
    duration_s: NDArray[np.float64]
    """From each decision to the next, or to the end of its episode, [n]."""
    home: NDArray[np.int64]
    """Number of the edge node that decided, -1 of orders, [n]."""
    first: Tensor
    """First row of each decision, and one past the last row of all, [n + 1]."""
    state: Tensor
    """The plant as it was at each decision, [n, 14]."""
    kinds: dict[int, Rows]

    def rows_of(self, decisions: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of some decisions, one after the other, and per row its decision's place among these."""
        sizes = self.first[decisions + 1] - self.first[decisions]
        place = torch.repeat_interleave(torch.arange(len(decisions)), sizes)
        before = torch.cumsum(sizes, 0) - sizes
        return self.first[decisions][place] + torch.arange(len(place)) - before[place], place


def batch_of(episodes: Sequence[Episode]) -> Batch:
    """The tensors of episodes."""
    sizes = np.concatenate([episode.sizes for episode in episodes])
    kind = np.concatenate([episode.kind for episode in episodes])
    action = np.concatenate([episode.action for episode in episodes])
    state = np.concatenate([episode.state for episode in episodes])
    last = np.zeros(len(sizes), dtype=np.bool_)
    last[np.cumsum([len(episode.sizes) for episode in episodes]) - 1] = True
    taken = np.cumsum(sizes) - sizes + action
    decision = np.repeat(np.arange(len(sizes)), sizes)
    kind_of_row = kind[decision]
    kinds = {}
    for which in (POSITION, ORDER):
        parts = [episode.rows[which] for episode in episodes if len(episode.rows[which])]
        if parts:
            features = np.ascontiguousarray(np.concatenate(parts))  # rows in one piece are gathered much faster
            places = np.flatnonzero(kind_of_row == which)
            fresh = (
                np.concatenate([episode.fresh for episode in episodes])
                if which == POSITION
                else np.zeros((len(features), FRESH_COLUMNS), dtype=np.float32)
            )
            seen = np.concatenate([features, fresh, state[decision[places]]], axis=1)
            kinds[which] = Rows(
                torch.from_numpy(features),
                torch.from_numpy(seen),
                torch.from_numpy(decision[places]),
                torch.from_numpy(places),
                torch.from_numpy(np.where(kind == which, np.searchsorted(places, taken), -1)),
            )
    return Batch(
        decisions=len(sizes),
        taken=torch.from_numpy(taken),
        decision=torch.from_numpy(decision),
        score=torch.from_numpy(np.concatenate([episode.score for episode in episodes])),
        log_chance=torch.from_numpy(np.concatenate([episode.log_chance for episode in episodes])),
        cost=np.concatenate(above_mean_rate(episodes)),
        last=last,
        duration_s=np.concatenate([episode.duration_s for episode in episodes]),
        home=np.concatenate([episode.home for episode in episodes]),
        first=torch.from_numpy(np.append(0, np.cumsum(sizes))),
        state=torch.from_numpy(state),
        kinds=kinds,
    )


def above_mean_rate(episodes: Sequence[Episode]) -> list[NDArray[np.float64]]:
    """Of each episode the costs [n] above the mean rate up to the last arrival, over the episodes on the same scenario.

    Costs are in units of the objective, rates in these per second.
    """
    costs: defaultdict[int, float] = defaultdict(float)
    times_s: defaultdict[int, float] = defaultdict(float)
    for episode in episodes:
        costs[episode.variant] += float(episode.cost.sum())
        times_s[episode.variant] += float(episode.arriving_s.sum())
    rates = {variant: costs[variant] / time_s if time_s > 0 else 0.0 for variant, time_s in times_s.items()}
    return [episode.cost - rates[episode.variant] * episode.arriving_s for episode in episodes]
