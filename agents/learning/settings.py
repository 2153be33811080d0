"""What the schemes that learn depend on besides their episodes; torch is not needed to say it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Widths = Annotated[tuple[Count, ...], Field(min_length=1)]
"""Units of the hidden layers of a network."""


@dataclass(frozen=True, slots=True)
class ComaSettings:
    """UCB-COMA, and with other ways to explore COMA."""

    exploration: Literal["ucb", "epsilon", "entropy"] = "ucb"
    """ucb: a bonus for kinds of action tried little; epsilon: a floor of uniform choice; entropy: its bonus alone."""
    selection: Literal["tilt", "none", "argmax"] = "tilt"
    """As `Tilt` reads it."""
    c: NotNegative = 1.0
    """Of the UCB bonus at the beginning; it falls to 0 over the first `exploring` of the batches."""
    epsilon: Share = 0.2
    """Chance of a uniform action at the beginning, falling in the same way."""
    exploring: Share = 0.5
    discount: Share = 0.9
    """Of the counts, from batch to batch."""
    entropy: NotNegative = 0.01
    """Weight of the entropy at the beginning, falling to 0 at the end."""
    hidden: Widths = (32, 32)
    critic_hidden: Widths = (64, 64)
    actor_rate: Positive = 1e-3
    critic_rate: Positive = 2e-3
    trace: Share = 0.9
    """lambda of the advantages."""
    clip: Share = 0.2
    """Largest relative change of a chance that still earns (Schulman et al. 2017)."""
    actor_epochs: Count = 4
    critic_epochs: Count = 6
    first_critic_epochs: Count = 30
    minibatch: Count = 4096
    """Decisions per step of the optimiser."""
    largest_gradient: Positive = 1.0
    advantage: Literal["lambda", "coma", "robust", "plain"] = "lambda"
    """What an action earns.

    lambda: how much better it went than the counterfactual baseline, over the steps that follow. coma: Q - baseline, as
    in Foerster et al. 2018. robust: Q - baseline of all actions, and of the one taken what Q did not foresee (doubly
    robust). plain: the lambda-return without a baseline.
    """
    positions: bool = True
    """Whether the policy learns where to put work; if not, the rule decides."""
    orders: bool = False
    """Whether the policy chooses among waiting jobs too."""
    residual: bool = True
    """Whether the network corrects the rule; if not, it begins from scratch."""
    kappa: NotNegative = 8.0
    kappa_order: NotNegative = 2.0
