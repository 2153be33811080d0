"""UCB-COMA at work: the trained policy decides greedily, without exploration and without a critic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simoffload.decision import Decision

from .policy_file import read_policy
from .scoring import Heads

if TYPE_CHECKING:
    from simoffload.decision import Setting

WEIGHTS = Path(__file__).parent / "weights"


class ScoringAgent:
    """Takes the row of the largest logit; of equal ones the first."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self.order: str = "fifo" if heads.order is None else "decide"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """The policy has no memory and draws nothing."""

    def decide(self, observation: Any) -> Decision:
        """The best row."""
        _, corrections, rule = self._heads.evaluate(observation)
        return Decision(int(np.argmax(corrections + rule)))


class UcbComa(ScoringAgent):
    """UCB-COMA with the policy that comes with the package."""

    def __init__(self, path: Path = WEIGHTS / "ucb-coma") -> None:
        super().__init__(read_policy(path)[0])
