"""A scheme: a way to learn, what it depends on, and how its training is begun."""

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

from .settings import ComaSettings, TrainingSettings

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


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to learn: `settings` is a frozen dataclass that `make` takes with a seed."""

    name: str
    settings: Any
    make: Callable[[Any, int], Learner]
    begin: Begin
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
            settings = adapter.validate_python(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0]) if first["loc"] else ""
            what = f"{name}={given.get(name)}: " if name else ""
            raise ValueError(what + first["msg"].removeprefix("Value error, ") + _meant(first, given)) from None
        idle = settings.idle() if isinstance(settings, ComaSettings) else {}
        for name in given:
            if name in idle:
                raise ValueError(f"{name}={given[name]} would change nothing: {idle[name]}")
        return replace(self, settings=settings)


def _meant(error: ErrorDetails, given: Mapping[str, str]) -> str:
    """Where one of some words was wanted, the one that is nearest to what was typed; how several values are written."""
    if error["type"] == "tuple_type":
        return "; several values are written as [32, 32], a single one as [32]"
    words = re.findall(r"'([^']+)'", str(error.get("ctx", {}).get("expected", "")))
    close = nearest(given.get(str(error["loc"][0]), ""), words) if words and error["loc"] else None
    return f"; did you mean '{close}'?" if close else ""


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text
