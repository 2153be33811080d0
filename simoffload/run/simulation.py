"""One run: a scenario, an agent, a seed; what it leaves in a run directory, and its summary."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from ..decision import Agent
from ..record.durable import RecordError, held
from ..record.manifest import ROWS_PER_PART, Status
from ..record.rounding import Rounding
from ..schema import Scenario
from ..schema.limits import LONGEST_RUN_S, MOST_IN_SYSTEM
from ..schema.scenario import Horizon
from .agents import load_agent
from .journal import Journal, begin_journal, kept_one_in
from .progress import Progress
from .recorder import Recorder
from .references import with_references
from .saving import USUAL, Rhythm, Saver
from .stability import Backlog
from .summary import summarise
from .world import World

_EVENTS_PER_LOOK = 2000
_LOOK_S = 0.2
"""Wall time between two calls of `watch`."""

Watch = Callable[[Progress], bool]


def simulate(
    scenario: Scenario,
    agent: str,
    directory: Path | None = None,
    watch: Watch | None = None,
    *,
    stop_if_unstable: bool = False,
    rows_per_part: int = ROWS_PER_PART,
    rhythm: Rhythm = USUAL,
) -> dict[str, Any]:
    """Run a scenario to its horizon with the agent of this name; the content of ``summary.json``.

    `directory`, created if need be, becomes the run directory. `watch` is called a few times a second and ends the run
    by returning False; then the status is incomplete. With `stop_if_unstable` a backlog that grows without bound ends
    it too, and without it one of more than `limits.MOST_IN_SYSTEM` subtasks; then the status is unstable. Raises
    AgentError for an unknown agent before anything else, and RecordError where the directory cannot be written; the run
    is then incomplete, and may be resumed.
    """
    simulation = Simulation(
        scenario, agent, directory, stop_if_unstable=stop_if_unstable, rows_per_part=rows_per_part, rhythm=rhythm
    )
    return simulation.run(watch)


class Simulation:
    """A run that is set up: its world may be looked at, and told to last longer, while `run` goes on."""

    def __init__(
        self,
        scenario: Scenario,
        agent: str,
        directory: Path | None = None,
        *,
        stop_if_unstable: bool = False,
        rows_per_part: int = ROWS_PER_PART,
        until: dict[str, Any] | None = None,
        rhythm: Rhythm = USUAL,
    ) -> None:
        """As `simulate`, with its errors; `until` is what ``until.json`` says at first, where a rule ends the run."""
        self._began = time.perf_counter()
        loaded = load_agent(agent)
        complete = with_references(scenario)
        self._journal = begin_journal(complete, agent, directory, rows_per_part, stop_if_unstable, until)
        self._saver = Saver(self._journal, loaded, self._journal.manifest.scenario_sha256, rhythm)
        self.world = set_up(complete, loaded, self._journal)
        self.recorder = self.world.recorder

    def run(self, watch: Watch | None = None) -> dict[str, Any]:
        """Run to the end; the content of ``summary.json``."""
        with self.begun() as underway:
            return underway.finish(watch)

    @contextmanager
    def begun(self) -> Iterator[Underway]:
        """The run after its beginning, in a directory that nobody else writes to meanwhile."""
        backlog = Backlog() if self._journal.manifest.stop_if_unstable else None
        directory = self._journal.directory
        with nullcontext() if directory is None else held(directory):
            self.world.begin()
            yield Underway(self.world, backlog, self._journal, self._saver, self._began)


def set_up(scenario: Scenario, agent: Agent, journal: Journal) -> World:
    """The world of a run before its beginning, and with it its recorder."""
    recorder = Recorder(
        scenario.objective,
        len(scenario.edges) + len(scenario.clouds),
        scenario.warm_up,
        journal.directory,
        kept_one_in(scenario.records),
        journal.parts_written,
        scenario.faults.drop_penalty,
        journal.manifest.rows_per_part,
        Rounding(scenario.records.resolution, scenario.warm_up),
    )
    with _failing(journal):
        return World(scenario, agent, recorder)


class Underway:
    """A run that has begun; `began` is when it would have without interruptions, by `time.perf_counter`."""

    def __init__(self, world: World, backlog: Backlog | None, journal: Journal, saver: Saver, began: float) -> None:
        self.world = world
        self._backlog = backlog
        self._journal = journal
        self._saver = saver
        self._began = began
        periods_s = (getattr(workload.arrivals, "modulation", None) for workload in world.scenario.workloads)
        self._settled_s = 2 * max((swing.period for swing in periods_s if swing is not None), default=0.0)
        """What grows with the hours of the day may fall again: before this time growth proves nothing."""

    @property
    def directory(self) -> Path | None:
        """Of the run."""
        return self._journal.directory

    @property
    def wall_s(self) -> float:
        """Time since it was set up, without what lay between interruptions and going on."""
        return time.perf_counter() - self._began

    def lasts(self, tasks: int) -> None:
        """Its horizon is so many tasks: the directory is to be that of a run to this horizon."""
        self._journal.scenario_is(self.world.scenario.model_copy(update={"horizon": Horizon(tasks=tasks)}))

    def finish(self, watch: Watch | None = None) -> dict[str, Any]:
        """Run to the end; the content of ``summary.json``."""
        world, journal = self.world, self._journal
        with _failing(journal):
            status = self._go(watch)
            if status == "incomplete":
                self._saver.save(world, self._backlog, self.wall_s)
                journal.closes(world.recorder.parts)
                world.recorder.repeat(())
            reason = self._why_unstable() if status == "unstable" else None
            world.wind_up()
            fingerprint = world.recorder.close()
        summary = summarise(world, journal.manifest.agent, status, fingerprint, self.wall_s, reason)
        journal.end(status, fingerprint, summary, reason)
        if journal.manifest.is_over:
            self._saver.forget()
        return summary

    def _go(self, watch: Watch | None) -> Status:
        """Run to the horizon or to an earlier end: which of them it was."""
        world, backlog, horizon = self.world, self._backlog, self.world.scenario.horizon
        until_s = math.inf if horizon.time is None else horizon.time
        looked = time.perf_counter()
        while world.kernel.advance(until_s, _EVENTS_PER_LOOK):
            now = time.perf_counter()
            held = world.held()
            if held > MOST_IN_SYSTEM or world.kernel.now > LONGEST_RUN_S:
                return "unstable"
            if backlog is not None and backlog.grows(held, counts=world.kernel.now >= self._settled_s):
                return "unstable"
            if watch is not None and now - looked >= _LOOK_S:
                looked = now
                if not watch(_progress(world, self.wall_s)):
                    return "incomplete"
            self._saver.look(world, backlog, self.wall_s)
        if until_s < math.inf and not world.is_over:
            world.kernel.rest_at(until_s)
        if watch is not None:
            watch(_progress(world, self.wall_s))
        return "complete"

    def _why_unstable(self) -> str:
        dispatcher, now = self.world.dispatcher, self.world.kernel.now
        count = f"{len(dispatcher.courses)} of {dispatcher.arrived} tasks are in the system at {now:.6g} s"
        if self.world.held() > MOST_IN_SYSTEM:
            return f"{count}; more than {MOST_IN_SYSTEM} subtasks and waiting transfers would fill the memory"
        if now > LONGEST_RUN_S:
            return f"{count}; no run lasts longer than {LONGEST_RUN_S:.6g} s"
        return f"the backlog grows without bound: {count}"


@contextmanager
def _failing(journal: Journal) -> Iterator[None]:
    """Mark the run as failed by what it raises, but for a record that cannot be written: the disk may be full."""
    try:
        yield
    except RecordError:
        raise
    except BaseException:
        with suppress(RecordError):
            journal.end("failed", None, None, None)
        raise


def _progress(world: World, wall_s: float) -> Progress:
    dispatcher, horizon, now = world.dispatcher, world.scenario.horizon, world.kernel.now
    finished = dispatcher.completed + dispatcher.dropped
    share = finished / horizon.tasks if horizon.tasks is not None else now / (horizon.time or 1.0)
    return Progress(
        simulated_s=now,
        arrived=dispatcher.arrived,
        finished=finished,
        share=min(share, 1.0),
        events=world.kernel.events,
        wall_s=wall_s,
    )
