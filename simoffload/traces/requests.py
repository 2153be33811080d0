"""The requests of a trace: when each came and how many tokens it had, in arrays."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from .formats import RequestFormat
from .lines import NOTHING_SKIPPED, Skipped


@dataclass(frozen=True, slots=True)
class Requests:
    """The requests of a trace; the arrays are of one length, at least 1."""

    times_s: array[float]
    """Since the first request, never decreasing."""
    prompt_tokens: array[int]
    output_tokens: array[int]
    format: RequestFormat
    skipped: Skipped = NOTHING_SKIPPED
    out_of_order: int = 0
    """Rows whose time was before that of the row above."""
