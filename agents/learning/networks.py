"""The networks in torch: the scorer of candidates that becomes the policy, and what its learning takes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ..network import Network
from ..scoring import ALLOWED

LEAST_RATE = 0.05
"""Share of a learning rate that is left at the end."""


class Scorer(nn.Module):
    """Rows [k, inputs] to a number per row, with fixed standardisation of the inputs."""

    def __init__(self, inputs: int, hidden: Sequence[int], zero_last: bool) -> None:
        super().__init__()
        sizes = [inputs, *hidden, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("scale", torch.ones(inputs))
        if zero_last:
            nn.init.zeros_(self.layers[-1].weight)  # type: ignore[arg-type]
            nn.init.zeros_(self.layers[-1].bias)  # type: ignore[arg-type]

    def forward(self, rows: Tensor) -> Tensor:
        hidden = (rows - self.mean) / self.scale
        for layer in self.layers[:-1]:
            hidden = torch.relu(layer(hidden))
        scored: Tensor = self.layers[-1](hidden)
        return scored.squeeze(-1)

    def standardise(self, rows: Tensor) -> None:
        """Take mean and scale from a sample of rows; columns that hardly vary keep a scale of 1."""
        self.mean.copy_(rows.mean(0))
        self.scale.copy_(spread_of(rows))

    def exported(self) -> Network:
        """The same function in numpy."""
        linear = [layer for layer in self.layers if isinstance(layer, nn.Linear)]
        return Network(
            mean=_array(self.mean),
            scale=_array(self.scale),
            weights=tuple(_array(layer.weight).T.copy() for layer in linear),
            biases=tuple(_array(layer.bias) for layer in linear),
        )


def spread_of(rows: Tensor) -> Tensor:
    """Standard deviation of each column, 1 where it hardly varies."""
    spread = rows.std(0)
    return torch.where(spread > 1e-3, spread, torch.ones_like(spread))


def _array(tensor: Tensor) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return tensor.detach().numpy().astype(np.float64)


def log_softmax_by(logits: Tensor, decision: Tensor, decisions: int) -> Tensor:
    """Log-softmax within each decision; `decision` [rows] holds the number of the one that a row belongs to."""
    top = torch.full((decisions,), -torch.inf).scatter_reduce(0, decision, logits.detach(), "amax")
    shifted = logits - top[decision]
    total = torch.zeros(decisions).index_add(0, decision, shifted.exp())
    return shifted - total.log()[decision]


def log_mixture_by(logits: Tensor, decision: Tensor, decisions: int, epsilon: float) -> Tensor:
    """Log-chances within each decision of the softmax with a floor: (1 - epsilon) softmax + epsilon / k.

    k are the rows that may be taken; those that may not keep next to no chance.
    """
    plain = log_softmax_by(logits, decision, decisions)
    if epsilon == 0.0:
        return plain
    allowed = logits > ALLOWED
    sizes = torch.bincount(decision[allowed], minlength=decisions)
    floored = torch.log((1.0 - epsilon) * plain.exp() + epsilon / sizes[decision])
    return torch.where(allowed, floored, plain)


def pooled_by(rows: Tensor, decision: Tensor, decisions: int) -> Tensor:
    """Mean, then maximum, of each column over the rows of each decision: [decisions, 2 columns]."""
    index = decision[:, None].expand_as(rows)
    sizes = torch.bincount(decision, minlength=decisions)[:, None]
    mean = torch.zeros(decisions, rows.shape[1]).index_add(0, decision, rows) / sizes
    return torch.cat([mean, torch.zeros_like(mean).scatter_reduce(0, index, rows, "amax", include_self=False)], dim=1)


def best_by(worth: Tensor, decision: Tensor, decisions: int) -> Tensor:
    """Number of the row of largest worth of each decision; of equal ones the first."""
    top = torch.full((decisions,), -torch.inf).scatter_reduce(0, decision, worth, "amax")
    number = torch.where(worth == top[decision], torch.arange(len(worth)), len(worth))
    return torch.full((decisions,), len(worth)).scatter_reduce(0, decision, number, "amin")


def clipped(change: Tensor, weight: Tensor, clip: float) -> Tensor:
    """What actions earn whose log-chances have changed so much: no more beyond a relative change of `clip`.

    Weights are what a change of the chance earns at first (Schulman et al. 2017).
    """
    ratio = change.exp()
    return torch.minimum(ratio * weight, ratio.clamp(1 - clip, 1 + clip) * weight)


def descend(loss: Tensor, networks: nn.Module, steps: torch.optim.Optimizer, largest_gradient: float) -> None:
    """A step of the optimiser of some networks down a loss, with a gradient of this norm at most."""
    steps.zero_grad()
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(networks.parameters(), largest_gradient)
    steps.step()


def slow_down(steps: torch.optim.Optimizer, rate: float, progress: float) -> None:
    """Let the learning rate fall evenly from `rate` to `LEAST_RATE` of it as `progress` goes from 0 to 1."""
    for group in steps.param_groups:
        group["lr"] = rate * max(1.0 - progress, LEAST_RATE)
