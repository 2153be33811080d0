"""The decision process: a world that stops at every decision and goes on with the answer.

A run asks its agent in the middle of what happens; here the one who plays asks for the next decision instead. It is
the same world all the same: it runs in a greenlet, a stack of its own that can be left at any call and entered again,
without threads. The world's agent leaves it with the observation and comes back with the answer, so that decisions
within one event and choices among waiting jobs come exactly as in a run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from greenlet import getcurrent, greenlet
from numpy.typing import NDArray

from ..decision import Decision, Observation, OrderObservation, Setting
from ..decision.agent import ORDERS
from ..plant import build_plant
from ..run.ledger import Ledger
from ..run.plant_state import plant_state
from ..run.recorder import statistics_of
from ..run.references import with_references
from ..run.world import World
from ..schema import Scenario, load_scenario, whole_catalogue
from ..schema.problems import nearest

MOST_SEEDS = 2**63


@dataclass(frozen=True, slots=True)
class Mark:
    """How things stand at a decision, or at the end."""

    time_s: float
    cost: float
    """J so far: of tasks that are done, and of those in the system up to now."""
    potential: float
    """Expected time to the end of the tasks in the system, weighted, in units of J."""
    brought: float
    """Potential that all tasks so far brought with them when they arrived."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What came between two marks."""

    elapsed_s: float
    reward: float
    """What J grew by, negative."""
    shaping: float
    """May be added to the reward: no policy's rank changes, most of the noise goes."""
    discount: float
    """exp(-rate elapsed)."""


class DecisionProcess:
    """Plays the episodes of a scenario, by name, by file or as such, with ``path=value`` settings to go with a name.

    `order` is how waiting subtasks are queued, as an agent's; with ``decide`` choices of waiting jobs are decisions
    too. An episode is truncated after `most_decisions`. There is no warm-up: all tasks count. An episode stays in the
    thread in which it was begun. ValueError for settings that cannot be; ScenarioError for what is no scenario.
    """

    def __init__(
        self,
        scenario: Scenario | str | Path,
        settings: Sequence[str] = (),
        *,
        order: str = "fifo",
        most_decisions: int | None = None,
        discount_rate_per_s: float = 0.0,
    ) -> None:
        _check(order, most_decisions, discount_rate_per_s)
        self.scenario = with_references(_loaded(scenario, settings).model_copy(update={"warm_up": 0.0}))
        self.plant = build_plant(self.scenario, whole_catalogue(self.scenario))
        self.order = order
        self._most_decisions = math.inf if most_decisions is None else most_decisions
        self._discount_rate_per_s = discount_rate_per_s
        self._seeds = np.random.default_rng(self.scenario.seed)
        self._player: greenlet | None = None
        self._world: World | None = None
        self._ledger: Ledger | None = None
        self.seed: int | None = None
        """Of the episode; None before the first."""
        self.mark = Mark(0.0, 0.0, 0.0, 0.0)
        """How things stand now."""
        self.observation: Observation | OrderObservation | None = None
        """What there is to decide; None when nothing is."""
        self.decisions = 0
        """Made in this episode."""
        self.fingerprint: str | None = None
        """Of all rows, as a run has it, once the episode has come to the end of its horizon."""

    # ------------------------------------------------------------------------------------------------- playing

    def reset(self, seed: int | None = None) -> None:
        """Begin an episode and go to its first decision.

        Without a seed the first episode has the scenario's own, and the seeds of those after follow from the last one
        given. ValueError for a seed that is none, or when no task comes within the horizon.
        """
        self.close()
        self.seed = self._next_seed(seed)
        scenario = self.scenario.model_copy(update={"seed": self.seed})
        self._world = World(scenario, _Asking(self.order), statistics_of(scenario))
        self._ledger = Ledger(self._world)
        self.decisions, self.fingerprint = 0, None
        self._player = greenlet(_play)
        self._go_on(self._world)
        self.mark = self._look(brought=0.0)
        if self.observation is None:
            raise ValueError(f"scenario '{scenario.name}' asks for no decision within its horizon on seed {self.seed}")

    def step(self, row: int) -> Stretch:
        """Take a row of the observation and go on to the next decision, or to the end.

        ValueError for a row that is none, after which the decision is still open; RuntimeError when none is open.
        """
        if self.observation is None or self.truncated:
            raise RuntimeError("no decision is open: begin an episode with reset")
        if row not in legal_rows(self.observation):
            raise ValueError(f"row {row} is not legal; legal are {in_words(legal_rows(self.observation))}")
        before = self.mark
        self._go_on(int(row))
        self.decisions += 1
        self.mark = self._look(before.brought)
        return self.since(before)

    def close(self) -> None:
        """Give up the episode under way, if there is one."""
        player, self._player = self._player, None
        self.observation = None
        if player is not None and not player.dead:
            player.parent = getcurrent()
            player.throw()

    def _next_seed(self, wanted: int | None) -> int:
        if wanted is None:
            return self.scenario.seed if self.seed is None else int(self._seeds.integers(MOST_SEEDS))
        if not 0 <= wanted < MOST_SEEDS:
            raise ValueError(f"seed {wanted} is not allowed: it must be at least 0 and less than 2^63")
        self._seeds = np.random.default_rng(wanted)
        return int(wanted)

    def _go_on(self, answer: World | int) -> None:
        """Let the world run to its next decision, or to its end."""
        assert self._player is not None and self._world is not None
        self._player.parent = getcurrent()
        self.observation = None
        self.observation = self._player.switch(answer)
        if self.observation is None:
            self._world.wind_up()
            self.fingerprint = self._world.recorder.close()

    # ------------------------------------------------------------------------------------------------- how it stands

    @property
    def terminated(self) -> bool:
        """Whether all tasks there will be have come and gone."""
        return self.observation is None and self._world is not None and self._world.is_over

    @property
    def truncated(self) -> bool:
        """Whether the episode ended with more to come: at the time that is its horizon, or after `most_decisions`."""
        if self.observation is None:
            return self._world is not None and not self._world.is_over
        return self.decisions >= self._most_decisions

    @property
    def tasks_in_system(self) -> int:
        """Tasks that have arrived and are not complete."""
        return len(self.world.dispatcher.courses)

    @property
    def world(self) -> World:
        """The world of the episode; what agents may not know, too. RuntimeError before the first."""
        if self._world is None:
            raise RuntimeError("there is no episode yet: begin one with reset")
        return self._world

    def state(self) -> NDArray[np.float32]:
        """[14]: the plant as it is, for a critic while training; no agent may know it."""
        world = self.world
        reports = [world.telemetry.node(number) for number in range(len(world.servers))]
        return plant_state(world, self.mark.potential, reports).astype(np.float32)

    def since(self, before: Mark) -> Stretch:
        """What came between an earlier mark of this episode and now."""
        now = self.mark
        elapsed_s = now.time_s - before.time_s
        discount = math.exp(-self._discount_rate_per_s * elapsed_s)
        left = now.potential - (now.brought - before.brought)
        return Stretch(elapsed_s, before.cost - now.cost, before.potential - discount * left, discount)

    def _look(self, brought: float) -> Mark:
        assert self._ledger is not None
        ledger = self._ledger
        return Mark(self.world.kernel.now, ledger.cost(), ledger.potential(), brought + ledger.settle())


