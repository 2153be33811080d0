"""Proximal policy optimisation by all homes, with shared networks (Schulman et al. 2017).

Every home has its own trajectory: from a decision to its next one, at what the whole plant costs meanwhile above the
mean rate. Advantages are generalised ones along it (Schulman et al. 2016). IPPO's critic reads what the home itself
sees, the means and maxima of its rows (de Witt et al. 2020); MAPPO's reads those of the rows with their fresh columns
and the state of the plant (Yu et al. 2022).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from simoffload.decision.features import POSITION_COLUMNS
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS

from ..policy_file import write_policy
from ..scoring import Heads, ScoringAgent
from .batch import Batch, batch_of
from .counts import Counts
from .networks import Scorer, clipped, descend, log_softmax_by, pooled_by, slow_down
from .returns import Floats, advantages, by_home, own_steps
from .rollout import POSITION, Episode
from .settings import PpoSettings
from .tilt import Tilt

COLUMNS = len(POSITION_COLUMNS)


class Ppo:
    """Actor and critic with their optimisers; `sees` gives what the critic reads of each decision, [n, columns]."""

    def __init__(self, settings: PpoSettings, seed: int, sees: Callable[[Batch], Tensor], columns: int) -> None:
        torch.manual_seed(seed)
        self.settings = settings
        self._sees = sees
        self.actor = Scorer(COLUMNS, settings.hidden, zero_last=True)
        self.critic = Scorer(columns, settings.critic_hidden, zero_last=True)
        self._actor_steps = torch.optim.Adam(self.actor.parameters(), settings.actor_rate)
        self._critic_steps = torch.optim.Adam(self.critic.parameters(), settings.critic_rate)
        self._shuffle = np.random.default_rng(seed)
        self._batches = 0

    def heads(self) -> Heads:
        """The policy as it is now, in numpy."""
        return Heads(self.actor.exported(), None, self.settings.kappa, 0.0)

    def agent(self) -> ScoringAgent:
        """The policy as it is now, taking its best row."""
        return ScoringAgent(self.heads())

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write the policy as PATH.safetensors and PATH.json."""
        write_policy(path, self.heads(), card)

    def behaviour(self, progress: float) -> Tilt:
        """The policy itself; its entropy is what explores."""
        return Tilt(self.heads(), Counts(), c=0.0)

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Improve critic and actor on a batch."""
        slow_down(self._actor_steps, self.settings.actor_rate, progress)
        return self.improve(batch_of(episodes), self.settings.entropy * (1.0 - progress))

    def improve(self, batch: Batch, entropy_weight: float) -> dict[str, float]:
        """Improve critic and actor on the decisions of the present policy; what happened, by name."""
        settings, seen = self.settings, self._sees(batch)
        if self._batches == 0:
            self.actor.standardise(batch.kinds[POSITION].features)
            self.critic.standardise(seen)
        error = 0.0
        for _ in range(settings.critic_epochs if self._batches else settings.first_critic_epochs):
            advantage, value = self.advantages(batch, seen)
            error = self._fit_critic(seen, torch.from_numpy(value + advantage).float())
        advantage, _ = self.advantages(batch, seen)
        weight = torch.from_numpy((advantage - advantage.mean()) / (advantage.std() + 1e-8)).float()
        entropy, moved = 0.0, 0.0
        for _ in range(settings.actor_epochs):
            entropy, moved = self.improve_actor(batch, weight, entropy_weight)
        self._batches += 1
        return {"critic_error": error, "entropy": entropy, "moved": moved, "advantage_sd": float(advantage.std())}

    @torch.no_grad()
    def advantages(self, batch: Batch, seen: Tensor) -> tuple[Floats, Floats]:
        """Advantage along its home's trajectory, and V, of each decision."""
        value = self.critic(seen).numpy().astype(np.float64)
        steps = own_steps(batch.home, batch.cost, batch.duration_s, batch.last)
        order, ends = by_home(batch.home, batch.last)
        advantage = np.empty_like(value)
        advantage[order] = advantages(-steps.cost[order], value[order], ends, self.settings.trace)
        return advantage, value

    def _fit_critic(self, seen: Tensor, target: Tensor) -> float:
        """One pass over all decisions towards their lambda-returns; mean Huber loss."""
        losses = []
        for chosen in self._minibatches(len(target)):
            loss = nn.functional.huber_loss(
                self.critic(seen[chosen]), target[chosen], delta=self.settings.largest_error
            )
            descend(loss, self.critic, self._critic_steps, self.settings.largest_gradient)
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def improve_actor(self, batch: Batch, weight: Tensor, entropy_weight: float) -> tuple[float, float]:
        """One pass of the clipped policy gradient; mean entropy, and mean change of the actions' log-chances."""
        features = batch.kinds[POSITION].features
        entropies, moves = [], []
        for chosen in self._minibatches(batch.decisions):
            rows, place = batch.rows_of(chosen)
            log_chance = log_softmax_by(
                self.actor(features.index_select(0, rows)) + batch.score[rows], place, len(chosen)
            )
            spread = torch.zeros(len(chosen)).index_add(0, place, -log_chance.exp() * log_chance)
            change = log_chance[rows == batch.taken[chosen][place]] - batch.log_chance[chosen]
            loss = -clipped(change, weight[chosen], self.settings.clip).mean() - entropy_weight * spread.mean()
            descend(loss, self.actor, self._actor_steps, self.settings.largest_gradient)
            entropies.append(float(spread.detach().mean()))
            moves.append(float(change.detach().abs().mean()))
        return float(np.mean(entropies)), float(np.mean(moves))

    def _minibatches(self, decisions: int) -> list[Tensor]:
        order = self._shuffle.permutation(decisions)
        parts = np.array_split(order, max(1, decisions // self.settings.minibatch))
        return [torch.from_numpy(part) for part in parts]

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as tensors and plain data."""
        return {
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "actor_steps": self._actor_steps.state_dict(),
            "critic_steps": self._critic_steps.state_dict(),
            "shuffle": json.dumps(self._shuffle.bit_generator.state),
            "batches": self._batches,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self._actor_steps.load_state_dict(state["actor_steps"])
        self._critic_steps.load_state_dict(state["critic_steps"])
        self._shuffle.bit_generator.state = json.loads(state["shuffle"])
        self._batches = int(state["batches"])


def local(batch: Batch) -> Tensor:
    """What the deciding home sees: means and maxima of its rows."""
    return pooled_by(batch.kinds[POSITION].features, batch.decision, batch.decisions)


def central(batch: Batch) -> Tensor:
    """The same of rows with their fresh columns, and the state of the plant."""
    rows = batch.kinds[POSITION].critic[:, : COLUMNS + FRESH_COLUMNS]
    return torch.cat([pooled_by(rows, batch.decision, batch.decisions), batch.state], dim=1)


def ippo(settings: PpoSettings, seed: int) -> Ppo:
    """The learner whose critic is a home's own."""
    return Ppo(settings, seed, local, 2 * COLUMNS)


def mappo(settings: PpoSettings, seed: int) -> Ppo:
    """The learner whose critic sees the plant."""
    return Ppo(settings, seed, central, 2 * (COLUMNS + FRESH_COLUMNS) + STATE_COLUMNS)
