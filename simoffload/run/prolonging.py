"""One run that is made longer until a rule ends it.

The rule is asked just before the last of the tasks agreed so far arrives, and either gets more or ends the run with
that one: events up to there do not depend on how many were agreed, so what it leaves is what a run of that length
leaves, byte for byte, in constant memory. The rule is part of checkpoints, and what it has seen stands in
``until.json`` from the beginning on: by that a run that was interrupted is known for one that a rule ends.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..record.batches import Batches
from ..record.durable import write_json
from ..record.manifest import UNTIL_FILE
from ..schema import Scenario
from ..schema.scenario import Horizon
from .progress import Progress
from .saving import USUAL, Rhythm
from .simulation import Simulation, Underway
from .until import Rule, Watch, stretch
from .world import World


def run_until(
    scenario: Scenario,
    agent: str,
    rule: Rule,
    directory: Path | None = None,
    watch: Watch | None = None,
    *,
    rhythm: Rhythm = USUAL,
) -> dict[str, Any]:
    """Make one run longer until the rule ends it; the summary, as of a run of that many tasks, whose horizon it got.

    The scenario's own horizon means nothing. `watch` and errors as for `simulate`; a rule whose time is over is asked
    at the next arrival. A run that is interrupted, or whose sources end, is over without the rule being asked.
    """
    simulation = Simulation(pilot(scenario, rule), agent, directory, until=rule.to_dict(), rhythm=rhythm)
    growth = Prolonging(simulation.world, rule)
    with simulation.begun() as underway:
        return prolonged(underway, growth, watch)


def pilot(scenario: Scenario, rule: Rule) -> Scenario:
    """The scenario up to where the rule is asked for the first time."""
    return scenario.model_copy(update={"horizon": Horizon(tasks=rule.first)})


class Prolonging:
    """What a world asks before the last task arrives; pickles with it, and is connected to its run again then."""

    def __init__(self, world: World, rule: Rule) -> None:
        self.rule = rule
        self.agreed = rule.first
        """Tasks."""
        self.is_over = False
        """Whether the rule has ended the run."""
        self._world = world
        self._batches: Batches = world.recorder.follow(rule.measure)
        self._seen: Callable[[], None]
        self._wall_s: Callable[[], float]
        world.lasting = self

    def use(self, rule: Rule) -> None:
        """Ask this rule from now on, which has seen nothing yet, instead of the one that was saved."""
        rule.continue_from(self.rule)
        self.rule = rule

    def connect(self, wall_s: Callable[[], float], seen: Callable[[], None]) -> None:
        """Its run has spent `wall_s`, and is told by `seen` when the rule has been asked."""
        self._wall_s, self._seen = wall_s, seen

    def __call__(self) -> int:
        """The number of tasks that there shall be."""
        tasks = self._world.dispatcher.arrived + 1
        self.agreed = max(self.rule.see_batches(self._batches, tasks, self._wall_s()), tasks)
        self.is_over = self.agreed == tasks
        self._seen()
        return self.agreed

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_seen", "_wall_s")}


def prolonged(underway: Underway, growth: Prolonging, watch: Watch | None) -> dict[str, Any]:
    """Go on with a run until the rule ends it; its summary."""
    rule, world = growth.rule, underway.world

    def keep() -> None:
        if underway.directory is not None:
            write_json(underway.directory / UNTIL_FILE, rule.to_dict())

    def seen() -> None:
        keep()
        if growth.is_over:
            underway.lasts(growth.agreed)

    def look(progress: Progress) -> bool:
        if not growth.is_over and rule.is_out_of_time(progress.wall_s):
            world.end_with_next_task()
        return watch is None or watch(stretch(rule, progress.arrived, growth.agreed, progress.wall_s))

    growth.connect(lambda: underway.wall_s, seen)
    if growth.is_over:
        underway.lasts(growth.agreed)
    summary = underway.finish(look)
    if not growth.is_over or summary["status"] != "complete":
        rule.end("no more tasks" if summary["status"] == "complete" else "interrupted")
        keep()
    return summary
