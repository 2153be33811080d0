"""Double Q-learning from the plays of the last batches, whatever the worth of a decision is made of.

A home decides again when its next subtask is ready, so a transition goes from one of its decisions to its next one, and
costs what the whole plant incurs meanwhile, for that is what the homes share. A step draws decisions from the replay
and moves the worth of what was done there towards

    -cost + exp(-time / horizon) x Q'(next, argmax_a Q(next, a)),

cost above the mean rate and time until that next decision, a semi-Markov process (Bradtke, Duff 1995); Q' is the
network as it was some steps ago (Mnih et al. 2015), Q the present one (van Hasselt et al. 2016). The end of an episode
is worth 0.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..policy_file import write_policy
from ..scoring import Heads, ScoringAgent
from .batch import Batch, batch_of
from .greedy import EpsilonGreedy, falling
from .networks import Scorer, descend, slow_down
from .replay import Replay
from .returns import Steps, own_steps
from .rollout import Episode
from .settings import QSettings


class Worth(nn.Module):
    """Q of decisions; what the two kinds of it, of one home and of all, do in their own ways."""

    scorer: Scorer
    """The policy's network."""

    def view(self, batch: Batch) -> Any:
        """What is worked out once of a batch that is sampled many times."""
        raise NotImplementedError

    def standardise(self, view: Any) -> None:
        """Take means and scales of what the networks read from a view."""
        raise NotImplementedError

    def of(self, view: Any, chosen: Tensor, taken: Tensor) -> Tensor:
        """Q of the decisions chosen if they take the rows `taken`, [chosen]."""
        raise NotImplementedError

    def best(self, view: Any, chosen: Tensor) -> Tensor:
        """The rows of largest Q, [chosen]."""
        raise NotImplementedError


class QLearner:
    """Q, the target Q, and the plays of the last batches."""

    def __init__(self, settings: QSettings, seed: int, make: Callable[[], Worth]) -> None:
        torch.manual_seed(seed)
        self.settings = settings
        self.online = make()
        self.target = copy.deepcopy(self.online)
        self._steps = torch.optim.Adam(self.online.parameters(), settings.rate)
        self._replay = Replay(settings.replay)
        self._draws = np.random.default_rng(seed)
        self._updates = 0

    def heads(self) -> Heads:
        """The policy as it is now, in numpy."""
        return Heads(self.online.scorer.exported(), None, self.settings.kappa, 0.0)

    def agent(self) -> ScoringAgent:
        """The policy as it is now, taking the best row."""
        return ScoringAgent(self.heads())

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write the policy as PATH.safetensors and PATH.json."""
        write_policy(path, self.heads(), card)

    def behaviour(self, progress: float) -> EpsilonGreedy:
        """The policy with what is left of its exploration."""
        settings = self.settings
        epsilon = falling(settings.epsilon, settings.least_epsilon, progress, settings.exploring)
        return EpsilonGreedy(self.heads(), epsilon)

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Keep a batch, and take steps on samples of all that is kept."""
        slow_down(self._steps, self.settings.rate, progress)
        self._replay.add(episodes)
        batch = batch_of(self._replay.episodes())
        view = self.online.view(batch)
        steps = own_steps(batch.home, batch.cost, batch.duration_s, batch.last)
        if self._updates == 0:
            self.online.standardise(view)
        errors, worths = [], []
        for _ in range(self.settings.updates):
            if self._updates % self.settings.target_every == 0:
                self.target.load_state_dict(self.online.state_dict())
            chosen = torch.from_numpy(self._draws.integers(batch.decisions, size=self.settings.minibatch))
            worth = self.online.of(view, chosen, batch.taken[chosen])
            goal = self.goal(view, steps, chosen)
            loss = nn.functional.huber_loss(worth, goal, delta=self.settings.largest_error)
            descend(loss, self.online, self._steps, self.settings.largest_gradient)
            self._updates += 1
            errors.append(float(loss.detach()))
            worths.append(float(worth.detach().mean()))
        return {"error": float(np.mean(errors)), "worth": float(np.mean(worths))}

    @torch.no_grad()
    def goal(self, view: Any, steps: Steps, chosen: Tensor) -> Tensor:
        """What Q of the actions taken should be, [chosen]."""
        numbers = chosen.numpy()
        following = torch.from_numpy(steps.following[numbers])
        goes_on = following >= 0
        ahead = torch.zeros(len(chosen))
        if goes_on.any():
            then = following[goes_on]
            ahead[goes_on] = self.target.of(view, then, self.online.best(view, then))
        discount = torch.from_numpy(np.exp(-steps.duration_s[numbers] / self.settings.horizon_s)).float()
        return discount * ahead - torch.from_numpy(steps.cost[numbers]).float()

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as tensors and plain data."""
        return {
            "online": self.online.state_dict(),
            "target": self.target.state_dict(),
            "steps": self._steps.state_dict(),
            "replay": self._replay.state(),
            "draws": json.dumps(self._draws.bit_generator.state),
            "updates": self._updates,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
        self.online.load_state_dict(state["online"])
        self.target.load_state_dict(state["target"])
        self._steps.load_state_dict(state["steps"])
        self._replay.restore(state["replay"])
        self._draws.bit_generator.state = json.loads(state["draws"])
        self._updates = int(state["updates"])
