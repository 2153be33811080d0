"""A job: a subtask that has been given a place, on its way through transfers, a waiting line and service.

It keeps the instants of that way, and what the station needs to know to serve it. Instants are nan until they come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from ..tasks import Task

NAN = math.nan


@dataclass(slots=True, eq=False)
class Job:
    """A placed subtask; times are in seconds of the node's own speed."""

    task: Task
    subtask: int
    node: int
    model: int
    """Number of the node's model that runs it."""
    priority: float
    """Smaller goes first, in lines that go by priority."""
    prompt: int
    """Tokens read, predecessors' answers included."""
    output: int
    """The truth: tokens written."""
    before_tokens_s: float
    """Of the prefill what does not depend on the prompt's length: encoder, overhead, further demand (the truth)."""
    first_after_s: float
    """The truth: from the start of service to the first token, alone on the node, without swap or API overhead."""
    last_after_s: float
    """The truth: from the start of service to the last token, likewise."""
    expected_service_s: float
    """Service as it was expected when the job was placed, loading a model aside."""
    ready_s: float
    expected_finish_s: float = NAN
    missing: int = 0
    """Inputs still on their way."""
    entered_s: float = NAN
    """All inputs are there: it joins the waiting line."""
    start_s: float = NAN
    first_token_s: float = NAN
    finish_s: float = NAN
    swap_s: float = 0.0
    """Time spent loading its model, at the beginning of service."""
    share_s: float = 0.0
    """Integral over its service of 1 / jobs that shared a batch; of slots, time when one was at it."""
    iterations: float = 0.0
    """Sum over the iterations of a batch it was in of 1 / jobs in it."""
    is_correct: bool = False
    cost_usd: float = 0.0
    energy_j: float = 0.0

    work = property(attrgetter("expected_service_s"))
    """What it adds to the work that waits: its expected service, s."""

    @property
    def reserved_tokens(self) -> int:
        """Tokens of KV memory that a batch sets aside for it: its prompt and the longest answer there may be."""
        return self.prompt + self.task.max_output


class Broken(NamedTuple):
    """A job whose service was broken off, and how many tokens it had written by then."""

    job: Job
    written: int
