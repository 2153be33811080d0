"""Cells: an agent in a scenario on a seed, what came of it, and the files that keep what has been measured.

A cell is known by what it depends on (the scenario, the agent, a trained policy by its content, the version of
simoffload), not by its place in a study: tables share the cells they have in common, and a study file may be changed
between two sittings without any number going stale.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from .. import __version__
from ..agents.policy_file import SUFFIXES, file_of, policy_at
from ..analysis.figures_nodes import Queues, keeps_growing
from ..record.digests import bytes_of, digest_of, files_of
from ..record.durable import RecordError, make_directory
from ..run.agents import load_agent
from ..run.recorder import statistics_of
from ..run.world import World
from ..schema import Scenario
from ..schema.files import named_files
from .provenance import UNKNOWN

LOOK_S = 1.0
"""Simulated time between two looks at the backlog."""


class Stopped(Exception):
    """Somebody asked for an end."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Means over the tasks of a run that arrived after its warm-up."""

    objective: float
    latency_s: float
    latency_p95_s: float
    cost_usd: float
    cloud_share: float
    """Of their subtasks, those served in a cloud."""
    completed: int
    measured: int
    """Completed tasks in the means."""
    grew: bool
    """Whether the backlog kept growing up to the last arrival, as reports have it."""


def outcome(scenario: Scenario, agent: str, goes_on: Callable[[], bool]) -> Outcome:
    """Play a scenario to its last task; Stopped as soon as `goes_on` says no, RecordError if no task was measured."""
    world = World(scenario, load_agent(agent), statistics_of(scenario))
    tasks = scenario.horizon.tasks
    assert tasks is not None, "studies measure a number of tasks"
    looks: list[tuple[float, int]] = []
    world.begin()
    until_s = 0.0
    while not world.kernel.halted:
        if not goes_on():
            raise Stopped
        until_s += LOOK_S
        world.kernel.advance(until_s)
        if world.dispatcher.arrived < tasks:
            looks.append((until_s, sum(server.occupancy.waiting for server in world.servers)))
    recorder = world.recorder
    if not recorder.objective.count:
        raise RecordError(f"{scenario.name}: no task arrived after its warm-up of {scenario.warm_up:g} s; give it more")
    clouds = sum(node.subtasks for node in recorder.nodes[len(scenario.edges) :])
    times_s, waiting = np.array(looks, dtype=np.float64).reshape(-1, 2).T
    return Outcome(
        objective=recorder.objective.mean,
        latency_s=recorder.latency_s.mean,
        latency_p95_s=recorder.latency_sketch.quantiles([0.95])[0],
        cost_usd=recorder.cost_usd.mean,
        cloud_share=clouds / sum(node.subtasks for node in recorder.nodes),
        completed=world.dispatcher.completed,
        measured=recorder.objective.count,
        grew=keeps_growing(Queues(times_s, waiting[None, :])),
    )


def mean_outcome(outcomes: list[Outcome]) -> Outcome:
    """Of several trainings of a scheme on one seed; it grew if it did under most of them."""
    count = len(outcomes)

    def mean(name: str) -> float:
        return math.fsum(getattr(each, name) for each in outcomes) / count

    return Outcome(
        **{name: mean(name) for name in ("objective", "latency_s", "latency_p95_s", "cost_usd", "cloud_share")},
        completed=min(each.completed for each in outcomes),
        measured=min(each.measured for each in outcomes),
        grew=2 * sum(each.grew for each in outcomes) > count,
    )


@dataclass(frozen=True, slots=True)
class Cell:
    """A run to be made: `place` is the key of its scenario, `key` that of its agent, `loads` the agent's name."""

    place: str
    key: str
    seed: int
    loads: str


def what_counts(scenario: Scenario) -> str:
    """A scenario as it counts in keys: without which rows a run of it would keep, since studies keep none."""
    return scenario.model_dump_json(exclude={"records"})


def place_key(scenario: Scenario) -> str:
    """The key of a scenario, whatever its seed; the files it names count by what is in them, not by where they are."""
    text = what_counts(scenario.model_copy(update={"seed": 0}))
    for file in {named.file for _, named in named_files(scenario)}:
        text = text.replace(json.dumps(file, ensure_ascii=False), f'"{digest_of(files_of(Path(file)))}"')
    return blake2b(f"{__version__}\n{text}".encode(), digest_size=12).hexdigest()


def policy_key(policy: Path) -> str:
    """The key of a trained policy: of its files, by whichever of their names it goes, or by its own; RecordError if
    there is none."""
    bare = policy_at(policy)
    files = [file for suffix in SUFFIXES if (file := file_of(bare, suffix)).exists()]
    if not files:
        raise RecordError(f"there is no policy {policy}")
    return f"policy-{digest_of(files)}"


class Cells:
    """All cells that have been measured, in a directory: a file per scenario, a line per cell, appended as they end.

    With each the state of the code is noted that measured it, by which no cell is told from another.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: dict[tuple[str, str, int], Outcome] = {}
        self._codes: dict[tuple[str, str, int], str] = {}
        make_directory(directory)
        for path in sorted(directory.glob("*.jsonl")):
            self._read(path)

    def __contains__(self, cell: Cell) -> bool:
        return (cell.place, cell.key, cell.seed) in self._known

    def __getitem__(self, cell: Cell) -> Outcome:
        return self._known[cell.place, cell.key, cell.seed]

    def code_of(self, cell: Cell) -> str:
        """The state of the code that measured a cell; `UNKNOWN` if it was not noted."""
        return self._codes[cell.place, cell.key, cell.seed]

    def add(self, cell: Cell, found: Outcome, code: str) -> None:
        """Keep what was measured and by which code, on disk when this returns."""
        known = {"agent": cell.key, "seed": cell.seed, "code": code, **asdict(found)}
        line = json.dumps(known, allow_nan=False) + "\n"
        path = self._directory / f"{cell.place}.jsonl"
        try:
            with path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise RecordError(f"cannot write {path}: {error.strerror or error}") from error
        self._known[cell.place, cell.key, cell.seed] = found
        self._codes[cell.place, cell.key, cell.seed] = code

    def _read(self, path: Path) -> None:
        """Take in a file; a last line that was not written to its end is cut off."""
        content = bytes_of(path)
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                data = json.loads(line)
                key = (path.stem, str(data.pop("agent")), int(data.pop("seed")))
                self._codes[key] = str(data.pop("code", UNKNOWN))
                self._known[key] = Outcome(**data)
            except (ValueError, TypeError, KeyError, AttributeError):
                message = f"{path}:{number} is no cell of a study; remove the file to measure its cells anew"
                raise RecordError(message) from None
