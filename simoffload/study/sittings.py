"""Sittings: how long a study has taken, over all the times that it was begun and gone on with."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ..record.durable import RecordError, write_json

SITTINGS_FILE = "sittings.json"
NOTE_S = 60.0
"""Wall time between two notes, which is what a sitting that is killed loses."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Times in s; `cpu_s` is of the program and of its workers. `ended`: it came to its own end."""

    wall_s: float
    cpu_s: float
    workers: int
    ended: bool


class Clock:
    """Keeps the times of this sitting beside those of earlier ones."""

    def __init__(self, directory: Path, workers: int) -> None:
        self._path = directory / SITTINGS_FILE
        self._before = read_sittings(directory)
        self._workers = workers
        self._began_s = self._noted_s = time.perf_counter()
        self._cpu_before_s = _cpu_s()

    @property
    def wall_s(self) -> float:
        """Since the sitting began."""
        return time.perf_counter() - self._began_s

    def tick(self) -> None:
        """Note the time now and then."""
        if time.perf_counter() - self._noted_s >= NOTE_S:
            self.note(ended=False)

    def note(self, *, ended: bool) -> None:
        """Note the time; the workers' is known when they have ended."""
        self._noted_s = time.perf_counter()
        now = Sitting(self.wall_s, _cpu_s() - self._cpu_before_s, self._workers, ended)
        write_json(self._path, [asdict(each) for each in (*self._before, now)])


def read_sittings(directory: Path) -> tuple[Sitting, ...]:
    """All sittings of a study, the first one first."""
    path = directory / SITTINGS_FILE
    if not path.exists():
        return ()
    try:
        return tuple(Sitting(**each) for each in json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise RecordError(f"{path} is damaged: {error}") from None


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
