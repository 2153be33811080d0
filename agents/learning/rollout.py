"""An episode: a world played to its end by a policy that explores, and everything that learning needs of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision, Setting
from simoffload.run.recorder import statistics_of
from simoffload.run.world import World
from simoffload.schema import Scenario

from ..scoring import Heads, chances
from .counts import Counts, situation
from .critic_view import FRESH_COLUMNS, fresh_rows, plant_state
from .ledger import Ledger

Floats = NDArray[np.float32]
POSITION, ORDER = 0, 1


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the exploring policy acts: c of the UCB bonus, epsilon of uniform choice, temperature of the softmax."""

    heads: Heads
    counts: Counts
    c: float
    epsilon: float = 0.0
    selection: str = "tilt"
    """tilt: sample from softmax(logits + bonus); none: from softmax(logits); argmax: take the largest sum."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Decisions in order, [n], and their rows one after the other, [sum of k]; rows of orders are padded with 0."""

    kind: NDArray[np.int8]
    sizes: NDArray[np.int64]
    """Rows of each decision."""
    action: NDArray[np.int64]
    log_chance: Floats
    """Of the action, under the policy that acted."""
    cost: NDArray[np.float64]
    """x of each step: increment of J until the next decision (or the end), shaped."""
    duration_s: NDArray[np.float64]
    """From each decision to the next, or to the end."""
    state: Floats
    key: NDArray[np.int64]
    action_kind: NDArray[np.int64]
    rows: dict[int, Floats]
    """Per kind of decision: features, [sum of k of that kind, columns]."""
    fresh: Floats
    """Further columns for the critic of the rows of positions."""
    score: Floats
    """The part of the logits that does not depend on the network, bonus included, [sum of k]."""
    objective: float
    """Mean objective per task."""


class Explorer:
    """The policy at play, writing down what it sees and does."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.order: str = "fifo" if behaviour.heads.order is None else "decide"
        self.world: World | None = None
        self.ledger: Ledger | None = None
        self._notes: list[tuple[Any, ...]] = []
        self._rows: dict[int, list[Any]] = {POSITION: [], ORDER: []}
        self._fresh: list[Any] = []
        self._score: list[Any] = []

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Draw from `generator` from now on."""
        self._generator = generator

    def decide(self, seen: Any) -> Decision:
        """An action drawn from the behaviour, noted."""
        assert self.world is not None and self.ledger is not None
        behaviour, ledger = self._behaviour, self.ledger
        rows, corrections, rule = behaviour.heads.evaluate(seen)
        key, kinds = situation(seen)
        bonus = behaviour.counts.bonus(key, kinds, behaviour.c) if behaviour.selection != "none" else 0.0
        score = rule + bonus
        tilted = corrections + score
        share = chances(tilted)
        if behaviour.epsilon > 0:
            share = (1.0 - behaviour.epsilon) * share + behaviour.epsilon / len(share)
        action = self._pick(share, tilted)
        kind = ORDER if seen.kind == "order" else POSITION
        arrivals = ledger.settle()
        potential = ledger.potential()
        reports = [self.world.telemetry.node(number) for number in range(len(self.world.servers))]
        state = plant_state(self.world, potential, reports)
        self._rows[kind].append(rows)
        if kind == POSITION:
            self._fresh.append(fresh_rows(seen, self.world, reports))
        self._score.append(score)
        note = (
            kind,
            len(rows),
            action,
            math.log(share[action]),
            ledger.cost(),
            potential,
            arrivals,
            state,
            key,
            kinds[action],
            seen.now_s,
        )
        self._notes.append(note)
        return Decision(action)

    def _pick(self, share: Any, tilted: Any) -> int:
        if self._behaviour.selection == "argmax":
            return int(np.argmax(tilted))
        return min(int(np.searchsorted(np.cumsum(share), self._generator.random(), side="right")), len(share) - 1)

    def episode(self) -> Episode:
        """What was noted, once the world has come to its end."""
        assert self.ledger is not None and self.world is not None
        kind, sizes, action, log_chance, cost, potential, arrivals, state, key, action_kind, time_s = zip(
            *self._notes, strict=True
        )
        total = self.ledger.cost()
        run_up = np.diff(np.array([*cost, total]))
        levels = np.array([*potential, 0.0])
        brought = np.array([*arrivals[1:], 0.0])
        shaped = run_up + np.diff(levels) - brought
        return Episode(
            kind=np.array(kind, dtype=np.int8),
            sizes=np.array(sizes, dtype=np.int64),
            action=np.array(action, dtype=np.int64),
            log_chance=np.array(log_chance, dtype=np.float32),
            cost=shaped,
            duration_s=np.diff(np.array([*time_s, self.world.kernel.now])),
            state=np.array(state, dtype=np.float32),
            key=np.array(key, dtype=np.int64),
            action_kind=np.array(action_kind, dtype=np.int64),
            rows={which: _stacked(rows) for which, rows in self._rows.items()},
            fresh=_stacked(self._fresh) if self._fresh else np.zeros((0, FRESH_COLUMNS), dtype=np.float32),
            score=np.concatenate(self._score).astype(np.float32),
            objective=total / self.world.dispatcher.arrived,
        )


def _stacked(rows: list[Any]) -> Floats:
    return np.concatenate(rows).astype(np.float32) if rows else np.zeros((0, 0), dtype=np.float32)


def play(scenario: Scenario, behaviour: Behaviour) -> Episode:
    """Play a scenario (with numbers for its references) to its end."""
    scenario = scenario.model_copy(update={"warm_up": 0.0})
    explorer = Explorer(behaviour)
    world = World(scenario, explorer, statistics_of(scenario))
    explorer.world, explorer.ledger = world, Ledger(world)
    world.begin()
    world.kernel.advance(math.inf)
    return explorer.episode()
