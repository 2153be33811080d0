"""UCB-COMA's learner: a critic of the whole plant, a counterfactual baseline, and the gradient of the tilted policy.

The policy that acts is mu(a) = softmax(network(a) + score(a) + b(a)), b the UCB bonus at frozen counts. The same mu
stands in the baseline and is differentiated, through the network alone, so that learning is on-policy for mu. With
c = 0 it is COMA.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS

from ..scoring import Heads
from .batch import Batch, Rows
from .critic_view import FRESH_COLUMNS, STATE_COLUMNS
from .networks import Scorer, log_softmax_by
from .returns import advantages
from .rollout import ORDER, POSITION

COLUMNS = {POSITION: len(POSITION_COLUMNS), ORDER: len(ORDER_COLUMNS)}


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """What the learner depends on besides its episodes."""

    hidden: tuple[int, ...] = (32, 32)
    critic_hidden: tuple[int, ...] = (64, 64)
    actor_rate: float = 1e-3
    critic_rate: float = 2e-3
    trace: float = 0.9
    """lambda of the advantages."""
    clip: float = 0.2
    """Largest relative change of a chance that still earns (Schulman et al. 2017)."""
    actor_epochs: int = 4
    critic_epochs: int = 6
    first_critic_epochs: int = 30
    minibatch: int = 4096
    """Decisions per step of the optimiser."""
    largest_gradient: float = 1.0
    orders: bool = True
    """Whether the policy chooses among waiting jobs too."""
    kappa: float = 8.0
    kappa_order: float = 2.0


class Learner:
    """Actor and critic with their optimisers; `learn` takes a batch, `heads` gives the policy to act with."""

    def __init__(self, settings: LearnerSettings, seed: int) -> None:
        torch.manual_seed(seed)
        self.settings = settings
        kinds = (POSITION, ORDER) if settings.orders else (POSITION,)
        extra = FRESH_COLUMNS + STATE_COLUMNS
        self.actors = nn.ModuleDict({str(kind): Scorer(COLUMNS[kind], settings.hidden, True) for kind in kinds})
        self.critics = nn.ModuleDict(
            {str(kind): Scorer(COLUMNS[kind] + extra, settings.critic_hidden, True) for kind in kinds}
        )
        self._actor_steps = torch.optim.Adam(self.actors.parameters(), settings.actor_rate)
        self._critic_steps = torch.optim.Adam(self.critics.parameters(), settings.critic_rate)
        self._shuffle = np.random.default_rng(seed)
        self._batches = 0

    def heads(self) -> Heads:
        """The policy as it is now, in numpy."""
        order = _scorer(self.actors, ORDER).exported() if self.settings.orders else None
        return Heads(_scorer(self.actors, POSITION).exported(), order, self.settings.kappa, self.settings.kappa_order)

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as tensors and plain data."""
        return {
            "actors": self.actors.state_dict(),
            "critics": self.critics.state_dict(),
            "actor_steps": self._actor_steps.state_dict(),
            "critic_steps": self._critic_steps.state_dict(),
            "shuffle": json.dumps(self._shuffle.bit_generator.state),
            "batches": self._batches,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self.actors.load_state_dict(state["actors"])
        self.critics.load_state_dict(state["critics"])
        self._actor_steps.load_state_dict(state["actor_steps"])
        self._critic_steps.load_state_dict(state["critic_steps"])
        self._shuffle.bit_generator.state = json.loads(state["shuffle"])
        self._batches = int(state["batches"])

    def learn(self, batch: Batch, entropy_weight: float) -> dict[str, float]:
        """Improve critic and actor on a batch; what happened, by name."""
        if self._batches == 0:
            self._standardise(batch)
        epochs = self.settings.critic_epochs if self._batches else self.settings.first_critic_epochs
        error = 0.0
        for _ in range(epochs):
            advantage, baseline = self._advantages(batch)
            error = self._fit_critic(batch, torch.from_numpy(baseline + advantage).float())
        advantage, _ = self._advantages(batch)
        weight = torch.from_numpy((advantage - advantage.mean()) / (advantage.std() + 1e-8)).float()
        entropy, moved = 0.0, 0.0
        for _ in range(self.settings.actor_epochs):
            entropy, moved = self._improve(batch, weight, entropy_weight)
        self._batches += 1
        return {"critic_error": error, "entropy": entropy, "moved": moved, "advantage_sd": float(advantage.std())}

    def _standardise(self, batch: Batch) -> None:
        for kind, rows in batch.kinds.items():
            _scorer(self.actors, kind).standardise(rows.features)
            _scorer(self.critics, kind).standardise(rows.critic)

    def _network(self, batch: Batch, wanted: Tensor | None) -> Tensor:
        """The network's numbers of all rows, or of those in a mask, in the order of rows."""
        out = torch.zeros(len(batch.decision))
        for kind, rows in batch.kinds.items():
            picked = _picked(rows, wanted)
            place = rows.place if picked is None else rows.place[picked]
            features = rows.features if picked is None else rows.features[picked]
            out = out.index_copy(0, place, _scorer(self.actors, kind)(features))
        return out

    def _advantages(self, batch: Batch) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
        """A and b of each decision under the present critic and the policy that acted."""
        with torch.no_grad():
            worth = torch.zeros(len(batch.decision))
            for kind, rows in batch.kinds.items():
                worth[rows.place] = _scorer(self.critics, kind)(rows.critic)
            log_mu = log_softmax_by(self._network(batch, None) + batch.score, batch.decision, batch.decisions)
            baseline = torch.zeros(batch.decisions).index_add(0, batch.decision, log_mu.exp() * worth)
        b = baseline.numpy().astype(np.float64)
        return advantages(-batch.cost, b, batch.last, self.settings.trace), b

    def _fit_critic(self, batch: Batch, target: Tensor) -> float:
        """One pass over the actions taken towards their lambda-returns; mean Huber loss."""
        losses = []
        for chosen in self._minibatches(batch.decisions):
            loss = torch.zeros(())
            for kind, rows in batch.kinds.items():
                mine = chosen[torch.isin(batch.taken[chosen], rows.place)]
                if len(mine):
                    row = torch.searchsorted(rows.place, batch.taken[mine])
                    worth = _scorer(self.critics, kind)(rows.critic[row])
                    loss = loss + nn.functional.huber_loss(worth, target[mine], reduction="sum")
            loss = loss / len(chosen)
            self._critic_steps.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.critics.parameters(), self.settings.largest_gradient)
            self._critic_steps.step()
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _improve(self, batch: Batch, weight: Tensor, entropy_weight: float) -> tuple[float, float]:
        """One pass of the clipped policy gradient; mean entropy, and mean change of the actions' log-chances."""
        entropies, moves = [], []
        for chosen in self._minibatches(batch.decisions):
            mask = torch.zeros(batch.decisions, dtype=torch.bool)
            mask[chosen] = True
            rows = mask[batch.decision]
            number = torch.cumsum(mask, 0) - 1
            decision = number[batch.decision[rows]]
            logits = self._network(batch, rows)[rows] + batch.score[rows]
            log_mu = log_softmax_by(logits, decision, len(chosen))
            spread = torch.zeros(len(chosen)).index_add(0, decision, -log_mu.exp() * log_mu)
            everything = torch.zeros(len(batch.decision)).index_copy(0, torch.nonzero(rows).squeeze(1), log_mu)
            inside = torch.nonzero(mask).squeeze(1)
            change = everything[batch.taken[inside]] - batch.log_chance[inside]
            ratio = change.exp()
            gain = torch.minimum(
                ratio * weight[inside], ratio.clamp(1 - self.settings.clip, 1 + self.settings.clip) * weight[inside]
            )
            loss = -gain.mean() - entropy_weight * spread.mean()
            self._actor_steps.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(self.actors.parameters(), self.settings.largest_gradient)
            self._actor_steps.step()
            entropies.append(float(spread.detach().mean()))
            moves.append(float(change.detach().abs().mean()))
        return float(np.mean(entropies)), float(np.mean(moves))

    def _minibatches(self, decisions: int) -> list[Tensor]:
        order = self._shuffle.permutation(decisions)
        return [
            torch.from_numpy(np.sort(part))
            for part in np.array_split(order, max(1, decisions // self.settings.minibatch))
        ]


def _scorer(networks: nn.ModuleDict, kind: int) -> Scorer:
    scorer = networks[str(kind)]
    assert isinstance(scorer, Scorer)
    return scorer


def _picked(rows: Rows, wanted: Tensor | None) -> Tensor | None:
    return None if wanted is None else wanted[rows.place]
