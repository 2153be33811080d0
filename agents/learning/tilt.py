"""The tilted policy: mu(a) = softmax(network(a) + rule(a) + b(a)), b the UCB bonus of kinds of action tried little.

Counts are frozen while a batch of episodes is played, so the policy that acts is a fixed one, and learning from it is
on-policy. A floor of epsilon may be mixed in: (1 - epsilon) mu + epsilon / k, k the rows that may be taken.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from simoffload.decision import Setting

from ..measured_speed import SpeedsByHome
from ..scoring import ALLOWED, Heads, chances
from .counts import Counts, situation
from .rollout import Choice


@dataclass(slots=True)
class Tilt:
    """Acts by mu, or, as `selection` says, by something near it."""

    heads: Heads
    counts: Counts
    c: float
    """Of the bonus."""
    epsilon: float = 0.0
    selection: str = "tilt"
    """tilt: draw from mu; none: draw without the bonus; argmax: take the largest sum, as a bandit would.

    What argmax does has no chance to differentiate: the log-chance noted is that of the tilt, and learning from it is
    biased.
    """
    _speeds: SpeedsByHome | None = None

    def reset(self, setting: Setting) -> None:
        """An episode begins in which nothing has been heard."""
        self._speeds = self.heads.speeds(setting)

    @property
    def order(self) -> str:
        """Waiting jobs go by arrival unless the policy has a network for them."""
        return "fifo" if self.heads.order is None else "decide"

    @property
    def orders_from(self) -> int:
        """How many must wait for it to choose among them."""
        return self.heads.orders_from

    def choose(self, seen: Any, generator: np.random.Generator) -> Choice:
        """An action for an observation of either kind."""
        rows, corrections, rule = self.heads.evaluate(seen, self._speeds)
        key, kinds = situation(seen)
        score = rule
        if self.c > 0 and self.selection != "none":
            score = rule + self.counts.bonus(key, kinds, self.c)
        tilted = corrections + score
        share = chances(tilted)
        if self.epsilon > 0:
            allowed = tilted > ALLOWED
            share = (1.0 - self.epsilon) * share + self.epsilon * allowed / np.count_nonzero(allowed)
        action = int(np.argmax(tilted)) if self.selection == "argmax" else drawn(share, generator)
        return Choice(action, math.log(share[action]), rows, score, key, kinds)


def drawn(share: np.ndarray[tuple[int], np.dtype[np.float64]], generator: np.random.Generator) -> int:
    """A row by its chance; one of chance 0 never, even where the chances fall short of 1 by rounding."""
    place = bisect_right(list(accumulate(share.tolist())), generator.random())
    return place if place < len(share) else int(np.flatnonzero(share)[-1])
