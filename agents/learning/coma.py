"""UCB-COMA's learner: a critic of the whole plant, a counterfactual baseline, and the gradient of the tilted policy.

The policy that acts is mu(a) = softmax(network(a) + score(a) + b(a)), b the UCB bonus at frozen counts. The same mu
stands in the baseline and is differentiated, through the network alone, so that learning is on-policy for mu. With
c = 0 it is COMA.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS

from ..policy_file import write_policy
from ..scoring import Heads, ScoringAgent
from .batch import Batch, Rows, batch_of
from .counts import Counts
from .networks import Scorer, clipped, descend, log_mixture_by, slow_down
from .returns import Floats, advantages
from .rollout import ORDER, POSITION, Episode
from .settings import ComaSettings
from .tilt import Tilt

COLUMNS = {POSITION: len(POSITION_COLUMNS), ORDER: len(ORDER_COLUMNS)}


class Coma:
    """Actor and critic with their optimisers, and the counts of what was tried."""

    def __init__(self, settings: ComaSettings, seed: int) -> None:
        torch.manual_seed(seed)
        self.settings = settings
        learned = [kind for kind, wanted in ((POSITION, settings.positions), (ORDER, settings.orders)) if wanted]
        met = (POSITION, ORDER) if settings.orders else (POSITION,)
        extra = FRESH_COLUMNS + STATE_COLUMNS
        self.actors = nn.ModuleDict({str(kind): Scorer(COLUMNS[kind], settings.hidden, True) for kind in learned})
        self.critics = nn.ModuleDict(
            {str(kind): Scorer(COLUMNS[kind] + extra, settings.critic_hidden, True) for kind in met}
        )
        self.counts = Counts()
        self._actor_steps = torch.optim.Adam(self.actors.parameters(), settings.actor_rate)
        self._critic_steps = torch.optim.Adam(self.critics.parameters(), settings.critic_rate)
        self._shuffle = np.random.default_rng(seed)
        self._batches = 0
        self._standardised: set[int] = set()
        """Kinds of decision that there have been."""

    def heads(self) -> Heads:
        """The policy as it is now, in numpy."""
        settings = self.settings
        position, order = (
            _scorer(self.actors, kind).exported() if str(kind) in self.actors else None for kind in (POSITION, ORDER)
        )
        if settings.residual:
            kappas = settings.kappa, settings.kappa_order
            return Heads(position, order, *kappas, settings.optimism, settings.orders_from)
        return Heads(position, order, 0.0, 0.0, orders_from=settings.orders_from)

    def agent(self) -> ScoringAgent:
        """The policy as it is now, taking its best row."""
        return ScoringAgent(self.heads())

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write the policy as PATH.safetensors and PATH.json."""
        write_policy(path, self.heads(), card)

    def behaviour(self, progress: float) -> Tilt:
        """The policy with what is left of its exploration."""
        settings = self.settings
        left = max(0.0, 1.0 - progress / settings.exploring) if settings.exploring > 0 else 0.0
        c = settings.c * left if settings.exploration == "ucb" else 0.0
        return Tilt(self.heads(), self.counts, c, self._epsilon(progress), settings.selection)

    def _epsilon(self, progress: float) -> float:
        settings = self.settings
        if settings.exploration != "epsilon" or settings.exploring <= 0:
            return 0.0
        return settings.epsilon * max(0.0, 1.0 - progress / settings.exploring)

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Improve critic and actor on a batch; then count what was tried in it."""
        slow_down(self._actor_steps, self.settings.actor_rate, progress)
        told = self.improve(batch_of(episodes), self.settings.entropy * (1.0 - progress), self._epsilon(progress))
        keys = np.concatenate([episode.key for episode in episodes])
        kinds = np.concatenate([episode.action_kind for episode in episodes])
        self.counts.add(keys, kinds, self.settings.discount)
        return told

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as tensors and plain data."""
        return {
            "actors": self.actors.state_dict(),
            "critics": self.critics.state_dict(),
            "actor_steps": self._actor_steps.state_dict(),
            "critic_steps": self._critic_steps.state_dict(),
            "shuffle": json.dumps(self._shuffle.bit_generator.state),
            "batches": self._batches,
            "standardised": sorted(self._standardised),
            "trials": torch.from_numpy(self.counts.trials.copy()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self.actors.load_state_dict(state["actors"])
        self.critics.load_state_dict(state["critics"])
        self._actor_steps.load_state_dict(state["actor_steps"])
        self._critic_steps.load_state_dict(state["critic_steps"])
        self._shuffle.bit_generator.state = json.loads(state["shuffle"])
        self._batches = int(state["batches"])
        self._standardised = set(state["standardised"])
        self.counts = Counts(state["trials"].numpy().copy())

    def improve(self, batch: Batch, entropy_weight: float, epsilon: float = 0.0) -> dict[str, float]:
        """Improve critic and actor on the decisions of a policy with this floor; what happened, by name."""
        self._standardise(batch)
        epochs = self.settings.critic_epochs if self._batches else self.settings.first_critic_epochs
        error, chances = 0.0, self._chances(batch, epsilon)
        for _ in range(epochs):
            advantage, baseline, _ = self._advantages(batch, chances)
            error = self._fit_critic(batch, torch.from_numpy(baseline + advantage).float())
        earned, of_all = self._earned(batch, chances)
        entropy, moved = 0.0, 0.0
        is_learned = any(str(kind) in self.actors for kind in batch.kinds)
        for _ in range(self.settings.actor_epochs if is_learned else 0):
            entropy, moved = self._improve_actor(batch, earned, of_all, entropy_weight, epsilon)
        self._batches += 1
        return {"critic_error": error, "entropy": entropy, "moved": moved, "advantage_sd": float(advantage.std())}

    def _earned(self, batch: Batch, chances: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the action of each decision earns, [n], and if all actions earn something what each does, [rows]."""
        advantage, baseline, worth = self._advantages(batch, chances)
        taken, kind = worth[batch.taken.numpy()], self.settings.advantage
        if kind == "robust":
            spread = float((taken - baseline).std()) + 1e-8
            above = (worth - baseline[batch.decision.numpy()]) / spread
            rest = (advantage + baseline - taken) / spread
            return torch.from_numpy(rest).float(), torch.from_numpy(above).float()
        earned = {"lambda": advantage, "coma": taken - baseline, "plain": advantage + baseline}[kind]
        return torch.from_numpy((earned - earned.mean()) / (earned.std() + 1e-8)).float(), None

    def _standardise(self, batch: Batch) -> None:
        """Of kinds of decision that there have been none of so far."""
        for kind, rows in batch.kinds.items():
            if kind in self._standardised:
                continue
            self._standardised.add(kind)
            if str(kind) in self.actors:
                _scorer(self.actors, kind).standardise(rows.features)
            _scorer(self.critics, kind).standardise(rows.critic)

    def _network(self, batch: Batch, wanted: Tensor | None) -> Tensor:
        """The network's numbers of all rows, or of those in a mask, in the order of rows."""
        out = torch.zeros(len(batch.decision))
        for kind, rows in batch.kinds.items():
            if str(kind) not in self.actors:
                continue
            picked = _picked(rows, wanted)
            place = rows.place if picked is None else rows.place[picked]
            features = rows.features if picked is None else rows.features[picked]
            out = out.index_copy(0, place, _scorer(self.actors, kind)(features))
        return out

    def _chances(self, batch: Batch, epsilon: float) -> Tensor:
        """Of each row under the present actor, which is the policy that acted until it is improved, [rows]."""
        with torch.no_grad():
            logits = self._network(batch, None) + batch.score
            return log_mixture_by(logits, batch.decision, batch.decisions, epsilon).exp()

    def _advantages(self, batch: Batch, chances: Tensor) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
        """A and b of each decision, [n], and Q of each row, under the present critic and a policy of these chances."""
        with torch.no_grad():
            worth = torch.zeros(len(batch.decision))
            for kind, rows in batch.kinds.items():
                worth[rows.place] = _scorer(self.critics, kind)(rows.critic)
            baseline = torch.zeros(batch.decisions).index_add(0, batch.decision, chances * worth)
        b = baseline.numpy().astype(np.float64)
        horizon_s = self.settings.horizon_s
        discount: Floats | float = 1.0 if horizon_s is None else np.exp(-batch.duration_s / horizon_s)
        found = advantages(-batch.cost, b, batch.last, self.settings.trace, discount)
        return found, b, worth.numpy().astype(np.float64)

    def _fit_critic(self, batch: Batch, target: Tensor) -> float:
        """One pass over the actions taken towards their lambda-returns; mean Huber loss."""
        losses = []
        for chosen in self._minibatches(batch.decisions):
            loss = torch.zeros(())
            for kind, rows in batch.kinds.items():
                mine = chosen[rows.taken[chosen] >= 0]
                if len(mine):
                    worth = _scorer(self.critics, kind)(rows.critic[rows.taken[mine]])
                    loss = loss + nn.functional.huber_loss(worth, target[mine], reduction="sum")
            loss = loss / len(chosen)
            descend(loss, self.critics, self._critic_steps, self.settings.largest_gradient)
            losses.append(float(loss.detach()))
        return float(np.mean(losses))

    def _improve_actor(
        self, batch: Batch, weight: Tensor, of_all: Tensor | None, entropy_weight: float, epsilon: float
    ) -> tuple[float, float]:
        """One pass of the clipped policy gradient; mean entropy, and mean change of the actions' log-chances."""
        entropies, moves = [], []
        for chosen in self._minibatches(batch.decisions):
            mask = torch.zeros(batch.decisions, dtype=torch.bool)
            mask[chosen] = True
            rows = mask[batch.decision]
            number = torch.cumsum(mask, 0) - 1
            decision = number[batch.decision[rows]]
            logits = self._network(batch, rows)[rows] + batch.score[rows]
            log_mu = log_mixture_by(logits, decision, len(chosen), epsilon)
            spread = torch.zeros(len(chosen)).index_add(0, decision, -log_mu.exp() * log_mu)
            everything = torch.zeros(len(batch.decision)).index_copy(0, torch.nonzero(rows).squeeze(1), log_mu)
            inside = torch.nonzero(mask).squeeze(1)
            change = everything[batch.taken[inside]] - batch.log_chance[inside]
            loss = -clipped(change, weight[inside], self.settings.clip).mean() - entropy_weight * spread.mean()
            if of_all is not None:
                loss = loss - (log_mu.exp() * of_all[rows]).sum() / len(chosen)
            descend(loss, self.actors, self._actor_steps, self.settings.largest_gradient)
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
