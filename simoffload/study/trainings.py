"""Trainings of a study: each in its own directory, gone on with where it stopped, left alone once it is over."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..agents.learning.directory import CURVE_FILE, EPISODE_SEEDS, SETTINGS_FILE
from ..agents.learning.settings import TrainingSettings, told
from ..agents.learning.validation import VALIDATION_SEEDS
from ..agents.policy_file import POLICY_NAME, SUFFIXES
from ..record.durable import RecordError, contents, make_directory, read_json, write_durably, write_json
from ..run.code import state_of_code
from .cells import Stopped, what_counts
from .plan import TRAINED_FROM
from .provenance import UNKNOWN, States
from .reading import TrainingRun

if TYPE_CHECKING:
    from ..agents.learning.directory import Look
    from ..agents.learning.scheme import Trainer

FINISHED_FILE = "finished.json"
CODE_FILE = "code.json"
"""The states of the code that have taken steps of a training, in their order."""

_LASTING = (SETTINGS_FILE, CURVE_FILE, CODE_FILE, *(POLICY_NAME + suffix for suffix in SUFFIXES), FINISHED_FILE)
"""What is worth keeping of a training that is over; that it is over is said last."""

Watch = Callable[[float, str], bool]
"""Takes the share that is done and what to say of it; whether to go on."""


def is_finished(run: TrainingRun, directory: Path) -> bool:
    """Whether a directory holds this training, over; RecordError if it is over but of another one."""
    found = _finished(directory)
    if found not in (None, _key(run)):
        raise RecordError(f"{directory} holds a training with other settings; remove it, or give another directory")
    return found is not None


def hand_on(run: TrainingRun, source: Path, target: Path) -> bool:
    """Give another directory what lasts of this training; False where `source` does not hold it, over."""
    if _finished(source) != _key(run):
        return False
    make_directory(target)
    try:
        for name in _LASTING:
            if (source / name).exists():
                write_durably(target / name, contents(source / name))
    except OSError as error:
        raise RecordError(f"cannot read {error.filename or source}: {error.strerror or error}") from error
    return True


def _finished(directory: Path) -> str | None:
    """The key of a training that is over."""
    path = directory / FINISHED_FILE
    if not path.exists():
        return None
    found = read_json(path)
    if not isinstance(found, dict) or "training" not in found:
        raise RecordError(f"{path} is damaged: it names no training; remove {directory} to train anew")
    return str(found["training"])


def train(run: TrainingRun, directory: Path, workers: int, watch: Watch) -> None:
    """Begin the training or go on with it; Stopped when `watch` said no before its end."""
    states = [*states_of(directory)] if (directory / SETTINGS_FILE).exists() else []

    def look(each: Look) -> bool:
        if states[-1:] != [state_of_code()]:
            states.append(state_of_code())
            write_json(directory / CODE_FILE, states)
        return watch(each.share, each.text)

    training = _made(run, directory)
    training.run(workers, look)
    if not training.is_over:
        raise Stopped
    write_json(directory / FINISHED_FILE, {"training": _key(run)})


def states_of(directory: Path) -> States:
    """The states of the code that have taken steps of a training that was begun, in their order."""
    path = directory / CODE_FILE
    if not path.exists():
        return (UNKNOWN,)
    found = read_json(path)
    if not isinstance(found, list) or not found:
        raise RecordError(f"{path} is damaged: it names no states; remove {directory} to train anew")
    return tuple(map(str, found))


def _made(run: TrainingRun, directory: Path) -> Trainer:
    """A training that has not begun; all are validated alike."""
    assert min(EPISODE_SEEDS, VALIDATION_SEEDS) >= TRAINED_FROM, "held-out seeds are none of training"
    budget = run.budget
    settings = TrainingSettings(
        batches=budget.batches,
        episodes=budget.episodes,
        tasks=budget.tasks,
        validate_every=budget.validate_every,
        validation_seeds=max(budget.validation_seeds, len(run.scenarios)),
        validation_tasks=budget.validation_tasks,
    )
    return run.scheme.training(run.scenarios, settings, run.seed, directory)


def _key(run: TrainingRun) -> str:
    """What a training depends on, as one word."""
    settings = {"scheme": run.scheme.name, **told(run.scheme.settings), **run.budget.model_dump(exclude={"seeds"})}
    parts = [__version__, json.dumps(settings, sort_keys=True, default=str), str(run.seed)]
    parts += [what_counts(scenario) for scenario in run.scenarios]
    return blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()
