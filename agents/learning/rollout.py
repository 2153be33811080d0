"""An episode: a world played to its end by a policy that explores, and everything that learning needs of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision, Setting
from simoffload.decision.agent import orders_from
from simoffload.run.ledger import Ledger
from simoffload.run.plant_state import FRESH_COLUMNS, fresh_rows, plant_state
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.world.job import Job

Floats = NDArray[np.float32]
POSITION, ORDER = 0, 1


@dataclass(frozen=True, slots=True)
class Choice:
    """An action and what it was drawn from."""

    action: int
    log_chance: float
    """Of the action, under the policy that acts."""
    rows: NDArray[np.float64]
    """Features, [k, columns]."""
    score: NDArray[np.float64]
    """The part of each row's logit (or worth) beside the network, [k]."""
    key: int
    """Of the situation, as counts know it."""
    kinds: NDArray[np.int64]
    """Kind of action of each row."""


class Behaviour(Protocol):
    """How a learning agent acts during an episode."""

    @property
    def order(self) -> str:
        """One of the orders of agents."""

    def reset(self, setting: Setting) -> None:
        """An episode begins."""

    def choose(self, seen: Any, generator: np.random.Generator) -> Choice:
        """An action for an observation of either kind."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Decisions in order, [n], and their rows one after the other, [sum of k]."""

    kind: NDArray[np.int8]
    sizes: NDArray[np.int64]
    """Rows of each decision."""
    action: NDArray[np.int64]
    log_chance: Floats
    """Of the action, under the policy that acted."""
    cost: NDArray[np.float64]
    """x of each step: increment of J until the next decision (or the end), shaped."""
    own_cost: NDArray[np.float64]
    """What the attempt itself came to: w weight (finish - ready) / L_ref + (1 - w) cost / C_ref; nan for orders.

    One that was lost has no finish but an end, and bears the penalty if its task was dropped.
    """
    duration_s: NDArray[np.float64]
    """From each decision to the next, or to the end."""
    arriving_s: NDArray[np.float64]
    """Of each duration what lies before the last arrival: no policy can change their sum."""
    home: NDArray[np.int64]
    """Number of the edge node that decided; of orders -1."""
    state: Floats
    """The plant as it was at each decision, [n, 14]."""
    key: NDArray[np.int64]
    """Number of the situation that actions are counted in."""
    action_kind: NDArray[np.int64]
    """Number of the kind of action that was taken: own node, other edge node, cloud."""
    rows: dict[int, Floats]
    """Per kind of decision: features, [sum of k of that kind, columns]."""
    fresh: Floats
    """Further columns for the critic of the rows of positions, [sum of k of positions, 4]."""
    score: Floats
    """The part of the logits that does not depend on the network, bonus included, [sum of k]."""
    objective: float
    """Mean objective per task."""
    variant: int = 0
    """Number of the scenario played, where there are several."""


