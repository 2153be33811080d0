"""Entrants: the agents of a study by name, each with the one or several policies that stand for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import agents
from ..decision.agent import ORDERS
from .cells import policy_key
from .reading import Study

TRAININGS = "trainings"
"""Directory of a study's trainings."""
WEIGHTS = Path(agents.__file__).parent / "weights"
"""Trained policies that come with the package, by the name of their agent."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """What acts under a name: `loads` is understood by `load_agent`, `key` tells it from all others."""

    name: str
    loads: str
    key: str


def holds_trainings(directory: Path) -> bool:
    """Whether this is the directory, or the results, of a study that trains."""
    return (directory / TRAININGS).is_dir()


def policy_path(directory: Path, training: str) -> Path:
    """Where a training of a study in `directory` leaves its policy, without suffix."""
    return directory / TRAININGS / training / "policy"


def entrants(study: Study, agent: str, directory: Path) -> tuple[Entrant, ...]:
    """One for each training seed of an agent that the study trains, ``<agent>/<seed>``; else the agent itself."""
    seeds = study.seeds_of(agent)
    if seeds:
        paths = {seed: policy_path(directory, f"{agent}-{seed}") for seed in seeds}
        return tuple(Entrant(f"{agent}/{seed}", f"trained:{path}", policy_key(path)) for seed, path in paths.items())
    return (Entrant(agent, agent, _key(agent)),)


def _key(agent: str) -> str:
    """Of an agent that the study does not train: its name, with that of its files if it has any."""
    head, colon, argument = agent.partition(":")
    if colon:
        return f"{head}-{_key(argument) if head in ORDERS else policy_key(Path(argument))}"
    return f"{agent}-{policy_key(WEIGHTS / agent)}" if any(WEIGHTS.glob(f"{agent}.*")) else agent
