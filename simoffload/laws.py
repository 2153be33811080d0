"""The inference model: how long a language model takes on a machine, from tokens.

Prefill reads the prompt and yields the first token; each further token is one decode iteration. With b sequences
resident that hold K tokens of context between them, an iteration takes alpha + beta b + gamma K (the affine law
that Splitwise's measured profiles follow: Patel et al., ISCA 2024).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServingLaw:
    """Times in seconds, speed already divided out; gamma in s per token of context."""

    prefill_overhead_s: float
    prefill_s_per_token: float
    decode_s: float
    decode_s_per_sequence: float
    decode_s_per_context_token: float
    energy_j_per_token: float = 0.0
    energy_j_per_iteration: float = 0.0

    @property
    def has_energy(self) -> bool:
        """Whether the law itself says what a token costs in energy."""
        return self.energy_j_per_token > 0 or self.energy_j_per_iteration > 0


def prefill_s(law: ServingLaw, prompt_tokens: float) -> float:
    """Time to read a prompt: overhead + tokens / rate."""
    return law.prefill_overhead_s + prompt_tokens * law.prefill_s_per_token


def decode_alone_s(law: ServingLaw, prompt_tokens: float, output_tokens: float) -> float:
    """Time from the first token to the last of a sequence alone on the machine.

    Sum over i = 0 .. output-2 of alpha + beta + gamma (prompt + 1 + i).
    """
    steps = output_tokens - 1
    if steps <= 0:
        return 0.0
    each = law.decode_s + law.decode_s_per_sequence + law.decode_s_per_context_token * (prompt_tokens + 1)
    return steps * each + law.decode_s_per_context_token * (steps * (steps - 1) / 2)


def iterations_s(
    law: ServingLaw, sequences: int, context_tokens: float, iterations: float, extra_s: float = 0.0
) -> float:
    """Time of successive iterations of an unchanged batch, whose context grows by `sequences` tokens each.

    T(m) = m (alpha + beta b + gamma K + extra) + gamma b m (m-1)/2, exact to the iteration-by-iteration sum.
    """
    first = (
        law.decode_s + law.decode_s_per_sequence * sequences + law.decode_s_per_context_token * context_tokens + extra_s
    )
    return iterations * first + law.decode_s_per_context_token * sequences * (iterations * (iterations - 1) / 2)
