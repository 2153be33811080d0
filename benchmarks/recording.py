"""What a record costs: CPU time per row of a subtask, and bytes per row on disk.

The rows are those of a run of the smart factory, handed to a recorder again; the files are written as in a run.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simoffload.run.agents import load_agent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.world.job import Job

from .rounds import Program

ON_DISK = "row of a subtask: statistics, fingerprint, file"
NOT_KEPT = "row of a subtask: statistics, fingerprint"


@dataclass(frozen=True, slots=True)
class Size:
    """Rows of subtasks on disk, and the bytes of their files."""

    rows: int
    bytes: int


class Keeper(Recorder):
    """A recorder that keeps the jobs themselves."""

    jobs: list[Job]

    def subtask_done(self, job: Job) -> None:
        """Keep it."""
        self.jobs.append(job)


def jobs_of(scenario: Scenario) -> list[Job]:
    """The jobs of a run under `eft`, in the order in which they ended."""
    keeper = Keeper(scenario.objective, _nodes(scenario), scenario.warm_up, None, 0, _nothing)
    keeper.jobs = []
    world = World(scenario, load_agent("eft"), keeper)
    world.begin()
    world.kernel.advance(math.inf)
    return keeper.jobs


def programs(scenario: Scenario, jobs: Sequence[Job]) -> Sequence[Program]:
    """A recorder given all jobs, with and without files."""

    def on_disk() -> None:
        with tempfile.TemporaryDirectory() as directory:
            _record(scenario, jobs, Path(directory))

    return [
        Program(NOT_KEPT, len(jobs), lambda: _record(scenario, jobs, None)),
        Program(ON_DISK, len(jobs), on_disk),
    ]


def size_on_disk(scenario: Scenario, jobs: Sequence[Job]) -> Size:
    """The files of the subtasks."""
    with tempfile.TemporaryDirectory() as directory:
        _record(scenario, jobs, Path(directory))
        return Size(len(jobs), sum(part.stat().st_size for part in Path(directory, "subtasks").iterdir()))


def _record(scenario: Scenario, jobs: Sequence[Job], directory: Path | None) -> None:
    recorder = Recorder(scenario.objective, _nodes(scenario), scenario.warm_up, directory, 1, _nothing)
    for job in jobs:
        recorder.subtask_done(job)
    recorder.close()


def _nodes(scenario: Scenario) -> int:
    return len(scenario.edges) + len(scenario.clouds)


def _nothing(parts: Any) -> None:
    """Nobody is told of files."""
