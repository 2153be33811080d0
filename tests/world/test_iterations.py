"""Iterations in a closed form end when a loop over them says, and are counted as it would count them."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.laws import ServingLaw
from simoffload.world.iterations import Run

LAW = ServingLaw(0.1, 2e-4, 0.02, 0.003, 1e-6)
TIMELESS = ServingLaw(0.0, 0.0, 0.0, 0.0, 0.0)

runs = st.builds(
    Run,
    law=st.sampled_from([LAW, ServingLaw(0.0, 1e-3, 0.0, 0.0, 2e-5), ServingLaw(0.0, 0.0, 0.05, 0.0, 0.0)]),
    start_s=st.floats(0.0, 1e4),
    iterations=st.integers(1, 300),
    writers=st.integers(1, 32),
    context_tokens=st.integers(32, 50_000),  # a token of each writer at least
    opening_s=st.sampled_from([0.0, 0.3]),
    chunk=st.sampled_from([0, 64]),
    prompt_left=st.integers(0, 5_000),
)


def ends_s(run: Run) -> list[float]:
    """End of each iteration, one after the other."""
    law, durations_s, left = run.law, [], run.prompt_left
    for done in range(run.iterations):
        read = min(run.chunk, left)
        left -= read
        context = run.context_tokens + done * run.writers
        decode_s = law.decode_s + law.decode_s_per_sequence * run.writers + law.decode_s_per_context_token * context
        durations_s.append(decode_s + read * law.prefill_s_per_token + (run.opening_s if done == 0 else 0.0))
    return list(accumulate(durations_s, initial=run.start_s))[1:]


@given(runs)
def test_each_iteration_ends_when_a_loop_says(run: Run) -> None:
    assert [run.boundary_s(number) for number in range(1, run.iterations + 1)] == pytest.approx(ends_s(run))


@given(runs, st.data())
def test_as_many_are_completed_as_have_ended(run: Run, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, run.iterations))
    begin_s, end_s = run.start_s if number == 1 else run.boundary_s(number - 1), run.boundary_s(number)
    assert run.completed(end_s) == number
    assert run.completed((begin_s + end_s) / 2) == number - 1
    assert run.completed(run.boundary_s(run.iterations) + 1.0) == run.iterations


def test_those_that_take_no_time_are_yet_to_come() -> None:
    assert Run(TIMELESS, 5.0, 10, 3, 100).completed(5.0) == 0
