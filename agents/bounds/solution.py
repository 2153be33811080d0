"""What a solver finds of a static instance: a schedule, its objective, and a bound."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """A subtask on its node, s."""

    task: int
    subtask: int
    node: int
    start_s: float
    finish_s: float


@dataclass(frozen=True, slots=True)
class Optimum:
    """What the solver found."""

    status: str
    """``optimal``; ``feasible`` where effort ran out before that was proved; ``unknown`` where nothing was found."""
    objective: float
    """Of the schedule, on the grid; inf without one."""
    bound: float
    """No agent's objective is below it."""
    schedule: tuple[Service, ...]
    """On the grid, task by task in the order of their subtasks; empty without one."""
    wall_s: float
