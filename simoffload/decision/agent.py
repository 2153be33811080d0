"""The interface of agents: set up before a run, then asked for a decision at every epoch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from operator import index
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

ORDERS = ("fifo", "wspt", "upward-rank", "optimistic-rank", "decide")
"""How an agent may have waiting subtasks queued; `decide`: it is asked whenever a choice is open."""


class AgentError(Exception):
    """An agent that cannot be found or gave an answer that is none; the message says which and why."""


class Decision(NamedTuple):
    """An answer: a row of the observation, and the priority of the subtask in the lines it will stand in."""

    choice: int
    priority: float | None = None
    """Smaller goes first; None: what the agent's `order` says."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What an agent may know before a run."""

    node_ids: tuple[str, ...]
    """By node number: edge nodes first, then clouds."""
    edges: int
    """Number of edge nodes."""
    is_cloud: NDArray[np.bool_]
    """[nodes]"""
    modalities: NDArray[np.bool_]
    """[nodes, 4]: whether a node serves text, image, audio, sensor data."""
    latency_weight: float
    """w of the objective: w L/L_ref + (1 - w) C/C_ref, times the task's weight in its first part."""
    latency_reference_s: float
    cost_reference_usd: float
    telemetry_interval_s: float
    order: str
    """When order is decided: at_service_start or at_ready."""


class Agent(Protocol):
    """Decides for all home nodes."""

    order: str
    """One of `ORDERS`."""

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """A run begins; `generator` holds the only random numbers the agent may use."""

    def decide(self, observation: Any) -> Decision:
        """The answer to an `Observation`, or to an `OrderObservation` if `order` is ``decide``.

        Equal ones give equal answers after equal pasts.
        """


def orders_from(agent: object) -> int:
    """How many must wait for an agent that decides to be asked who goes next; of fewer the first come does.

    2, which is whenever there is a choice, unless the agent has an attribute of this name; AgentError if that is no
    whole number of 2 or more.
    """
    fewest = getattr(agent, "orders_from", 2)
    if not (isinstance(fewest, Integral) and int(fewest) >= 2):
        raise AgentError(
            f"agent {type(agent).__name__} wants to be asked who goes next where {fewest!r} wait; it must be a whole "
            "number of 2 or more"
        )
    return int(fewest)


def learns(agent: object) -> bool:
    """Whether an agent says of itself, by an attribute `learns` that is true, that it goes on learning while it runs.

    What it does then depends on how long it has run, for good, so its run has no steady state. Memory that fades, as of
    what was heard in the last minute, is no learning in this sense.
    """
    return bool(getattr(agent, "learns", False))


def read_decision(decision: Decision, rows: int, agent: object) -> tuple[int, float | None]:
    """The row and the priority of an answer to an observation of so many rows; AgentError where it is no answer."""
    name = f"agent {type(agent).__name__}"
    if not isinstance(decision, Decision):
        raise AgentError(f"{name} answered {decision!r}; it must be a Decision")
    try:
        row = index(decision.choice)
    except TypeError:
        row = -1
    if not 0 <= row < rows:
        raise AgentError(f"{name} chose row {decision.choice!r}; the observation has rows 0 to {rows - 1}")
    wanted = decision.priority
    if wanted is not None and not (isinstance(wanted, Real) and math.isfinite(wanted)):
        raise AgentError(f"{name} gave a subtask the priority {wanted!r}; it must be a finite number")
    return row, wanted
