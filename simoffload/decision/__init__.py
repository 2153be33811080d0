"""The decision: what an agent sees of a subtask and of the plant, what it answers, and what becomes of the subtask.

`Observation`, `Decision`, `Setting` and `Agent` are all that an agent needs to know; `dispatcher` is where the life of
a subtask can be read from top to bottom.
"""

from __future__ import annotations

from .agent import Agent, Decision, Setting
from .hearing import Heard
from .observation import Observation
from .order import OrderObservation

__all__ = ["Agent", "Decision", "Heard", "Observation", "OrderObservation", "Setting"]
