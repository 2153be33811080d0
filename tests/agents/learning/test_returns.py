"""Advantages, against sums written out and hand-worked numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.learning.returns import advantages

NUMBERS = st.floats(-100, 100)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Rewards, baselines, and which step is the last of its episode."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    count = sum(lengths)
    reward = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)))
    baseline = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)))
    last = np.zeros(count, dtype=np.bool_)
    last[np.cumsum(lengths) - 1] = True
    return reward, baseline, last


def end_of(step: int, last: Any) -> int:
    return step + int(np.argmax(last[step:]))


@given(steps(), st.floats(0, 1))
def test_an_advantage_is_the_sum_of_what_was_better_than_expected(each: tuple[Any, Any, Any], trace: float) -> None:
    reward, baseline, last = each
    expected = []
    for step in range(len(reward)):
        total = 0.0
        for later in range(step, end_of(step, last) + 1):
            following = 0.0 if last[later] else baseline[later + 1]
            total += trace ** (later - step) * (reward[later] + following - baseline[later])
        expected.append(total)
    assert advantages(reward, baseline, last, trace) == pytest.approx(expected, abs=1e-9)


@given(steps())
def test_trace_0_looks_one_step_ahead(each: tuple[Any, Any, Any]) -> None:
    reward, baseline, last = each
    ahead = [0.0 if last[k] else baseline[k + 1] for k in range(len(reward))]
    assert advantages(reward, baseline, last, 0.0) == pytest.approx(reward + ahead - baseline, abs=1e-9)


@given(steps())
def test_trace_1_takes_all_that_follows_as_it_was(each: tuple[Any, Any, Any]) -> None:
    reward, baseline, last = each
    rest = np.array([reward[k : end_of(k, last) + 1].sum() for k in range(len(reward))])
    assert advantages(reward, baseline, last, 1.0) == pytest.approx(rest - baseline, abs=1e-9)


@given(steps(), st.floats(0, 1))
def test_an_episode_is_worth_the_same_whatever_stands_behind_it(each: tuple[Any, Any, Any], trace: float) -> None:
    reward, baseline, last = each
    first = int(np.argmax(last)) + 1
    alone = advantages(reward[:first], baseline[:first], last[:first], trace)
    assert advantages(reward, baseline, last, trace)[:first].tolist() == alone.tolist()


def test_numbers_by_hand() -> None:
    # deltas: 1 + 4 - 2 = 3, 2 + 0 - 4 = -2 | 5 + 0 - 1 = 4;  3 + 0.5 (-2) = 2
    found = advantages(np.array([1.0, 2.0, 5.0]), np.array([2.0, 4.0, 1.0]), np.array([False, True, True]), 0.5)
    assert found.tolist() == [2.0, -2.0, 4.0]
