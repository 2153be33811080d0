"""Training: batch after batch of episodes, with a look at validation seeds now and then, saved so that it can go on.

Everything depends on the settings and the seed alone: episodes on (seed, batch, number), not on who plays them, so any
number of workers, and any number of interruptions, ends with the same weights. The policy that is kept is the best one
on the validation seeds, which no episode uses.
"""

from __future__ import annotations

import csv
import io
import json
import math
import multiprocessing
import os
import pickle
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from simoffload.record.durable import RecordError, make_directory, write_durably
from simoffload.record.manifest import versions
from simoffload.run.references import with_references
from simoffload.run.workers import interrupts_held, set_up
from simoffload.schema import Scenario
from simoffload.schema.writing import dump_scenario

from .rollout import Episode, play
from .schemes import Scheme
from .validation import Validation, from_empty

CHECKPOINT_FILE, CURVE_FILE, POLICY_NAME = "checkpoint.pt", "curve.csv", "policy"
SETTINGS_FILE, SCENARIO_FILE = "settings.json", "scenario.yaml"
EPISODE_SEEDS = 1_000_000_000
"""Where the seeds of episodes begin; other seeds of a scenario do not meet them."""
MOST = 1000
"""Seeds of trainings, batches, and episodes of a batch; with no more than these no two episodes share a seed."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What a training run depends on besides the scenario and the seed."""

    batches: int = 40
    episodes: int = 12
    """Episodes of a batch."""
    tasks: int = 250
    """Tasks of an episode."""
    validate_every: int = 5
    validation_seeds: int = 8
    validation_tasks: int = 600
    patience: int = 0
    """Validations without a new best after which training ends early; 0: never."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far training has come."""

    share: float
    wall_s: float
    text: str
    row: dict[str, float]
    """Of the curve."""


Watch = Callable[[Look], bool]


_NO_CHECKPOINT = (
    OSError, EOFError, RuntimeError, LookupError, AttributeError, TypeError, ValueError, pickle.UnpicklingError,
)  # fmt: skip
"""What reading something else than a checkpoint raises."""


