"""Trained policies as agents: what `simoffload train` has left is used as ``trained:PATH``."""

from __future__ import annotations

from pathlib import Path

from .policy_file import read_policy
from .scoring import ScoringAgent


def read(argument: str) -> ScoringAgent:
    """A trained policy, read from PATH.safetensors and PATH.json."""
    path = Path(argument)
    return ScoringAgent(read_policy(path.with_suffix("") if path.suffix in (".safetensors", ".json") else path)[0])
