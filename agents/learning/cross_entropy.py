"""The cross-entropy method: fit the prices of the tuned index by playing, keeping the best, and drawing near those.

Members of a generation have prices drawn from a normal law per term; all play the same episodes, with fresh seeds in
every generation. The law then moves towards the elite, the members that did best. There is one law per order of the
queues, and the order whose centre does better on the episodes just played stands for validation. It begins at the best
of the rules that are special cases of the index.

R. Y. Rubinstein, D. P. Kroese, "The Cross-Entropy Method", Springer 2004, doi:10.1007/978-1-4757-4321-0; smoothed as in
P.-T. de Boer, D. P. Kroese, S. Mannor, R. Y. Rubinstein, "A tutorial on the cross-entropy method", Annals of Operations
Research 134, 2005, doi:10.1007/s10479-005-5724-z.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Agent
from simoffload.random_streams import Streams
from simoffload.record.durable import RecordError, held, write_durably
from simoffload.run.recorder import statistics_of
from simoffload.run.references import with_references
from simoffload.run.world import World
from simoffload.schema import Scenario

from ..policy_file import POLICY_NAME
from ..tuned_index import KIND, ORDERS, SPECIAL_CASES, TERMS, PricedIndex, write_card
from .directory import (
    MOST,
    Row,
    Watch,
    check_saved,
    episode_seed,
    identity,
    is_begun,
    origin,
    progress_text,
    write_curve,
)
from .loop import go_through
from .settings import CrossEntropySettings
from .validation import RULES, Validation, from_empty

Floats = NDArray[np.float64]
CHECKPOINT_FILE = "checkpoint.json"


@dataclass(frozen=True, slots=True)
class Law:
    """Independent normal laws of the prices, in the order of `TERMS`."""

    centre: Floats
    spread: Floats

    def members(self, normals: Floats) -> Floats:
        """Prices [1 + n, terms]: the centre, and a member for every row of standard normal variates [n, terms]."""
        return np.vstack([self.centre, self.centre + self.spread * normals])

    def towards(self, elite: Floats, smoothing: float) -> Law:
        """The law moved so far towards the mean and the deviation of an elite [members, terms]."""
        stay = 1.0 - smoothing
        return Law(
            stay * self.centre + smoothing * elite.mean(axis=0), stay * self.spread + smoothing * elite.std(axis=0)
        )


def elite_of(members: Floats, standing: Floats, share: float) -> Floats:
    """The members of least standing, at least two of them; of equal ones the first."""
    count = max(2, round(share * len(members)))
    return members[np.argsort(standing, kind="stable")[:count]]


class CrossEntropy:
    """A fit in a directory; `run` begins it or goes on where it stopped.

    Of several scenarios the episodes take turns at, and each counts relative to how its members do on average.
    """

    def __init__(
        self, scenarios: Sequence[Scenario], settings: CrossEntropySettings, seed: int, directory: Path
    ) -> None:
        if not (0 <= seed < MOST and settings.generations <= MOST and settings.episodes <= MOST):
            raise ValueError(f"the seed must be below {MOST}, generations and episodes {MOST} at most")
        if settings.members < 2:
            raise ValueError("a generation needs at least two members")
        self._scenarios = [with_references(scenario) for scenario in scenarios]
        self._settings = settings
        self._seed = seed
        self._directory = directory
        self._identity = identity(self._scenarios, self._told_settings())
        self._generation = 0
        self._laws: dict[str, Law] = {}
        self._decisions = 0
        self._curve: list[Row] = []
        self._best = math.inf
        self._validation = Validation(self._scenarios, settings.validation_seeds, settings.validation_tasks)

    @property
    def batch(self) -> int:
        """Generations done."""
        return self._generation

    @property
    def is_over(self) -> bool:
        """Whether all generations are done."""
        return self._generation >= self._settings.generations

    @property
    def share(self) -> float:
        """Of the generations, those that are done."""
        return self._generation / self._settings.generations

    @property
    def text(self) -> str:
        """How far it is, and its objective."""
        done = f"generation {self._generation}/{self._settings.generations}"
        return f"{done}, {progress_text(self._curve, self._validation)}"

    def run(self, workers: int, watch: Watch) -> Row:
        """Fit to the end or until `watch` returns False; the last row of the curve.

        RecordError where the directory is of another training, or in use.
        """
        with held(self._directory):
            if is_begun(self._directory, self._scenarios, self._told_settings()):
                self._load()
            go_through(self, workers, watch)
        return self._curve[-1]

    def prepare(self, pool: Executor) -> None:
        """Let the rules play that the index is measured against, and begin at the best of its special cases."""
        self._validation.measure_rules(pool)
        if not self._laws:
            self._laws = self._first_laws(pool)

    def _first_laws(self, pool: Executor) -> dict[str, Law]:
        """Per order around the special case that does best in it on the first generation's episodes."""
        cases = np.array([[case.get(term, 0.0) for term in TERMS] for case in SPECIAL_CASES.values()])
        played = self._play(pool, dict.fromkeys(ORDERS, cases))
        spread = np.full(len(TERMS), self._settings.spread)
        return {order: Law(cases[int(np.argmin(standing))], spread) for order, standing in _standings(played).items()}

    def step(self, pool: Executor) -> Row:
        """Play a generation, move the laws, validate if it is time, and save."""
        settings = self._settings
        generator = Streams(self._seed).generator("cross-entropy", f"generation {self._generation}")
        normals = generator.standard_normal((settings.members - 1, len(TERMS)))
        members = {order: law.members(normals) for order, law in self._laws.items()}
        played = self._play(pool, members)
        standings = _standings(played)
        leader = min(ORDERS, key=lambda order: standings[order][0])
        self._laws = {
            order: law.towards(elite_of(members[order], standings[order], settings.elite), settings.smoothing)
            for order, law in self._laws.items()
        }
        self._generation += 1
        row = {
            "batch": float(self._generation),
            "decisions": float(self._decisions),
            "objective": float(played[leader][0].mean()),
            "validation": math.nan,
            **{f"centre_{order}": float(objectives[0].mean()) for order, objectives in played.items()},
            **{f"best_{order}": float(objectives.mean(axis=1).min()) for order, objectives in played.items()},
            **{f"spread_{order}": float(law.spread.mean()) for order, law in self._laws.items()},
        }
        if self._generation % settings.validate_every == 0 or self.is_over:
            prices = _named(self._laws[leader].centre)
            row["validation"] = self._validation.score(pool, PricedIndex(prices, leader))
            if row["validation"] < self._best:
                self._best = row["validation"]
                self._write_card(prices, leader, row)
        self._curve.append(row)
        self._save()
        return row

    def _play(self, pool: Executor, members: Mapping[str, Floats]) -> dict[str, Floats]:
        """Per order the mean objective [members, episodes] of each in every episode of this generation."""
        episodes = [self._episode(number) for number in range(self._settings.episodes)]
        agents = [PricedIndex(_named(prices), order) for order, drawn in members.items() for prices in drawn]
        runs = [(episode, agent) for agent in agents for episode in episodes]
        objectives, decisions = zip(*pool.map(play, *zip(*runs, strict=True)), strict=True)
        self._decisions += sum(decisions)
        table = np.reshape(objectives, (len(agents), len(episodes)))
        parts = np.split(table, np.cumsum([len(drawn) for drawn in members.values()])[:-1])
        return dict(zip(members, parts, strict=True))

    def _episode(self, number: int) -> Scenario:
        turn = (self._generation * self._settings.episodes + number) % len(self._scenarios)
        seed = episode_seed(self._seed, self._generation, number)
        return from_empty(self._scenarios[turn], seed, self._settings.tasks)

    def _save(self) -> None:
        state = {
            "of": self._identity,
            "generation": self._generation,
            "laws": {name: [law.centre.tolist(), law.spread.tolist()] for name, law in self._laws.items()},
            "decisions": self._decisions,
            "curve": self._curve,
            "best": self._best,
            "rules": self._validation.rules,
        }
        write_durably(self._directory / CHECKPOINT_FILE, (json.dumps(state, indent=2) + "\n").encode())
        write_curve(self._directory, self._curve)

    def _load(self) -> None:
        path = self._directory / CHECKPOINT_FILE
        if not path.exists():
            return
        try:
            state: Any = json.loads(path.read_bytes())
            check_saved(state, self._identity, "generation")
            self._laws = {order: _law(state["laws"][order]) for order in ORDERS}
            self._generation, self._decisions = int(state["generation"]), int(state["decisions"])
            self._curve = [{name: float(value) for name, value in row.items()} for row in state["curve"]]
            self._best = float(state["best"])
            self._validation.rules = {name: [float(each) for each in state["rules"][name]] for name in RULES}
        except (OSError, LookupError, AttributeError, TypeError, ValueError) as error:
            raise RecordError(f"{path} is damaged or no checkpoint of this version: {error}") from None

    def _write_card(self, prices: dict[str, float], order: str, row: Row) -> None:
        about = origin(self._directory, self._scenarios, self._told_settings(), [*self._curve, row], self._validation)
        write_card((self._directory / POLICY_NAME).with_suffix(".json"), prices, order, about)

    def _told_settings(self) -> dict[str, Any]:
        return {"seed": self._seed, **asdict(self._settings), "scheme": {"agent": KIND}}


def _named(prices: Floats) -> Row:
    return dict(zip(TERMS, prices.tolist(), strict=True))


def _standings(played: Mapping[str, Floats]) -> dict[str, Floats]:
    """Per order how each member did, [members]: its objective over the mean of all, averaged over the episodes."""
    level = np.concatenate(list(played.values())).mean(axis=0)
    return {order: (objectives / level).mean(axis=1) for order, objectives in played.items()}


def _law(saved: Any) -> Law:
    centre, spread = np.array(saved, dtype=np.float64)
    if centre.shape != (len(TERMS),) or not (np.isfinite(centre).all() and (spread >= 0).all()):
        raise ValueError("a law that is none of these terms")
    return Law(centre, spread)


def play(scenario: Scenario, agent: Agent) -> tuple[float, int]:
    """Mean objective per task of an agent, and how many decisions it has made (one per subtask)."""
    world = World(scenario, agent, statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf)
    recorder = world.recorder
    return recorder.objective.mean, sum(node.subtasks for node in recorder.nodes)
