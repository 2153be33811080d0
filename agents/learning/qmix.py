"""QMIX: utilities of homes, mixed monotonically into the worth of what all of them are doing (Rashid et al. 2018).

QMIX is made for agents that act all at once. Here one home acts at a time while what the others did last is still under
way, so the joint action at a decision is the latest action of every home, and

    Q_tot = |W2(s)| elu(sum_i |W1(s, o_i, age_i)| u_i + b(s)) + V(s),   u_i = network(row taken) - kappa x rule's score

over the homes that have acted in the episode. s is the fresh state of the plant, o_i the mean of the rows that home i
chose among, age_i how long ago that was. Weights do not depend on the action taken and are not negative, so whoever
acts next does best for Q_tot by the row of largest u, which takes nothing but its own rows. W1 is the same function for
every home, so there may be any number of them.

How the target is made: `q_learning`. From a home's decision to its next one the others act, too, as they do in the
replay: the target is one of several steps, as if they had acted by the present policy (as in Rainbow: Hessel et al.
2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from simoffload.decision.features import POSITION_COLUMNS
from simoffload.run.plant_state import STATE_COLUMNS

from .batch import Batch
from .networks import Scorer, best_by, pooled_by, spread_of
from .q_learning import QLearner, Worth
from .returns import latest_of_homes
from .rollout import POSITION
from .settings import QmixSettings

COLUMNS = len(POSITION_COLUMNS)
AGE_S = 10.0
"""Unit of the time since a home's latest decision."""


@dataclass(frozen=True, slots=True)
class View:
    """A batch, and what the homes were doing at each of its decisions."""

    batch: Batch
    latest: Tensor
    """Latest decision of every home, -1 before its first, [n, homes]."""
    seen: Tensor
    """Mean of the rows of each decision, [n, columns]."""
    time_s: Tensor
    """Of each decision, since the first of all, [n]."""


class Mixer(nn.Module):
    """Utilities [n, homes] to Q_tot [n], with weights of hyper-networks."""

    def __init__(self, settings: QmixSettings) -> None:
        super().__init__()
        width, hidden = settings.mixing, settings.mixing_hidden
        self.of_homes = _perceptron(STATE_COLUMNS + COLUMNS + 1, hidden, width)
        self.shift = nn.Linear(STATE_COLUMNS, width)
        self.of_hidden = _perceptron(STATE_COLUMNS, hidden, width)
        self.value = _perceptron(STATE_COLUMNS, hidden, 1)
        nn.init.zeros_(self.value[-1].weight)  # type: ignore[arg-type]
        self.state_mean: Tensor
        self.state_scale: Tensor
        self.seen_mean: Tensor
        self.seen_scale: Tensor
        for name, columns in (("state", STATE_COLUMNS), ("seen", COLUMNS)):
            self.register_buffer(f"{name}_mean", torch.zeros(columns))
            self.register_buffer(f"{name}_scale", torch.ones(columns))

    def forward(self, utility: Tensor, acts: Tensor, state: Tensor, seen: Tensor, age: Tensor) -> Tensor:
        """Q_tot; [n, homes] but for state [n, columns] and seen [n, homes, columns]; `acts` is 0 for who has not."""
        state = (state - self.state_mean) / self.state_scale
        seen = (seen - self.seen_mean) / self.seen_scale
        wide = state[:, None, :].expand(-1, utility.shape[1], -1)
        weight = self.of_homes(torch.cat([wide, seen, age[:, :, None]], dim=2)).abs()
        mixed = (weight * (utility * acts)[:, :, None]).sum(1)
        hidden = nn.functional.elu(mixed + self.shift(state))
        total: Tensor = (self.of_hidden(state).abs() * hidden).sum(1) + self.value(state).squeeze(1)
        return total

    def standardise(self, state: Tensor, seen: Tensor) -> None:
        """Take means and scales from samples."""
        for mean, scale, rows in ((self.state_mean, self.state_scale, state), (self.seen_mean, self.seen_scale, seen)):
            mean.copy_(rows.mean(0))
            scale.copy_(spread_of(rows))


class Mixed(Worth):
    """Utilities and their mixing."""

    def __init__(self, settings: QmixSettings) -> None:
        super().__init__()
        self.scorer = Scorer(COLUMNS, settings.hidden, zero_last=True)
        self.mixer = Mixer(settings)

    def view(self, batch: Batch) -> View:
        """What the homes were doing at each decision."""
        seen = pooled_by(batch.kinds[POSITION].features, batch.decision, batch.decisions)[:, :COLUMNS]
        latest = latest_of_homes(batch.home, batch.last)
        time_s = np.append(0.0, np.cumsum(batch.duration_s)[:-1])
        return View(batch, torch.from_numpy(latest), seen, torch.from_numpy(time_s))

    def standardise(self, view: View) -> None:
        """Take means and scales of rows, of their means, and of the state."""
        self.scorer.standardise(view.batch.kinds[POSITION].features)
        self.mixer.standardise(view.batch.state, view.seen)

    def of(self, view: View, chosen: Tensor, taken: Tensor) -> Tensor:
        """Q_tot if the homes that decide take these rows and the others do what they did."""
        batch, latest = view.batch, view.latest[chosen]
        acts = latest >= 0
        known = latest.clamp(min=0)
        rows = torch.where(latest == chosen[:, None], taken[:, None], batch.taken[known])
        utility = self._utilities(batch, rows.flatten()).view(rows.shape)
        age = torch.log1p((view.time_s[chosen][:, None] - view.time_s[known]).clamp(min=0.0) / AGE_S).float()
        total: Tensor = self.mixer(utility, acts, batch.state[chosen], view.seen[known], age)
        return total

    def best(self, view: View, chosen: Tensor) -> Tensor:
        """The rows of largest utility."""
        rows, place = view.batch.rows_of(chosen)
        return rows[best_by(self._utilities(view.batch, rows), place, len(chosen))]

    def _utilities(self, batch: Batch, rows: Tensor) -> Tensor:
        utility: Tensor = self.scorer(batch.kinds[POSITION].features.index_select(0, rows)) + batch.score[rows]
        return utility


def qmix(settings: QmixSettings, seed: int) -> QLearner:
    """The learner."""
    return QLearner(settings, seed, lambda: Mixed(settings))


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))
