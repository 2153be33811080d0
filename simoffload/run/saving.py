"""When a run is saved under way, and what becomes of it if it cannot be.

The best moment is right after part files were completed: then no row is held back, and a checkpoint is small. A run
that is slow to fill a part is saved in between, with the few rows that it holds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from ..decision import Agent
from ..record.durable import remove, write_durably
from ..record.manifest import CHECKPOINT_FILE
from .checkpoint import CheckpointError, NotSaved, origin, packed, unpacked
from .journal import Journal
from .stability import Backlog
from .world import World

State = tuple[World, Backlog | None, float]
"""What a checkpoint holds: the world, what watches its backlog, and the wall time so far, s."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often a run is saved: wall time since the last time, s."""

    with_parts_s: float = 5.0
    """At the least, once part files have been completed since."""
    at_latest_s: float = 60.0


USUAL = Rhythm()


class Saver:
    """Writes the checkpoints of a run: nothing without a directory.

    The first one is read back. If that fails, or if the world does not pickle later on, the journal says why and the
    run goes on without.
    """

    def __init__(self, journal: Journal, agent: Agent, scenario_sha256: str, rhythm: Rhythm) -> None:
        """The hash is that of the scenario that the world is made from: its horizon may become another one."""
        self._journal = journal
        self._agent = agent
        self._rhythm = rhythm
        self._is_on = journal.directory is not None and journal.manifest.no_checkpoint is None
        manifest = journal.manifest
        if self._is_on:
            self._origin = origin(manifest.versions, scenario_sha256, manifest.agent, agent)
        self._is_proved = False
        self._cuts = 0
        self._saved_s = time.perf_counter()

    def look(self, world: World, backlog: Backlog | None, wall_s: float) -> None:
        """Save the run, if it is time to."""
        since_s = time.perf_counter() - self._saved_s
        with_parts = world.recorder.cuts > self._cuts and since_s >= self._rhythm.with_parts_s
        if with_parts or since_s >= self._rhythm.at_latest_s:
            self.save(world, backlog, wall_s)

    def save(self, world: World, backlog: Backlog | None, wall_s: float) -> None:
        """Save the run; RecordError on a full disk or the like."""
        if not self._is_on:
            return
        assert self._journal.directory is not None
        state: State = (world, backlog, wall_s)
        try:
            content = self._packed(state)
        except (NotSaved, CheckpointError) as error:
            self._is_on = False
            self._journal.cannot_be_saved(str(error))
            return
        write_durably(self._journal.directory / CHECKPOINT_FILE, content)
        self._cuts = world.recorder.cuts
        self._saved_s = time.perf_counter()

    def _packed(self, state: State) -> bytes:
        content = packed(self._origin, state)
        if not self._is_proved:
            unpacked(content, self._origin, self._agent)
            self._is_proved = True
        return content

    def forget(self) -> None:
        """The run is over: there is nothing to go on with."""
        if self._journal.directory is not None:
            remove(self._journal.directory / CHECKPOINT_FILE)
