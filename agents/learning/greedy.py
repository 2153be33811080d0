"""Acting by the best row but for a chance of any other, as learners of worths do (epsilon-greedy)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from simoffload.decision import Setting

from ..scoring import ALLOWED, Heads
from .counts import situation
from .rollout import Choice


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """Takes the row of the largest sum of network and rule; with a chance of epsilon any that may be, all alike."""

    heads: Heads
    epsilon: float

    @property
    def order(self) -> str:
        """Waiting jobs go by arrival."""
        return "fifo"

    def reset(self, setting: Setting) -> None:
        """Nothing is remembered within an episode."""

    def choose(self, seen: Any, generator: np.random.Generator) -> Choice:
        """An action for an observation of a position."""
        rows, corrections, rule = self.heads.evaluate(seen)
        best = int(np.argmax(corrections + rule))
        allowed = np.flatnonzero(rule > ALLOWED)
        explores = generator.random() < self.epsilon
        action = int(allowed[generator.integers(len(allowed))]) if explores else best
        chance = self.epsilon / len(allowed) + (1.0 - self.epsilon) * (action == best)
        return Choice(action, math.log(chance), rows, rule, *situation(seen))


def falling(first: float, least: float, progress: float, until: float) -> float:
    """A chance that falls evenly from `first` to `least` over the share `until` of a training."""
    left = max(0.0, 1.0 - progress / until) if until > 0 else 0.0
    return least + (first - least) * left
