"""The least objective that a static instance allows, by constraint programming, and a bound that nobody can beat.

The optimum is clairvoyant: it knows what is to come, and may let a server or a link wait for something more urgent,
which no agent can. It is found on a grid of time to which all durations are rounded down, so that every run of the
simulator, moved onto the grid, is a solution that costs no less than the grid's best.
"""

from __future__ import annotations

from .instance import StaticInstance
from .solution import Optimum

TICK_S = 0.001
EFFORT = 20.0
"""In CP-SAT's deterministic time, which passes alike on every machine: 1 is a few seconds of a processor."""


def optimum(instance: StaticInstance, effort: float = EFFORT, tick_s: float = TICK_S) -> Optimum:
    """Solve an instance with one worker and a fixed seed; ModuleNotFoundError without OR-Tools.

    The objective is that of the scenario, summed over tasks: weight w L/L_ref + (1 - w) C/C_ref.
    """
    try:
        from .model import Model
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}: an optimum needs simoffload[bounds]", name=error.name) from None
    return Model(instance, tick_s).solve(effort)
