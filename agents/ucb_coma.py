"""UCB-COMA at work: the trained policy decides greedily, without exploration and without a critic."""

from __future__ import annotations

from pathlib import Path

from .policy_file import read_policy
from .scoring import ScoringAgent

WEIGHTS = Path(__file__).parent / "weights"


class UcbComa(ScoringAgent):
    """UCB-COMA with the policy that comes with the package."""

    def __init__(self, path: Path = WEIGHTS / "ucb-coma") -> None:
        super().__init__(read_policy(path)[0])
