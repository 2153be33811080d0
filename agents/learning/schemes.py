"""The schemes that learn, by name: what each depends on, and what makes its learner.

All see the same observations and score candidates with the same network, so that what differs is how they learn. Torch
is loaded when a learner is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import yaml
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from simoffload.schema.problems import nearest

from ..tuned_index import ORDERS
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

    from .directory import Row, Watch
    from .learner import Learner


class Trainer(Protocol):
    """A training in a directory."""

    @property
    def batch(self) -> int:
        """Batches done."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do."""

    def run(self, workers: int, watch: Watch) -> Row:
        """Begin, or go on where it stopped, to the end or until `watch` returns False; the last row of the curve."""


class Begin(Protocol):
    """What makes the training of a scheme."""

    def __call__(
        self, scheme: Scheme, scenarios: Sequence[Scenario], budget: TrainingSettings, seed: int, directory: Path
    ) -> Trainer:
        """A training of `budget` that has not begun, or goes on in its directory when it is run."""


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


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to learn: `settings` is a frozen dataclass that `make` takes with a seed."""

    name: str
    settings: Any
    make: Callable[[Any, int], Learner]
    begin: Begin = _train
    budgeted: frozenset[str] = frozenset()
    """Settings that follow from the budget of a training, so that nobody may change them."""

    def learner(self, seed: int) -> Learner:
        """A learner at its beginning."""
        return self.make(self.settings, seed)

    def training(self, scenarios: Sequence[Scenario], budget: TrainingSettings, seed: int, directory: Path) -> Trainer:
        """A training of the scheme on one or several scenarios."""
        return self.begin(self, scenarios, budget, seed, directory)

    def changed(self, given: Mapping[str, str]) -> Scheme:
        """The scheme with settings as somebody typed them; ValueError where there is no such name or value."""
        names = [field.name for field in fields(self.settings) if field.name not in self.budgeted]
        for name in given:
            if name in self.budgeted:
                raise ValueError(f"{self.name} takes {name} from the budget; it has {', '.join(names)}")
            if name not in names:
                close = nearest(name, names)
                meant = f"; did you mean '{close}'?" if close else f"; it has {', '.join(names)}"
                raise ValueError(f"{self.name} has no setting '{name}'{meant}")
        adapter = TypeAdapter(type(self.settings))
        values = {**asdict(self.settings), **{name: _read(text) for name, text in given.items()}}
        try:
            return replace(self, settings=adapter.validate_python(values))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            what = f"{name}={given.get(name)}: " if name else ""
            raise ValueError(what + first["msg"].removeprefix("Value error, ") + _meant(first, given)) from None


def _meant(error: ErrorDetails, given: Mapping[str, str]) -> str:
    """Where one of some words was wanted, the one that is nearest to what was typed."""
    words = re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))
    close = nearest(given.get(str(error["loc"][0]), ""), words) if words and error["loc"] else None
    return f"; did you mean '{close}'?" if close else ""


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


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
        Scheme("ucb-coma", ComaSettings(), _coma),
        Scheme("ucb-coma-argmax", ComaSettings(selection="argmax"), _coma),
        Scheme("coma-epsilon", ComaSettings(exploration="epsilon"), _coma),
        Scheme("coma-entropy", ComaSettings(exploration="entropy"), _coma),
        Scheme("dqn", DqnSettings(), _dqn),
        Scheme("qmix", QmixSettings(), _qmix),
        Scheme("ippo", PpoSettings(), _ippo),
        Scheme("mappo", PpoSettings(), _mappo),
        Scheme("linucb", LinUcbSettings(), _linucb),
        Scheme("ucb1", Ucb1Settings(), _ucb1),
        Scheme("tuned-index", CrossEntropySettings(), _no_learner, _fit, BUDGETED),
    )
}
