"""Training: batch after batch of episodes, with a look at validation seeds now and then, saved so that it can go on.

Everything depends on the settings and the seed alone: episodes on (seed, batch, number), not on who plays them, so any
number of workers, and any number of interruptions, ends with the same weights. The policy that is kept is the best one
on the validation seeds, which no episode uses.
"""

from __future__ import annotations

import io
import math
import pickle
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from simoffload.record.durable import RecordError, held, write_durably
from simoffload.run.references import with_references
from simoffload.schema import Scenario

from ..policy_file import POLICY_NAME
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
from .rollout import Episode, play
from .scheme import Scheme
from .settings import TrainingSettings, told
from .validation import Validation, from_empty

CHECKPOINT_FILE = "checkpoint.pt"

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
        self._identity = identity(self._scenarios, self._told_settings())
        self._learner = scheme.learner(seed)
        self._batch = 0
        self._curve: list[Row] = []
        self._best = math.inf
        self._validation = Validation(self._scenarios, settings.validation_seeds, settings.validation_tasks)

    def run(self, workers: int, watch: Watch) -> Row:
        """Train to the end or until `watch` returns False; the last row of the curve.

        RecordError where the directory is of another training, or in use.
        """
        torch.set_num_threads(1)
        with held(self._directory):
            if is_begun(self._directory, self._scenarios, self._told_settings()):
                self._load()
            go_through(self, workers, watch)
        return self._curve[-1]

    @property
    def batch(self) -> int:
        """Batches done."""
        return self._batch

    @property
    def is_over(self) -> bool:
        """Whether all batches are done, or validation has not improved for long enough."""
        return self._batch >= self._settings.batches or self._is_stuck()

    @property
    def share(self) -> float:
        """Of the batches, those that are done."""
        return self._batch / self._settings.batches

    @property
    def text(self) -> str:
        """How far it is, and its objective."""
        return f"batch {self._batch}/{self._settings.batches}, {progress_text(self._curve, self._validation)}"

    def _is_stuck(self) -> bool:
        found = [row["validation"] for row in self._curve if not math.isnan(row["validation"])]
        patience = self._settings.patience
        return 0 < patience < len(found) and min(found[-patience:]) >= min(found[:-patience])

    def prepare(self, pool: Executor) -> None:
        """Let the rules play that the policy is measured against."""
        self._validation.measure_rules(pool)

    def step(self, pool: Executor) -> Row:
        """Play a batch, learn from it, validate if it is time, and save."""
        settings, number = self._settings, self._batch
        progress = number / settings.batches
        behaviour = self._learner.behaviour(progress)
        variants = [self._variant(number, k) for k in range(settings.episodes)]
        scenarios = [self._episode_scenario(variant, number, k) for k, variant in enumerate(variants)]
        episodes: list[Episode] = list(pool.map(play, scenarios, [behaviour] * settings.episodes, variants))
        learned = self._learner.learn(episodes, progress)
        _check(learned, number + 1)
        self._batch = number + 1
        decisions = self._curve[-1]["decisions"] if self._curve else 0.0
        row = {
            "batch": float(self._batch),
            "decisions": decisions + float(sum(len(episode.sizes) for episode in episodes)),
            "objective": float(np.mean([episode.objective for episode in episodes])),
            "validation": math.nan,
            **learned,
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
        return from_empty(self._scenarios[variant], episode_seed(self._seed, batch, number), self._settings.tasks)

    def _save(self) -> None:
        buffer = io.BytesIO()
        state = {
            "of": self._identity,
            "learner": self._learner.state(),
            "batch": self._batch,
            "curve": self._curve,
            "best": self._best,
            "rules": self._validation.rules,
        }
        torch.save(state, buffer)
        write_durably(self._directory / CHECKPOINT_FILE, buffer.getvalue())
        write_curve(self._directory, self._curve)

    def _load(self) -> None:
        path = self._directory / CHECKPOINT_FILE
        if not path.exists():
            return
        no_checkpoint = f"{path} is damaged or no checkpoint of this version"
        try:
            with warnings.catch_warnings(action="ignore"):  # what torch has to say of a file that it did not write
                state: dict[str, Any] = torch.load(path, weights_only=True)
        except _NO_CHECKPOINT:  # torch would go on to advise reading it in a way that may run anything
            raise RecordError(f"{no_checkpoint}; remove it to begin anew") from None
        try:
            check_saved(state, self._identity, "batch")
            self._learner.restore(state["learner"])
            self._batch, self._curve = int(state["batch"]), list(state["curve"])
            self._best = float(state["best"])
            self._validation.rules = {name: [float(each) for each in found] for name, found in state["rules"].items()}
        except _NO_CHECKPOINT as error:
            raise RecordError(f"{no_checkpoint}: {error}") from None

    def _write_policy(self, row: Row) -> None:
        card = origin(self._directory, self._scenarios, self._told_settings(), [*self._curve, row], self._validation)
        card["versions"] = {**card["versions"], "torch": torch.__version__}
        self._learner.write(self._directory / POLICY_NAME, card)

    def _told_settings(self) -> dict[str, Any]:
        scheme = {"agent": self._scheme.name, **told(self._scheme.settings)}
        return {"seed": self._seed, **asdict(self._settings), "scheme": scheme}


def _check(learned: Mapping[str, float], batch: int) -> None:
    """RecordError where learning has got out of hand: no later batch would bring such networks back."""
    for name, value in learned.items():
        if not math.isfinite(value):
            raise RecordError(
                f"learning has got out of hand in batch {batch}: {name} is {value}; lower the learning rates and begin "
                "anew in another directory"
            )
