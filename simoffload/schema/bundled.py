"""What comes with the package: scenarios by name, and a catalogue of hardware, models, serving laws and prices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from .document import plain
from .messages import problems_of
from .problems import ScenarioError
from .reader import parse, read_source
from .scenario import Catalogue, Scenario

_CATALOGUE = Path(__file__).parent / "catalogue"
_SCENARIOS = Path(__file__).parent.parent / "scenarios"


def bundled_scenarios() -> dict[str, Path]:
    """The scenarios that come with the package, by name, such as ``smart-factory`` or ``theory/mm1``."""
    return dict(_scenario_files())


@lru_cache(maxsize=1)
def _scenario_files() -> tuple[tuple[str, Path], ...]:
    files = sorted(path for path in _SCENARIOS.rglob("*.yaml") if path.is_file())
    return tuple((path.relative_to(_SCENARIOS).with_suffix("").as_posix(), path) for path in files)


@lru_cache(maxsize=1)
def bundled_catalogue() -> Catalogue:
    """All files of the bundled catalogue as one."""
    parts = list(_parts())
    return Catalogue(
        hardware={name: entry for part in parts for name, entry in part.hardware.items()},
        models={name: entry for part in parts for name, entry in part.models.items()},
        laws=[law for part in parts for law in part.laws],
        prices={name: entry for part in parts for name, entry in part.prices.items()},
    )


def whole_catalogue(scenario: Scenario) -> Catalogue:
    """The bundled catalogue with the scenario's own entries added or put in place of its own; later laws win."""
    bundled, own = bundled_catalogue(), scenario.catalogue
    return Catalogue.model_construct(
        hardware={**bundled.hardware, **own.hardware},
        models={**bundled.models, **own.models},
        laws=[*bundled.laws, *own.laws],
        prices={**bundled.prices, **own.prices},
    )


def _parts() -> Iterator[Catalogue]:
    for path in sorted(_CATALOGUE.glob("*.yaml")):
        tree = parse(read_source(path))
        try:
            yield Catalogue.model_validate(plain(tree))
        except ValidationError as error:
            raise ScenarioError(problems_of(error, Catalogue, tree)) from None
