"""What every scheme that learns from batches of episodes offers to the loop that trains it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from simoffload.decision import Agent

from .rollout import Behaviour, Episode


class Learner(Protocol):
    """Acts, learns, and hands out what it has learned. `progress` is the share of the batches that are done."""

    def behaviour(self, progress: float) -> Behaviour:
        """How to act in the next batch of episodes."""

    def learn(self, episodes: Sequence[Episode], progress: float) -> dict[str, float]:
        """Improve on a batch of episodes; what happened, by name, for the curve."""

    def agent(self) -> Agent:
        """The policy as it is now, deciding without exploring."""

    def write(self, path: Path, card: dict[str, Any]) -> None:
        """Write that policy as files of this name with suffixes."""

    def state(self) -> dict[str, Any]:
        """Everything that learning goes on from, as tensors and plain data."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from where `state` was taken."""
