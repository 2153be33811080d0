"""What the schemes that learn depend on besides their episodes; torch is not needed to say it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
LARGEST = 1e6
"""Beyond it no weight, rate or time is of any use, and sums of several leave the range of single precision."""
NotNegative = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=4096)]
Widths = Annotated[tuple[Width, ...], Field(min_length=1, max_length=8)]
"""Units of the hidden layers of a network."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What a training run depends on besides the scenario and the seed."""

    batches: Count = 40
    episodes: Count = 12
    """Episodes of a batch."""
    tasks: Count = 250
    """Tasks of an episode."""
    validate_every: Count = 5
    validation_seeds: Count = 8
    validation_tasks: Count = 600
    patience: Annotated[int, Field(ge=0)] = 0
    """Validations without a new best after which training ends early; 0: never."""


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
    entropy: NotNegative = 0.002
    """Weight of the entropy at the beginning, falling to 0 at the end."""
    hidden: Widths = (32, 32)
    critic_hidden: Widths = (64, 64)
    actor_rate: Positive = 3e-3
    critic_rate: Positive = 2e-3
    trace: Share = 0.98
    """lambda of the advantages, from anybody's decision to the next; 50 of them are some 15 s of the smart factory."""
    horizon_s: Positive | None = None
    """Time after which what follows counts 1 / e; None: all of it counts."""
    clip: Share = 0.2
    """Largest relative change of a chance that still earns (Schulman et al. 2017)."""
    actor_epochs: Count = 4
    critic_epochs: Count = 6
    first_critic_epochs: Count = 30
    minibatch: Count = 1024
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
    orders: bool = True
    """Whether the policy chooses among waiting jobs too."""
    orders_from: Annotated[int, Field(ge=2)] = 4
    """How many must wait for the policy to choose among them; of fewer the first come goes, and no decision is made.

    Orders of short lines are a fifth of all decisions and bring nothing: left alone, they leave a budget of decisions
    for what does.
    """
    residual: bool = True
    """Whether the network corrects the rule; if not, it begins from scratch."""
    optimism: NotNegative | None = None
    """Of the rule, which then reckons with the speeds that homes have measured while running, as `eft-ucb` does with
    0.1 and `eft-measured` with 0; None: it takes nodes to be as fast as the plant's description says."""
    kappa: NotNegative = 8.0
    kappa_order: NotNegative = 2.0

    def __post_init__(self) -> None:
        if not (self.positions or self.orders):
            raise ValueError("with neither positions nor orders there is nothing to learn")

    def idle(self) -> dict[str, str]:
        """Settings that change nothing beside the others, each with the one that makes it so."""
        idle: dict[str, str] = {}
        if self.exploration != "ucb":
            idle |= dict.fromkeys(("c", "discount"), f"exploration is {self.exploration}")
        elif self.selection == "none":
            idle |= dict.fromkeys(("c", "discount"), "selection is none")
        if self.exploration != "epsilon":
            idle["epsilon"] = f"exploration is {self.exploration}"
        if self.exploration == "entropy":
            idle["exploring"] = "exploration is entropy"
        if not self.orders:
            idle |= dict.fromkeys(("orders_from", "kappa_order"), "orders is false")
        if not self.residual:
            idle |= dict.fromkeys(("kappa", "kappa_order", "optimism"), "residual is false")
        return idle


@dataclass(frozen=True, slots=True)
class QSettings:
    """What both learners of worths depend on."""

    hidden: Widths = (32, 32)
    kappa: NotNegative = 0.5
    """What a finish later by L_ref costs, as a first guess, in units of the objective."""
    rate: Positive = 1e-3
    """Learning rate at the beginning; it falls evenly."""
    replay: Count = 4
    """Batches that are kept."""
    updates: Count = 200
    """Steps per batch of episodes."""
    minibatch: Count = 256
    """Decisions per step."""
    target_every: Count = 100
    """Steps after which the target becomes the present network."""
    epsilon: Share = 0.1
    """Chance of a uniform action at the beginning."""
    least_epsilon: Share = 0.01
    """The same from when the first `exploring` of the batches are over."""
    exploring: Share = 0.5
    horizon_s: Positive = 30.0
    """Time after which what follows counts 1 / e; a longer one lets more noise in."""
    largest_error: Positive = 10.0
    """Errors above it count linearly, not by their square."""
    largest_gradient: Positive = 10.0


@dataclass(frozen=True, slots=True)
class DqnSettings(QSettings):
    """Double, duelling DQN."""

    value_hidden: Widths = (64, 64)


@dataclass(frozen=True, slots=True)
class QmixSettings(QSettings):
    """QMIX."""

    mixing: Width = 16
    """Units of the hidden layer that utilities are mixed in."""
    mixing_hidden: Width = 32
    """Units of the hidden layers of the networks that make the weights."""


@dataclass(frozen=True, slots=True)
class PpoSettings:
    """Independent and multi-agent PPO."""

    entropy: NotNegative = 0.002
    """Weight of the entropy at the beginning, falling to 0 at the end."""
    hidden: Widths = (32, 32)
    critic_hidden: Widths = (64, 64)
    actor_rate: Positive = 3e-3
    critic_rate: Positive = 2e-3
    trace: Share = 0.9
    """lambda of the advantages, from a home's decision to its next."""
    clip: Share = 0.2
    actor_epochs: Count = 4
    critic_epochs: Count = 6
    first_critic_epochs: Count = 30
    minibatch: Count = 512
    """Decisions per step of the optimiser."""
    largest_error: Positive = 10.0
    """Errors of the critic above it count linearly, not by their square."""
    largest_gradient: Positive = 1.0
    kappa: NotNegative = 8.0


@dataclass(frozen=True, slots=True)
class LinUcbSettings:
    """The contextual bandit with linear costs."""

    alpha: NotNegative = 1.0
    """Of the bonus: standard errors of the estimated cost."""
    ridge: Positive = 1.0
    """Weight of keeping coefficients small, in observations."""
    discount: Share = 0.9
    """Of older batches, from batch to batch."""
    kappa: NotNegative = 0.5
    """What a finish later by L_ref costs beyond what is linear in the features; 0: nothing."""


@dataclass(frozen=True, slots=True)
class Ucb1Settings:
    """The bandit with a table of costs."""

    c: NotNegative = 0.2
    """Of the bonus, in units of the objective."""
    discount: Share = 1.0
    """Of older batches, from batch to batch; below 1 all homes go one way in one batch and another in the next."""


@dataclass(frozen=True, slots=True)
class CrossEntropySettings:
    """What a fit depends on besides the scenario and the seed."""

    generations: Count = 12
    members: Annotated[int, Field(ge=2)] = 20
    """Of a generation, for each order; the first is the law's centre."""
    episodes: Count = 1
    """That every member of a generation plays."""
    tasks: Count = 250
    """Tasks of an episode."""
    elite: Share = 0.25
    """Share of the members that the law moves towards."""
    smoothing: Share = 0.7
    """How far it moves: 1 makes the elite's mean and deviation its own."""
    spread: NotNegative = 0.5
    """Standard deviation of every price at the beginning."""
    validate_every: Count = 2
    validation_seeds: Count = 8
    validation_tasks: Count = 600


def told(settings: Any) -> dict[str, Any]:
    """Settings by name, as the directory and the key of a training have them, without late ones that change nothing.

    A training that was begun before there was such a setting is then still the same training.
    """
    late = {("horizon_s", None), ("orders_from", 2)}
    return {name: value for name, value in asdict(settings).items() if (name, value) not in late}
