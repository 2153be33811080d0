"""The episodes of the last few batches, from which learners off the policy learn again and again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from .rollout import Episode


class Replay:
    """Keeps the episodes of so many batches, the latest ones."""

    def __init__(self, batches: int) -> None:
        self._most = batches
        self._batches: list[list[Episode]] = []

    def add(self, episodes: Sequence[Episode]) -> None:
        """Keep a batch, and let go of the oldest if there are too many."""
        self._batches = [*self._batches, list(episodes)][-self._most :]

    def episodes(self) -> list[Episode]:
        """All that are kept, the oldest first."""
        return [episode for batch in self._batches for episode in batch]

    def state(self) -> list[list[dict[str, Any]]]:
        """What is kept, as tensors and plain data."""
        return [[_tensors(episode) for episode in batch] for batch in self._batches]

    def restore(self, state: list[list[dict[str, Any]]]) -> None:
        """Keep what was kept where `state` was taken."""
        self._batches = [[Episode(**_arrays(episode)) for episode in batch] for batch in state]


def _tensors(episode: Episode) -> dict[str, Any]:
    values = {field.name: getattr(episode, field.name) for field in fields(episode)}
    values["rows"] = {kind: torch.from_numpy(rows) for kind, rows in episode.rows.items()}
    return {name: torch.from_numpy(each) if isinstance(each, np.ndarray) else each for name, each in values.items()}


def _arrays(values: dict[str, Any]) -> dict[str, Any]:
    rows = {kind: each.numpy() for kind, each in values["rows"].items()}
    return {name: each.numpy() if isinstance(each, torch.Tensor) else each for name, each in values.items()} | {
        "rows": rows
    }
