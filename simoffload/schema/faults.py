"""Faults: when something breaks and is mended, and what becomes of the work that it had in hand.

The times of a fault belong to the node or the link that has it; what happens then is one policy for the whole plant.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..quantities import Number, Seconds, Whole
from .base import Frozen
from .limits import SHORTEST_S

Spells = Annotated[
    list[Annotated[list[Seconds], Field(min_length=2, max_length=2)]], Field(min_length=1, max_length=10_000)
]
"""Beginning and end of each, in order."""
_Mean = Annotated[Seconds, Field(ge=SHORTEST_S)]
_Shape = Annotated[Number, Field(ge=0.2, le=20)]


def check_order(spells: list[list[float]]) -> None:
    """ValueError where a spell begins before the one ahead of it is over, or ends no later than it begins."""
    earlier = 0.0
    for number, (begin, end) in enumerate(spells):
        if begin < earlier:
            raise ValueError(f"spell {number} begins before the one ahead of it is over")
        if end <= begin:
            raise ValueError(f"spell {number} ends no later than it begins")
        earlier = end


class ExponentialFaults(Frozen):
    """Faults by chance, without memory; a run begins without one."""

    kind: Literal["exponential"]
    mean_up: _Mean
    """From the end of a fault to the next."""
    mean_down: _Mean
    """From the beginning of a fault to its end."""


class WeibullFaults(Frozen):
    """Faults by chance after Weibull times; a run begins without one, right after a repair."""

    kind: Literal["weibull"]
    mean_up: _Mean
    """From the end of a fault to the next."""
    mean_down: _Mean
    """From the beginning of a fault to its end."""
    shape: _Shape
    """Of the times between faults: below 1 what has just been mended breaks again soonest, above 1 things wear out."""
    down_shape: _Shape = 1.0
    """Of the times that faults last."""


class WrittenFaults(Frozen):
    """Faults by a timetable, as of maintenance."""

    kind: Literal["timetable"]
    spells: Spells
    """Beginning and end of each."""

    @model_validator(mode="after")
    def _in_order(self) -> WrittenFaults:
        check_order(self.spells)
        return self


Faults = Annotated[ExponentialFaults | WeibullFaults | WrittenFaults, Field(discriminator="kind")]


class Retry(Frozen):
    """How often and when what was lost is tried again: the n-th time after min(first factor^(n-1), most)."""

    limit: Annotated[Whole, Field(ge=0, le=1000)] = 3
    """After so many further attempts at a subtask its task is dropped."""
    first: Seconds = 1.0
    """Wait before the first of them."""
    factor: Annotated[Number, Field(ge=1, le=100)] = 2.0
    """Growth of the wait from one to the next; 1: it stays as it is."""
    most: Seconds = 60.0
    """No wait is longer."""


class FaultPolicy(Frozen):
    """What becomes of the subtasks that a fault meets.

    `lose`: the attempt has failed; the subtask is decided anew after a wait, so often as `retry` allows. `migrate`: it
    is decided anew at once, which counts as no failure. `drop`: its task is given up.
    """

    in_service: Literal["lose", "migrate", "drop"] = "lose"
    """At the crash of the node that serves them."""
    waiting: Literal["stay", "lose", "migrate", "drop"] = "stay"
    """At the crash of the node where they wait; `stay`: they wait on."""
    arriving: Literal["wait", "lose", "drop"] = "wait"
    """At a node that is down."""
    retry: Retry = Retry()
    lost_work: Literal["paid", "free"] = "paid"
    """Whether what was done of a lost attempt costs what it would have cost. Its energy is spent either way."""
    drop_penalty: Annotated[Number, Field(ge=0, le=1e6)] = 10.0
    """What a dropped task adds to the objective, besides its time in the system and its cost."""
