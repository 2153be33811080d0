"""A task: one inference request, with everything about it that chance decides, drawn before it arrives.

Lists are indexed by the number of the subtask in `graph`. What is marked as the truth shows only while a subtask is
served; agents see the expected values beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .graph import TaskGraph


@dataclass(slots=True, eq=False)
class Task:
    """A task of a workload that arrives at the edge node `home`."""

    workload: int
    home: int
    """Number of the edge node."""
    arrival_s: float
    graph: TaskGraph
    weight: float
    """Importance in the objective."""
    deadline_s: float
    """Seconds after its arrival by which it should be complete; inf for none."""
    max_output: int
    """No answer is longer than this, in tokens."""
    prompt: list[int]
    """Own prompt in tokens, those of the payload included and the predecessors' answers not."""
    output: list[int]
    """The truth: tokens of the answer."""
    expected_output: list[float]
    """Tokens of the answer as an agent expects them."""
    payload_bytes: list[float]
    """Raw data at `home` that must reach the node that runs the subtask; 0 for none."""
    demand_s: list[float]
    """The truth: further service time at speed 1."""
    expected_demand_s: list[float]
    """Mean of the law that the further service time is drawn from."""
    difficulty: list[float]
    """On the scale of the models' skills."""
    luck: list[float]
    """Uniform on [0, 1): a subtask is right where its chance exceeds this, whoever runs it."""
    api_noise: list[float]
    """Standard normal: what a public interface's overhead makes of the subtask."""
    number: int = -1
    """The how-manieth arrival of the run, from 0; -1 before it arrives."""
