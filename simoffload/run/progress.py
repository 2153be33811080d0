"""How far a run has come."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A look at a run under way."""

    simulated_s: float
    arrived: int
    """Tasks that have arrived."""
    finished: int
    """Tasks that have left, completed or dropped."""
    share: float
    """Of the horizon, from 0 to 1."""
    events: int
    wall_s: float
    """Since the run began."""