class Explorer:
    """The policy at play, writing down what it sees and does."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.order = behaviour.order
        self.orders_from = orders_from(behaviour)
        self.world: World | None = None
        self.ledger: Ledger | None = None
        self._latest: dict[tuple[int, int], int] = {}
        """The latest decision about each subtask, by the numbers of task and subtask."""
        self._served: dict[int, float] = {}
        """What attempts came to that were served, by decision."""
        self._lost: dict[int, tuple[Job, float]] = {}
        """Attempts that were lost and when, by decision."""
        self._notes: list[tuple[Any, ...]] = []
        self._choices: list[Choice] = []
        self._rows: dict[int, list[Any]] = {POSITION: [], ORDER: []}
        self._fresh: list[Any] = []
        self._decided: list[Any] = []

    def watch(self, world: World) -> None:
        """Follow a world that has not begun."""
        self.world = world
        self.ledger = ledger = Ledger(world)
        subtask_done, attempt_lost = world.subtask_done, world.attempt_lost

        def served(job: Job) -> None:
            subtask_done(job)
            self._served[self._latest[job.task.number, job.subtask]] = ledger.cost_of(job, job.finish_s)

        def lost(job: Job, cause: str, now_s: float) -> None:
            attempt_lost(job, cause, now_s)
            self._lost[self._latest[job.task.number, job.subtask]] = job, now_s

        world.subtask_done, world.attempt_lost = served, lost

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Draw from `generator` from now on."""
        self._generator = generator
        self._behaviour.reset(setting)

    def decide(self, seen: Any) -> Decision:
        """An action drawn from the behaviour, noted."""
        assert self.world is not None and self.ledger is not None
        ledger = self.ledger
        choice = self._behaviour.choose(seen, self._generator)
        arrivals = ledger.settle()
        potential = ledger.potential()
        reports = [self.world.telemetry.node(number) for number in range(len(self.world.servers))]
        state = plant_state(self.world, potential, reports)
        kind, home = ORDER, -1
        if seen.kind == "position":
            kind, home = POSITION, seen.home
            self._fresh.append(fresh_rows(seen, self.world, reports))
            self._latest[seen._course.task.number, seen.subtask] = len(self._choices)
            self._decided.append((len(self._choices), seen._course))
        self._rows[kind].append(choice.rows)
        self._choices.append(choice)
        self._notes.append((kind, ledger.cost(), potential, arrivals, state, home, seen.now_s))
        return Decision(choice.action)

    def episode(self, variant: int = 0) -> Episode:
        """What was noted, once the world has come to its end."""
        assert self.ledger is not None and self.world is not None
        kind, cost, potential, arrivals, state, home, time_s = zip(*self._notes, strict=True)
        choices = self._choices
        total = self.ledger.cost()
        shaped = np.diff([*cost, total]) + np.diff([*potential, 0.0]) - np.array([*arrivals[1:], 0.0])
        instants_s = np.array([*time_s, self.world.kernel.now])
        last_arrival_s = max((course.task.arrival_s for _, course in self._decided), default=0.0)
        return Episode(
            kind=np.array(kind, dtype=np.int8),
            sizes=np.array([len(each.rows) for each in choices]),
            action=np.array([each.action for each in choices]),
            log_chance=np.array([each.log_chance for each in choices], dtype=np.float32),
            cost=shaped,
            own_cost=self._own_costs(),
            duration_s=np.diff(instants_s),
            arriving_s=np.diff(np.minimum(instants_s, last_arrival_s)),
            home=np.array(home),
            state=np.array(state, dtype=np.float32),
            key=np.array([each.key for each in choices]),
            action_kind=np.array([each.kinds[each.action] for each in choices]),
            rows={which: _stacked(rows) for which, rows in self._rows.items()},
            fresh=_stacked(self._fresh) if self._fresh else np.zeros((0, FRESH_COLUMNS), dtype=np.float32),
            score=np.concatenate([each.score for each in choices]).astype(np.float32),
            objective=total / self.world.dispatcher.arrived,
            variant=variant,
        )

    def _own_costs(self) -> NDArray[np.float64]:
        assert self.ledger is not None and self.world is not None
        ledger, penalty = self.ledger, self.world.scenario.faults.drop_penalty
        costs = np.full(len(self._choices), math.nan)
        for number, course in self._decided:
            if number in self._lost:
                job, lost_s = self._lost[number]
                costs[number] = ledger.cost_of(job, lost_s) + (penalty if course.sinks_left else 0.0)
            else:
                costs[number] = self._served[number]
        return costs


def _stacked(rows: list[Any]) -> Floats:
    return np.concatenate(rows).astype(np.float32) if rows else np.zeros((0, 0), dtype=np.float32)


def play(scenario: Scenario, behaviour: Behaviour, variant: int = 0) -> Episode:
    """Play a scenario (with numbers for its references), the one of this number, to its end."""
    scenario = scenario.model_copy(update={"warm_up": 0.0})
    explorer = Explorer(behaviour)
    world = World(scenario, explorer, statistics_of(scenario))
    explorer.watch(world)
    world.begin()
    world.kernel.advance(math.inf)
    return explorer.episode(variant)
