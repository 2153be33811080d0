"""The schemes that learn, by name: what each depends on, and what makes its learner.

All see the same observations and score candidates with the same network, so that what differs is how they learn. Torch
is loaded when a learner is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from simoffload.record.durable import RecordError

from ..tuned_index import ORDERS
from .directory import MOST
from .scheme import Scheme, Trainer
from .settings import (
    ComaSettings,
    CrossEntropySettings,
    DqnSettings,
    LinUcbSettings,
    PpoSettings,
    QmixSettings,
    TrainingSettings,
    Ucb1Settings,
)

if TYPE_CHECKING:
    from simoffload.schema import Scenario

    from .learner import Learner


def _train(
    scheme: Scheme, scenarios: Sequence[Scenario], budget: TrainingSettings, seed: int, directory: Path
) -> Trainer:
    from .training import Training

    return Training(scenarios, scheme, budget, seed, directory)


def _fit(
    scheme: Scheme, scenarios: Sequence[Scenario], budget: TrainingSettings, seed: int, directory: Path
) -> Trainer:
    """As many generations as make the episodes of the budget, validated as often."""
    from .cross_entropy import CrossEntropy

    settings = scheme.settings
    episodes = len(ORDERS) * settings.members * settings.episodes
    generations = max(2, round(budget.batches * budget.episodes / episodes))
    if generations > MOST:
        raise RecordError(
            f"{budget.batches} batches of {budget.episodes} episodes make {generations} generations of {scheme.name}, "
            f"{MOST} at most; lower either, or play more episodes a generation (members, episodes)"
        )
    fitted = replace(
        settings,
        generations=generations,
        validate_every=max(1, round(generations * budget.validate_every / budget.batches)),
        tasks=budget.tasks,
        validation_seeds=budget.validation_seeds,
        validation_tasks=budget.validation_tasks,
    )
    return CrossEntropy(scenarios, fitted, seed, directory)


BUDGETED = frozenset({"generations", "tasks", "validate_every", "validation_seeds", "validation_tasks"})
"""Settings of a fit that the budget makes."""


def _coma(settings: ComaSettings, seed: int) -> Learner:
    from .coma import Coma

    return Coma(settings, seed)


def _dqn(settings: DqnSettings, seed: int) -> Learner:
    from .dqn import dqn

    return dqn(settings, seed)


def _qmix(settings: QmixSettings, seed: int) -> Learner:
    from .qmix import qmix

    return qmix(settings, seed)


def _ippo(settings: PpoSettings, seed: int) -> Learner:
    from .ppo import ippo

    return ippo(settings, seed)


def _mappo(settings: PpoSettings, seed: int) -> Learner:
    from .ppo import mappo

    return mappo(settings, seed)


def _linucb(settings: LinUcbSettings, seed: int) -> Learner:
    from .linucb import LinUcb

    return LinUcb(settings)


def _ucb1(settings: Ucb1Settings, seed: int) -> Learner:
    from .ucb1 import Ucb1

    return Ucb1(settings)


def _no_learner(settings: CrossEntropySettings, seed: int) -> Learner:
    raise TypeError("prices are fitted by generations and not learned from batches")


SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme("ucb-coma", ComaSettings(), _coma, _train),
        Scheme("ucb-coma-argmax", ComaSettings(selection="argmax"), _coma, _train),
        Scheme("coma-epsilon", ComaSettings(exploration="epsilon"), _coma, _train),
        Scheme("coma-entropy", ComaSettings(exploration="entropy"), _coma, _train),
        Scheme("dqn", DqnSettings(), _dqn, _train),
        Scheme("qmix", QmixSettings(), _qmix, _train),
        Scheme("ippo", PpoSettings(), _ippo, _train),
        Scheme("mappo", PpoSettings(), _mappo, _train),
        Scheme("linucb", LinUcbSettings(), _linucb, _train),
        Scheme("ucb1", Ucb1Settings(), _ucb1, _train),
        Scheme("tuned-index", CrossEntropySettings(), _no_learner, _fit, BUDGETED),
    )
}
