"""What a training leaves in its directory besides its policy, and how one that was stopped finds it again."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from simoffload.record.durable import RecordError, make_directory, write_durably
from simoffload.record.manifest import versions
from simoffload.schema import Scenario
from simoffload.schema.writing import dump_scenario

from .validation import Validation

CURVE_FILE, SETTINGS_FILE, SCENARIO_FILE = "curve.csv", "settings.json", "scenario.yaml"
COMMAND_FILE = "command.txt"
_EARLIER = re.compile(r"scenario(-[0-9]+)?\.yaml|command\.txt|tensorboard|.*\.tmp")
"""What may be there before a training has begun."""
EPISODE_SEEDS = 1_000_000_000
"""Where the seeds of episodes begin; other seeds of a scenario do not meet them."""
MOST = 1000
"""Seeds of trainings, batches, and episodes of a batch; with no more than these no two episodes share a seed."""

Row = dict[str, float]
"""Of the learning curve, by name of the column; `validation` is nan where none took place."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far training has come."""

    share: float
    wall_s: float
    text: str
    row: Row


Watch = Callable[[Look], bool]
"""Is shown every row as it comes, and says whether to go on."""


def episode_seed(training: int, batch: int, number: int) -> int:
    """Seed of an episode of a batch of the training with this seed."""
    return EPISODE_SEEDS + training * 1_000_000 + batch * 1000 + number


def check_place(directory: Path) -> None:
    """RecordError where a directory holds no training, but something else."""
    if (directory / SETTINGS_FILE).exists() or not directory.is_dir():
        return
    others = sorted(each.name for each in directory.iterdir() if not _EARLIER.fullmatch(each.name))
    if others:
        raise RecordError(f"{directory} holds no training, but '{others[0]}'; give another directory")


def is_begun(directory: Path, scenarios: Sequence[Scenario], settings: Mapping[str, Any]) -> bool:
    """Whether a directory holds this very training; if it holds none, it is made and gets scenarios and settings.

    RecordError if it holds one of other scenarios or settings, or something else.
    """
    check_place(directory)
    contents = _contents(scenarios, settings)
    if (directory / SETTINGS_FILE).exists():
        for name, content in contents.items():
            if not _holds(directory / name, content):
                raise RecordError(f"{directory / name} is of a training with other settings; give another directory")
        return True
    make_directory(directory)
    for name, content in reversed(contents.items()):
        write_durably(directory / name, content)
    return False


def identity(scenarios: Sequence[Scenario], settings: Mapping[str, Any]) -> str:
    """SHA-256 of all that a training depends on, for its checkpoints to tell whose they are."""
    digest = sha256()
    for name, content in _contents(scenarios, settings).items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def check_saved(found: Mapping[str, Any], own: str, step: str) -> None:
    """ValueError where a checkpoint is not of the training of this `identity`, or its curve not of its last `step`."""
    done, rows = int(found[step]), len(found["curve"])
    if found["of"] != own:
        raise ValueError("it is of another training")
    if done != rows:
        raise ValueError(f"it is of {step} {done}, and its curve has {rows}")


def _contents(scenarios: Sequence[Scenario], settings: Mapping[str, Any]) -> dict[str, bytes]:
    """The files that say what a training depends on; the first, which says that it has begun, is written last."""
    contents = {SETTINGS_FILE: (json.dumps(settings, indent=2) + "\n").encode()}
    for number, scenario in enumerate(scenarios):
        name = SCENARIO_FILE if number == 0 else f"scenario-{number + 1}.yaml"
        contents[name] = dump_scenario(scenario).encode()
    return contents


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def write_curve(directory: Path, curve: Sequence[Row]) -> None:
    """Write the rows of the curve."""
    text = io.StringIO()
    table = csv.DictWriter(text, list(curve[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(curve)
    write_durably(directory / CURVE_FILE, text.getvalue().encode())


def progress_text(curve: Sequence[Row], validation: Validation) -> str:
    """Objective of the last row, and the last validation against the best rule."""
    level, best = min((level, name) for name, level in validation.of_rules().items())
    known = [row["validation"] for row in curve if not math.isnan(row["validation"])]
    gain = f", {100 * (known[-1] / level - 1):+.1f} % against {best} ({level:.3f})" if known else ""
    return f"objective {curve[-1]['objective']:.3f}{gain}"


def note_command(directory: Path, command: str) -> None:
    """Keep the command that a training is begun with, for the policy's card; only the first one counts."""
    if not (directory / COMMAND_FILE).exists():
        make_directory(directory)
        write_durably(directory / COMMAND_FILE, f"{command}\n".encode())


def origin(
    directory: Path,
    scenarios: Sequence[Scenario],
    settings: Mapping[str, Any],
    curve: Sequence[Row],
    validation: Validation,
) -> dict[str, Any]:
    """What a policy's card says of where it comes from; the last row of the curve is that of the policy."""
    first, row, noted = scenarios[0], curve[-1], directory / COMMAND_FILE
    return {
        "command": noted.read_text(encoding="utf-8").strip() if noted.exists() else None,
        "scenario": first.name,
        "scenarios": [sha256(dump_scenario(each).encode()).hexdigest() for each in scenarios],
        "references": {
            "latency_s": first.objective.latency_reference,
            "cost_usd": first.objective.cost_reference,
        },
        "training": dict(settings),
        "versions": versions(),
        "validation": {"policy": row["validation"], **validation.of_rules()},
        "curve": [[each["decisions"], each["validation"]] for each in curve if not math.isnan(each["validation"])],
        "decisions": row["decisions"],
    }
