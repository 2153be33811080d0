"""One run: a scenario, an agent, a seed; what it leaves in a run directory, and its summary."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..record.durable import make_directory, write_durably, write_json
from ..record.manifest import SCENARIO_FILE, SUMMARY_FILE, Manifest, PartInfo, begin_manifest, write_manifest
from ..schema import Scenario, dump_scenario
from ..schema.scenario import Records
from .agents import load_agent
from .progress import Progress
from .recorder import Recorder
from .references import with_references
from .summary import summarise
from .world import World

_EVENTS_PER_LOOK = 2000
_LOOK_S = 0.2
"""Wall time between two calls of `watch`."""

Watch = Callable[[Progress], bool]


def simulate(
    scenario: Scenario, agent: str, directory: Path | None = None, watch: Watch | None = None
) -> dict[str, Any]:
    """Run a scenario to its horizon with the agent of this name; the content of ``summary.json``.

    `directory`, created if need be, becomes the run directory. `watch` is called a few times a second and ends the run
    by returning False; then the status is incomplete. Raises AgentError for an unknown agent before anything else, and
    RecordError where the directory cannot be written.
    """
    began = time.perf_counter()
    loaded = load_agent(agent)
    scenario = with_references(scenario)
    journal = _Journal(scenario, agent, directory)
    recorder = Recorder(
        scenario.objective,
        len(scenario.edges) + len(scenario.clouds),
        scenario.warm_up,
        directory,
        kept_one_in(scenario.records),
        journal.parts_written,
    )
    try:
        world = World(scenario, loaded, recorder)
        status = "complete" if _run(world, began, watch) else "incomplete"
        world.wind_up()
        fingerprint = recorder.close()
    except BaseException:
        journal.end("failed", None, None)
        raise
    summary = summarise(world, agent, status, fingerprint, time.perf_counter() - began)
    journal.end(status, fingerprint, summary)
    return summary


def kept_one_in(records: Records) -> int:
    """Rows are kept of one task in this many; 0 for none."""
    if records.level == "off":
        return 0
    return 1 if records.level == "full" else max(1, round(1.0 / records.sample))


class _Journal:
    """What is on disk of a run: nothing without a directory."""

    def __init__(self, scenario: Scenario, agent: str, directory: Path | None) -> None:
        self._directory = directory
        text = dump_scenario(scenario).encode()
        self._manifest: Manifest = begin_manifest(
            scenario.name, text, agent, scenario.seed, kept_one_in(scenario.records)
        )
        if directory is not None:
            make_directory(directory)
            write_durably(directory / SCENARIO_FILE, text)
            write_manifest(directory, self._manifest)

    def parts_written(self, parts: tuple[PartInfo, ...]) -> None:
        """Part files have been completed: vouch for them."""
        self._manifest = self._manifest.model_copy(update={"parts": parts})
        if self._directory is not None:
            write_manifest(self._directory, self._manifest)

    def end(self, status: str, fingerprint: str | None, summary: dict[str, Any] | None) -> None:
        """The run is over."""
        if self._directory is None:
            return
        if summary is not None:
            write_json(self._directory / SUMMARY_FILE, summary)
        write_manifest(self._directory, self._manifest.ended(status, fingerprint))  # type: ignore[arg-type]


def _run(world: World, began: float, watch: Watch | None) -> bool:
    """Run to the horizon; whether it was reached."""
    horizon = world.scenario.horizon
    until_s = math.inf if horizon.time is None else horizon.time
    world.begin()
    looked = time.perf_counter()
    while world.kernel.advance(until_s, _EVENTS_PER_LOOK):
        now = time.perf_counter()
        if watch is not None and now - looked >= _LOOK_S:
            looked = now
            if not watch(_progress(world, now - began)):
                return False
    if until_s < math.inf and not world.is_over:
        world.kernel.rest_at(until_s)
    if watch is not None:
        watch(_progress(world, time.perf_counter() - began))
    return True


def _progress(world: World, wall_s: float) -> Progress:
    dispatcher, horizon, now = world.dispatcher, world.scenario.horizon, world.kernel.now
    share = dispatcher.completed / horizon.tasks if horizon.tasks is not None else now / (horizon.time or 1.0)
    return Progress(
        simulated_s=now,
        arrived=dispatcher.arrived,
        finished=dispatcher.completed,
        share=min(share, 1.0),
        events=world.kernel.events,
        wall_s=wall_s,
    )
