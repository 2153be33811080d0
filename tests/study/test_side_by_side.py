"""Trainings side by side are those that one after the other would be, and stop and fail as those do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simoffload.record.durable import RecordError
from simoffload.study.cells import Stopped
from simoffload.study.reading import TrainingRun, read_study
from simoffload.study.side_by_side import train_all
from simoffload.study.trainings import is_finished

from .examples import MINI, write

FOUR_TUNED = (
    re.sub("scheme: ucb-coma, learner: {.*}}", "scheme: tuned-index}", MINI)
    .replace("batches: 1, episodes: 1, tasks: 8,", "batches: 60, episodes: 4, tasks: 8,")
    .replace("seeds: [1, 2]", "seeds: [1, 2, 3, 4]")
)
"""Trainings that begin at once, for they need no torch, and that are not over when their first word comes."""


def runs(tmp_path: Path, home: str) -> dict[Path, TrainingRun]:
    study = read_study(write(tmp_path, MINI))
    return {tmp_path / home / run.directory: run for run in study.trainings}


def weights(runs: dict[Path, TrainingRun]) -> list[bytes]:
    return [(directory / "policy.safetensors").read_bytes() for directory in runs]


@pytest.mark.usefixtures("in_turn")  # of this process; those of the two have players of their own
def test_two_at_once_learn_what_they_learn_in_turn(tmp_path: Path) -> None:
    apart, together = runs(tmp_path, "apart"), runs(tmp_path, "together")
    said: list[str] = []
    train_all(together, 2, lambda directory, share, text: not said.append(directory.name))  # type: ignore[func-returns-value]
    train_all(apart, 1, lambda directory, share, text: True)
    assert weights(together) == weights(apart)
    assert set(said) == {directory.name for directory in together}
    assert all(is_finished(run, directory) for directory, run in together.items())


def test_a_no_ends_those_under_way_and_what_one_raises_is_raised(tmp_path: Path) -> None:
    those = {tmp_path / run.directory: run for run in read_study(write(tmp_path, FOUR_TUNED)).trainings}
    with pytest.raises(Stopped):
        train_all(those, 2, lambda directory, share, text: False)
    begun = [directory for directory in those if directory.exists()]
    assert [directory.name for directory in begun] == ["learner-1", "learner-2"]  # the others wait still
    (begun[0] / "checkpoint.json").write_bytes(b"none")
    with pytest.raises(RecordError, match="checkpoint"):
        train_all({directory: those[directory] for directory in begun}, 2, lambda directory, share, text: True)