class _Asking:
    """The agent in the world: leaves it with each observation and comes back with the answer.

    Neither it nor any frame of the world refers to the process: nobody sees into a stack that stands still, so a
    circle through it would never be cleared away.
    """

    def __init__(self, order: str) -> None:
        self.order = order

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to remember, nothing to draw."""

    def decide(self, observation: Any) -> Decision:
        """What the one who plays says."""
        outside = getcurrent().parent
        assert outside is not None
        return Decision(outside.switch(observation))


def _play(world: World) -> None:
    """Run a world from its beginning to its horizon."""
    time_s = world.scenario.horizon.time
    until_s = math.inf if time_s is None else time_s
    world.begin()
    world.kernel.advance(until_s)
    if until_s < math.inf and not world.is_over:
        world.kernel.rest_at(until_s)


def _loaded(scenario: Scenario | str | Path, settings: Sequence[str]) -> Scenario:
    if not isinstance(scenario, Scenario):
        return load_scenario(scenario, settings)
    if settings:
        raise ValueError("settings go with the name or the file of a scenario, not with one that is loaded")
    return scenario


def _check(order: str, most_decisions: int | None, discount_rate_per_s: float) -> None:
    if order not in ORDERS:
        near = nearest(order, ORDERS)
        hint = f"; did you mean '{near}'?" if near else ""
        raise ValueError(f"unknown order '{order}'; allowed: {', '.join(ORDERS)}{hint}")
    if most_decisions is not None and most_decisions < 1:
        raise ValueError(f"most_decisions is {most_decisions}; it must be at least 1, or None for no limit")
    if not 0.0 <= discount_rate_per_s < math.inf:
        raise ValueError(f"discount_rate_per_s is {discount_rate_per_s}; it must be a finite number of at least 0")


def legal_rows(seen: Observation | OrderObservation) -> Sequence[int]:
    """Rows that may be chosen: of positions those of nodes known to be up, if there are any; of jobs all."""
    if isinstance(seen, Observation):
        rows: list[int] = seen.rows_that_may_be.tolist()
        return rows
    return range(len(seen.candidates))


def in_words(rows: Sequence[int]) -> str:
    """As in "rows 0 to 3" or "rows 0, 2, 5"."""
    if list(rows) == list(range(len(rows))):
        return f"rows 0 to {len(rows) - 1}"
    return f"rows {', '.join(map(str, rows))}"
