"""Double, duelling DQN: one network for the worth of a home's actions, learned from the plays of all homes.

Q(o, a) = V(o) + A(o, a) - mean A(o, .) (Wang et al. 2016). A is the policy's own formula in units of the return,
network(row) - kappa x rule's score, so that the first policy is the rule; V reads the means and maxima of the home's
rows. How the target is made: `q_learning`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from simoffload.decision.features import POSITION_COLUMNS

from ..scoring import ALLOWED
from .batch import Batch
from .networks import Scorer, best_by, pooled_by
from .q_learning import QLearner, Worth
from .rollout import POSITION
from .settings import DqnSettings

COLUMNS = len(POSITION_COLUMNS)


@dataclass(frozen=True, slots=True)
class View:
    """A batch, and the means and maxima of each decision's rows."""

    batch: Batch
    pooled: Tensor


class Duel(Worth):
    """V and A."""

    def __init__(self, settings: DqnSettings) -> None:
        super().__init__()
        self.scorer = Scorer(COLUMNS, settings.hidden, zero_last=True)
        self.value = Scorer(2 * COLUMNS, settings.value_hidden, zero_last=True)

    def view(self, batch: Batch) -> View:
        """Rows of decisions, pooled."""
        return View(batch, pooled_by(batch.kinds[POSITION].features, batch.decision, batch.decisions))

    def standardise(self, view: View) -> None:
        """Take means and scales of rows and of pooled rows."""
        self.scorer.standardise(view.batch.kinds[POSITION].features)
        self.value.standardise(view.pooled)

    def of(self, view: View, chosen: Tensor, taken: Tensor) -> Tensor:
        """V + A - mean A of the rows taken, the mean over those that may be."""
        advantage, rows, place = self._advantages(view.batch, chosen)
        allowed = view.batch.score[rows] > ALLOWED
        sizes = torch.bincount(place[allowed], minlength=len(chosen))
        mean = torch.zeros(len(chosen)).index_add(0, place[allowed], advantage[allowed]) / sizes
        worth: Tensor = self.value(view.pooled[chosen]) + advantage[rows == taken[place]] - mean
        return worth

    def best(self, view: View, chosen: Tensor) -> Tensor:
        """The rows of largest A."""
        advantage, rows, place = self._advantages(view.batch, chosen)
        return rows[best_by(advantage, place, len(chosen))]

    def _advantages(self, batch: Batch, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """A of all rows of the decisions chosen, those rows, and their decisions' places."""
        rows, place = batch.rows_of(chosen)
        return self.scorer(batch.kinds[POSITION].features.index_select(0, rows)) + batch.score[rows], rows, place


def dqn(settings: DqnSettings, seed: int) -> QLearner:
    """The learner."""
    return QLearner(settings, seed, lambda: Duel(settings))
