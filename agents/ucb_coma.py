"""UCB-COMA at work: trained policies that come with the package, deciding without exploration and without a critic.

How each was trained, by which command, says `weights/README.md`.
"""

from __future__ import annotations

from pathlib import Path

from .policy_file import read_policy
from .scoring import ScoringAgent

WEIGHTS = Path(__file__).parent / "weights"


class UcbComa(ScoringAgent):
    """UCB-COMA trained on smart-factory, for loads like its own: places subtasks and orders those that wait."""

    def __init__(self, path: Path = WEIGHTS / "ucb-coma") -> None:
        super().__init__(read_policy(path)[0])


class UcbComaGeneralist(UcbComa):
    """UCB-COMA trained on smart-factory at five loads, light to heavy, and four telemetry intervals."""

    def __init__(self) -> None:
        super().__init__(WEIGHTS / "ucb-coma-generalist")
