"""How long language models take for requests, many at once as arrays: alone, and as their part of a batch's time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simoffload.laws import ServingLaw

Floats = NDArray[np.float64]


def alone_s(law: ServingLaw, encoder_s: float, prompt: Floats, output: Floats, demand_s: Floats) -> Floats:
    """Seconds that each request takes alone, as in `simoffload.world.service`: demand, encoder, prompt, and answer.

    Demands are at the node's speed already; without any tokens they are all there is.
    """
    called_s = np.where(prompt + output > 0, encoder_s + law.prefill_overhead_s, 0.0)
    steps = np.maximum(output - 1, 0)
    context = steps * (prompt + 1) + steps * np.maximum(steps - 1, 0) / 2
    writing_s = steps * (law.decode_s + law.decode_s_per_sequence) + context * law.decode_s_per_context_token
    return np.asarray(demand_s + called_s + prompt * law.prefill_s_per_token + writing_s)


def shared_s(law: ServingLaw, output: Floats) -> Floats:
    """The part of it that all members of a batch share, if there are others: decode_s of each iteration."""
    return np.asarray(np.maximum(output - 1, 0) * law.decode_s)


def seats(max_batch: int, kv_tokens: float, longest: float) -> int:
    """Requests that a batch takes at once, where each is given memory for as many tokens as `longest` says."""
    if longest <= 0 or kv_tokens / longest >= max_batch:
        return max_batch
    return max(1, int(kv_tokens / longest))
