"""What a server did for each of those that interrupt one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.theory.interrupted import work_s


def test_what_is_within_a_service_is_not_work_of_it() -> None:
    """The first is interrupted by the second, which is by the third, and then by the fourth; the fifth is alone."""
    start, finish = np.array([0.0, 1.0, 2.0, 6.0, 10.0]), np.array([9.0, 5.0, 3.0, 8.0, 11.0])
    assert work_s(start, finish) == pytest.approx([9 - 4 - 2, 4 - 1, 1, 2, 1])


def test_the_order_of_the_rows_does_not_matter() -> None:
    start, finish = np.array([2.0, 0.0, 1.0]), np.array([3.0, 9.0, 5.0])
    assert work_s(start, finish) == pytest.approx([1, 5, 3])


def test_who_is_interrupted_the_instant_it_begins_is_outside() -> None:
    assert work_s(np.array([1.0, 1.0]), np.array([2.0, 4.0])) == pytest.approx([1, 2])


def test_several_servers_are_not_like_brackets() -> None:
    assert work_s(np.array([0.0, 1.0]), np.array([2.0, 3.0])) is None


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.01, 5), st.integers(0, 3)), min_size=1, max_size=30))
def test_work_is_what_a_server_that_interrupts_was_given(jobs: list[tuple[float, float, int]]) -> None:
    """A server of its own, event by event, with the work of each as the answer."""
    entered = np.cumsum([gap for gap, _, _ in jobs]).tolist()
    left = [work for _, work, _ in jobs]
    start, finish = [np.nan] * len(jobs), [np.nan] * len(jobs)
    waiting: list[int] = []
    now, came = 0.0, 0
    while came < len(jobs) or waiting:
        serving = min(waiting, key=lambda j: (jobs[j][2], np.isnan(start[j]), j), default=None)
        arrival = entered[came] if came < len(jobs) else np.inf
        if serving is None or now + left[serving] > arrival:
            if serving is not None and arrival > now:
                start[serving] = now if np.isnan(start[serving]) else start[serving]
                left[serving] -= arrival - now
            now = arrival
            waiting.append(came)
            came += 1
            continue
        start[serving] = now if np.isnan(start[serving]) else start[serving]
        now += left[serving]
        finish[serving] = now
        waiting.remove(serving)
    found = work_s(np.array(start), np.array(finish))
    assert found == pytest.approx([work for _, work, _ in jobs], abs=1e-6)
