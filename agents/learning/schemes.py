"""The schemes that learn, by name: what each depends on, and what makes its learner.

All see the same observations and score candidates with the same network, so that what differs is how they learn. Torch
is loaded when a learner is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import TypeAdapter, ValidationError

from simoffload.schema.problems import nearest

from .settings import ComaSettings

if TYPE_CHECKING:
    from .learner import Learner


@dataclass(frozen=True, slots=True)
class Scheme:
    """A way to learn: `settings` is a frozen dataclass that `make` takes with a seed."""

    name: str
    settings: Any
    make: Callable[[Any, int], Learner]

    def learner(self, seed: int) -> Learner:
        """A learner at its beginning."""
        return self.make(self.settings, seed)

    def changed(self, given: Mapping[str, str]) -> Scheme:
        """The scheme with settings as somebody typed them; ValueError where there is no such name or value."""
        names = [field.name for field in fields(self.settings)]
        for name in given:
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
            name = str(first["loc"][0])
            raise ValueError(f"{name}={given.get(name)}: {first['msg']}") from None


def _read(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _coma(settings: ComaSettings, seed: int) -> Learner:
    from .coma import Coma

    return Coma(settings, seed)


SCHEMES: Mapping[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme("ucb-coma", ComaSettings(), _coma),
        Scheme("ucb-coma-argmax", ComaSettings(selection="argmax"), _coma),
        Scheme("coma-epsilon", ComaSettings(exploration="epsilon"), _coma),
        Scheme("coma-entropy", ComaSettings(exploration="entropy"), _coma),
    )
}
