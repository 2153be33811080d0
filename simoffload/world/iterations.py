"""Iterations of a batch whose members stay the same: when each ends, and how many have by a point in time.

Each iteration takes longer than the last by the same amount, for every writer has one token more of context, so both
have a closed form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..laws import ServingLaw, iterations_s
from .pace import Pace


@dataclass(slots=True, eq=False)
class Run:
    """Iterations of an unchanged batch, and the chunks of a prompt that ride along; a newcomer may cut their number."""

    law: ServingLaw
    start_s: float
    iterations: int
    writers: int
    """Members that write a token in each iteration."""
    context_tokens: int
    """Context of the writers at the start."""
    opening_s: float = 0.0
    """Added to the first iteration."""
    chunk: int = 0
    prompt_left: int = 0
    """Tokens of prompt at the start, of which each iteration reads a chunk, the last one the rest."""
    pace: Pace | None = None
    """The node's; None where it never changes."""

    def boundary_s(self, number: int) -> float:
        """End of iteration `number`, from 1."""
        decode_s = iterations_s(self.law, self.writers, self.context_tokens, number)
        read = min(number * self.chunk, self.prompt_left)
        work_s = decode_s + self.opening_s + read * self.law.prefill_s_per_token
        return self.start_s + work_s if self.pace is None else self.pace.end_s(self.start_s, work_s)

    def completed(self, now_s: float) -> int:
        """Number of iterations whose end is not after `now_s`; none of those that take no time, which are yet to come.

        Without rounding it is the root of m first + growth m (m-1) / 2 = work done, rounded down.
        """
        law = self.law
        chunk_s = self.chunk * law.prefill_s_per_token
        first_s = iterations_s(law, self.writers, self.context_tokens, 1, chunk_s)
        growth_s = law.decode_s_per_context_token * self.writers
        linear_s = first_s - growth_s / 2
        if linear_s <= 0.0:
            return 0
        worked_s = now_s - self.start_s if self.pace is None else self.pace.work_s(self.start_s, now_s)
        elapsed_s = max(worked_s - self.opening_s, 0.0)
        root = 2 * elapsed_s / (linear_s + math.sqrt(linear_s * linear_s + 2 * growth_s * elapsed_s))
        number = int(min(root, self.iterations))
        while number > 0 and self.boundary_s(number) > now_s:
            number -= 1
        while number < self.iterations and self.boundary_s(number + 1) <= now_s:
            number += 1
        return number