class Training:
    """A training run in a directory; `run` begins it or goes on where it stopped.

    Of several scenarios each episode is played on one that chance picks.
    """

    def __init__(
        self, scenarios: Sequence[Scenario], scheme: Scheme, settings: TrainingSettings, seed: int, directory: Path
    ) -> None:
        if not (0 <= seed < MOST and settings.batches <= MOST and settings.episodes <= MOST):
            raise ValueError(f"the seed must be below {MOST}, batches and episodes {MOST} at most")
        self._scenarios = [with_references(scenario) for scenario in scenarios]
        self._scheme = scheme
        self._settings = settings
        self._seed = seed
        self._directory = directory
        self._learner = scheme.learner(seed)
        self._batch = 0
        self._curve: list[dict[str, float]] = []
        self._best = math.inf
        self._validation = Validation(self._scenarios, settings.validation_seeds, settings.validation_tasks)

    def run(self, workers: int, watch: Watch) -> dict[str, float]:
        """Train to the end or until `watch` returns False; the last row of the curve."""
        began = time.perf_counter()
        torch.set_num_threads(1)
        self._prepare()
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, context, set_up, (os.getpid(),)) as pool:
            with interrupts_held():
                pool.map(abs, range(workers))
            self._validation.measure_rules(pool)
            while not self.is_over:
                row = self._step(pool)
                share = self._batch / self._settings.batches
                if not watch(Look(share, time.perf_counter() - began, self._told(row), row)):
                    break
        return self._curve[-1]

    @property
    def batch(self) -> int:
        """Batches done."""
        return self._batch

    @property
    def is_over(self) -> bool:
        """Whether all batches are done, or validation has not improved for long enough."""
        return self._batch >= self._settings.batches or self._is_stuck()

    def _is_stuck(self) -> bool:
        found = [row["validation"] for row in self._curve if not math.isnan(row["validation"])]
        patience = self._settings.patience
        return 0 < patience < len(found) and min(found[-patience:]) >= min(found[:-patience])

    def _step(self, pool: Executor) -> dict[str, float]:
        """Play a batch, learn from it, validate if it is time, and save."""
        settings, number = self._settings, self._batch
        progress = number / settings.batches
        behaviour = self._learner.behaviour(progress)
        variants = [self._variant(number, k) for k in range(settings.episodes)]
        scenarios = [self._episode_scenario(variant, number, k) for k, variant in enumerate(variants)]
        episodes: list[Episode] = list(pool.map(play, scenarios, [behaviour] * settings.episodes, variants))
        told = self._learner.learn(episodes, progress)
        self._batch = number + 1
        decisions = self._curve[-1]["decisions"] if self._curve else 0.0
        row = {
            "batch": float(self._batch),
            "decisions": decisions + float(sum(len(episode.sizes) for episode in episodes)),
            "objective": float(np.mean([episode.objective for episode in episodes])),
            "validation": math.nan,
            **told,
        }
        if self._batch % settings.validate_every == 0 or self._batch == settings.batches:
            row["validation"] = self._validation.score(pool, self._learner.agent())
            if row["validation"] < self._best:
                self._best = row["validation"]
                self._write_policy(row)
        self._curve.append(row)
        self._save()
        return row

    def _variant(self, batch: int, number: int) -> int:
        return int(np.random.default_rng((self._seed, batch, number)).integers(len(self._scenarios)))

    def _episode_scenario(self, variant: int, batch: int, number: int) -> Scenario:
        seed = EPISODE_SEEDS + self._seed * 1_000_000 + batch * 1000 + number
        return from_empty(self._scenarios[variant], seed, self._settings.tasks)

    def _told(self, row: dict[str, float]) -> str:
        level, best = min((level, name) for name, level in self._validation.of_rules().items())
        known = [each["validation"] for each in self._curve if not math.isnan(each["validation"])]
        gain = f", {100 * (known[-1] / level - 1):+.1f} % against {best} ({level:.3f})" if known else ""
        return f"batch {self._batch}/{self._settings.batches}, objective {row['objective']:.3f}{gain}"

    def _prepare(self) -> None:
        """Make the directory, or take up what it holds."""
        contents = {SETTINGS_FILE: (json.dumps(self._told_settings(), indent=2) + "\n").encode()}
        for number, scenario in enumerate(self._scenarios):
            name = SCENARIO_FILE if number == 0 else f"scenario-{number + 1}.yaml"
            contents[name] = dump_scenario(scenario).encode()
        if (self._directory / SETTINGS_FILE).exists():
            for name, content in contents.items():
                if not _holds(self._directory / name, content):
                    path = self._directory / name
                    raise RecordError(f"{path} is of a training with other settings; give another directory")
            self._load()
            return
        make_directory(self._directory)
        for name, content in contents.items():
            write_durably(self._directory / name, content)

    def _save(self) -> None:
        buffer = io.BytesIO()
        state = {
            "learner": self._learner.state(),
            "batch": self._batch,
            "curve": self._curve,
            "best": self._best,
            "rules": self._validation.rules,
        }
        torch.save(state, buffer)
        write_durably(self._directory / CHECKPOINT_FILE, buffer.getvalue())
        text = io.StringIO()
        table = csv.DictWriter(text, list(self._curve[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(self._curve)
        write_durably(self._directory / CURVE_FILE, text.getvalue().encode())

    def _load(self) -> None:
        path = self._directory / CHECKPOINT_FILE
        if not path.exists():
            return
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
            self._learner.restore(state["learner"])
            self._batch, self._curve = int(state["batch"]), list(state["curve"])
            self._best, self._validation.rules = float(state["best"]), dict(state["rules"])
        except _NO_CHECKPOINT as error:
            raise RecordError(f"{path} is damaged or no checkpoint of this version: {error}") from None

    def _write_policy(self, row: dict[str, float]) -> None:
        first = self._scenarios[0]
        known = [each for each in (*self._curve, row) if not math.isnan(each["validation"])]
        card = {
            "scenario": first.name,
            "scenarios": [sha256(dump_scenario(each).encode()).hexdigest() for each in self._scenarios],
            "references": {
                "latency_s": first.objective.latency_reference,
                "cost_usd": first.objective.cost_reference,
            },
            "training": self._told_settings(),
            "versions": {**versions(), "torch": torch.__version__},
            "validation": {"policy": row["validation"], **self._validation.of_rules()},
            "curve": [[each["decisions"], each["validation"]] for each in known],
            "decisions": row["decisions"],
        }
        self._learner.write(self._directory / POLICY_NAME, card)

    def _told_settings(self) -> dict[str, Any]:
        scheme = {"agent": self._scheme.name, **asdict(self._scheme.settings)}
        return {"seed": self._seed, **asdict(self._settings), "scheme": scheme}


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
