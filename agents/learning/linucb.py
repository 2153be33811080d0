"""LinUCB: each home minds what its own subtask costs, which is linear in the features of the place (Li et al. 2010).

The cost of a subtask (`Episode.own_cost`) less kappa x the rule's score is fitted by ridge regression on standardised
features, one set of coefficients for all places, since these have features of their own (Chu et al. 2011). While it
learns it takes the place of least cost less a bonus of alpha sqrt(x' A^-1 x), A the regularised second moments of what
was tried; A is frozen within a batch, and what is older counts less from batch to batch. Nothing is known in the first
batch, which the rule plays, with random places now and then. What is left is a policy with one linear layer beside the
rule, which decides without the bonus.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Setting
from simoffload.decision.features import POSITION_COLUMNS

from ..network import Network
from ..policy_file import write_policy
from ..scoring import Heads, ScoringAgent
from .counts import situation
from .greedy import EpsilonGreedy
from .rollout import POSITION, Behaviour, Choice, Episode
from .settings import LinUcbSettings

Floats = NDArray[np.float64]
COLUMNS = len(POSITION_COLUMNS)
AT_RANDOM = 0.2
"""Chance of a random place in the first batch."""


@dataclass(frozen=True, slots=True)
class Optimist:
    """Takes the row of the largest sum of network, rule and bonus."""

    heads: Heads
    doubt: Floats
    """alpha^2 A^-1, [1 + columns, 1 + columns]."""

    @property
    def order(self) -> str:
        """Waiting jobs go by arrival."""
        return "fifo"

    def reset(self, setting: Setting) -> None:
        """Nothing is remembered within an episode."""

    def choose(self, seen: Any, generator: np.random.Generator) -> Choice:
        """An action for an observation of a position."""
        rows, corrections, rule = self.heads.evaluate(seen)
        assert self.heads.position is not None
        inputs = standardised(rows, self.heads.position.mean, self.heads.position.scale)
        bonus = np.sqrt(np.einsum("ki,ij,kj->k", inputs, self.doubt, inputs))
        action = int(np.argmax(corrections + rule + bonus))
        return Choice(action, 0.0, rows, rule, *situation(seen))


class LinUcb:
    """Sums of what was tried and what it cost."""

    def __init__(self, settings: LinUcbSettings) -> None:
        self.settings = settings
        self._mean, self._scale = np.zeros(COLUMNS), np.ones(COLUMNS)
        self._moments = np.zeros((1 + COLUMNS, 1 + COLUMNS))
        self._costs = np.zeros(1 + COLUMNS)
        self._tried = 0.0

    def coefficients(self) -> Floats:
        """Of the cost, that of the constant first, [1 + columns]."""
        found: Floats = np.linalg.solve(self._regularised(), self._costs).astype(np.float64)
        return found

    def _regularised(self) -> Floats:
        return self._moments + self.settings.ridge * np.eye(1 + COLUMNS)

    def heads(self) -> Heads:
        """The policy as it is now: minus the cost."""
        found = -self.coefficients()
        layer = Network(self._mean, self._scale, (found[1:, None],), (found[:1],))
        return Heads(layer, None, self.settings.kappa, 0.0)

    def agent(self) -> ScoringAgent:
        """The policy as it is now, without a bonus."""
        return ScoringAgent(self.heads())

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write the policy as PATH.safetensors and PATH.json."""
        write_policy(path, self.heads(), card)

    def behaviour(self, progress: float) -> Behaviour:
        """The policy with its bonus; before anything is known, the rule with random places now and then."""
        if not self._tried:
            return EpsilonGreedy(self.heads(), AT_RANDOM)
        return Optimist(self.heads(), self.settings.alpha**2 * np.linalg.inv(self._regularised()).astype(np.float64))

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Take in a batch after discounting what was before."""
        taken = [np.cumsum(each.sizes) - each.sizes + each.action for each in episodes]
        rows = np.concatenate([each.rows[POSITION][own] for each, own in zip(episodes, taken, strict=True)])
        rule = np.concatenate([each.score[own] for each, own in zip(episodes, taken, strict=True)])
        cost = np.concatenate([each.own_cost for each in episodes]) + rule
        if not self._tried:
            everything = np.concatenate([each.rows[POSITION] for each in episodes]).astype(np.float64)
            spread = everything.std(0)
            self._mean, self._scale = everything.mean(0), np.where(spread > 1e-3, spread, 1.0)
        inputs = standardised(rows.astype(np.float64), self._mean, self._scale)
        error = float(np.sqrt(np.mean((cost - inputs @ self.coefficients()) ** 2)))
        discount = self.settings.discount
        self._moments = discount * self._moments + inputs.T @ inputs
        self._costs = discount * self._costs + inputs.T @ cost
        self._tried = discount * self._tried + len(cost)
        fitted = float(np.sqrt(np.mean((cost - inputs @ self.coefficients()) ** 2)))
        return {"error_before": error, "error": fitted, "own_cost": float(np.mean(cost - rule))}

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as plain data."""
        return {
            "mean": self._mean.tolist(),
            "scale": self._scale.tolist(),
            "moments": self._moments.tolist(),
            "costs": self._costs.tolist(),
            "tried": self._tried,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self._mean, self._scale = np.array(state["mean"]), np.array(state["scale"])
        self._moments, self._costs = np.array(state["moments"]), np.array(state["costs"])
        self._tried = float(state["tried"])
        if not (math.isfinite(self._tried) and self._moments.shape == (1 + COLUMNS, 1 + COLUMNS)):
            raise ValueError("moments of other features")


def standardised(rows: Floats, mean: Floats, scale: Floats) -> Floats:
    """A constant 1 and the standardised features, [k, 1 + columns]."""
    return np.column_stack([np.ones(len(rows)), (rows - mean) / scale])
