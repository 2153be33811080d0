"""UCB1 on a table: each home minds what its own subtask costs, by situation and kind of place (Auer et al. 2002).

A kind that was never tried in a situation comes first, any of them if there are several. Else it is the one of least
mean cost less the bonus c sqrt(ln(1 + N) / (1 + n)). Means and counts are frozen within a batch, as costs are known
only when a subtask is done, and what is older counts less from batch to batch (Garivier, Moulines 2011).
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

from ..kind_table import TableAgent, best_of, write_table
from .counts import ACTIONS, KEYS, Counts, situation
from .rollout import Choice, Episode
from .settings import Ucb1Settings

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Optimist:
    """Takes what was never tried, else the least mean less the bonus."""

    means: Floats
    """[keys, kinds], nan where nothing is known."""
    counts: Counts
    c: float

    @property
    def order(self) -> str:
        """Waiting jobs go by arrival."""
        return "fifo"

    def reset(self, setting: Setting) -> None:
        """Nothing is remembered within an episode."""

    def choose(self, seen: Any, generator: np.random.Generator) -> Choice:
        """An action for an observation of a position."""
        key, kinds = situation(seen)
        worth = -self.means[key][kinds]
        rows = seen.rows_that_may_be
        untried = np.unique(kinds[rows][np.isnan(worth[rows])])
        if len(untried):
            worth = np.where(kinds == generator.choice(untried), 0.0, -np.inf)
        else:
            worth = worth + self.counts.bonus(key, kinds, self.c)
        none = np.zeros((len(kinds), 0))
        action = best_of(worth, seen)
        return Choice(action, -math.log(max(len(untried), 1)), none, np.zeros(len(kinds)), key, kinds)


class Ucb1:
    """Counts and sums of costs, [keys, kinds]."""

    def __init__(self, settings: Ucb1Settings) -> None:
        self.settings = settings
        self.counts = Counts()
        self._costs = np.zeros((KEYS, ACTIONS))

    def means(self) -> Floats:
        """Mean cost, nan where nothing was tried."""
        trials = self.counts.trials
        return np.where(trials > 0, self._costs / np.where(trials > 0, trials, 1.0), np.nan)

    def agent(self) -> TableAgent:
        """The policy as it is now, without a bonus."""
        return TableAgent(self.means())

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write the policy as PATH.json."""
        write_table(path, self.means(), card)

    def behaviour(self, progress: float) -> Optimist:
        """The policy with its bonus."""
        return Optimist(self.means(), self.counts, self.settings.c)

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Take in a batch after discounting what was before."""
        keys = np.concatenate([each.key for each in episodes])
        kinds = np.concatenate([each.action_kind for each in episodes])
        costs = np.concatenate([each.own_cost for each in episodes])
        self.counts.add(keys, kinds, self.settings.discount)
        self._costs *= self.settings.discount
        np.add.at(self._costs, (keys, kinds), costs)
        return {"own_cost": float(costs.mean()), "tried": float((self.counts.trials > 0).sum())}

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as plain data."""
        return {"trials": self.counts.trials.tolist(), "costs": self._costs.tolist()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        trials, costs = np.array(state["trials"], dtype=np.float64), np.array(state["costs"], dtype=np.float64)
        if trials.shape != (KEYS, ACTIONS) or costs.shape != (KEYS, ACTIONS):
            raise ValueError("a table of other situations")
        self.counts, self._costs = Counts(trials), costs
