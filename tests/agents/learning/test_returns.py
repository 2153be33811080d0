"""Advantages, against sums written out and hand-worked numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.learning.returns import advantages, by_home, latest_of_homes, own_steps

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


@given(steps(), st.floats(0, 1), st.data())
def test_where_time_discounts_each_step_takes_its_own_share_of_what_follows(
    each: tuple[Any, Any, Any], trace: float, data: st.DataObject
) -> None:
    reward, baseline, last = each
    left = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(reward), max_size=len(reward))))
    expected = []
    for step in range(len(reward)):
        total, share = 0.0, 1.0
        for later in range(step, end_of(step, last) + 1):
            following = 0.0 if last[later] else left[later] * baseline[later + 1]
            total += share * (reward[later] + following - baseline[later])
            share *= trace * left[later]
        expected.append(total)
    assert advantages(reward, baseline, last, trace, left) == pytest.approx(expected, abs=1e-9)
    nothing_lost = advantages(reward, baseline, last, trace, np.ones(len(reward)))
    assert nothing_lost.tolist() == advantages(reward, baseline, last, trace).tolist()


@given(steps(), st.floats(0, 1), st.floats(0.1, 1))
def test_the_last_step_of_an_episode_is_its_end_and_nothing_is_added_for_what_might_follow(
    each: tuple[Any, Any, Any], trace: float, discount: float
) -> None:
    reward, baseline, last = each
    found = advantages(reward, baseline, last, trace, discount)
    assert found[last] == pytest.approx(reward[last] - baseline[last], abs=1e-9)
    opened = last.copy()
    opened[:-1] = False
    through = advantages(reward, baseline, opened, 0.0, discount)
    inner = np.flatnonzero(last[:-1])
    assert through[inner] == pytest.approx(found[inner] + discount * baseline[inner + 1], abs=1e-9)


def test_numbers_by_hand() -> None:
    # deltas: 1 + 4 - 2 = 3, 2 + 0 - 4 = -2 | 5 + 0 - 1 = 4;  3 + 0.5 (-2) = 2
    found = advantages(np.array([1.0, 2.0, 5.0]), np.array([2.0, 4.0, 1.0]), np.array([False, True, True]), 0.5)
    assert found.tolist() == [2.0, -2.0, 4.0]


# ------------------------------------------------------------------------------------------------------ own steps


@st.composite
def plays(draw: st.DrawFn) -> tuple[Any, Any, Any, Any]:
    """Homes, costs, durations, and which decision is the last of its episode."""
    reward, _, last = draw(steps())
    count = len(reward)
    home = np.array(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)))
    duration_s = np.array(draw(st.lists(st.floats(0, 10), min_size=count, max_size=count)))
    return home, reward, duration_s, last


@given(plays())
def test_a_home_goes_from_its_decision_to_its_next_at_what_all_cost_meanwhile(each: tuple[Any, Any, Any, Any]) -> None:
    home, cost, duration_s, last = each
    found = own_steps(home, cost, duration_s, last)
    for step in range(len(home)):
        end = end_of(step, last)
        later = [k for k in range(step + 1, end + 1) if home[k] == home[step]]
        until = later[0] if later else end + 1
        assert found.following[step] == (later[0] if later else -1)
        assert found.cost[step] == pytest.approx(cost[step:until].sum(), abs=1e-9)
        assert found.duration_s[step] == pytest.approx(duration_s[step:until].sum(), abs=1e-9)


@given(plays())
def test_sorted_by_home_the_decisions_of_each_stand_in_a_row_and_in_time(each: tuple[Any, Any, Any, Any]) -> None:
    home, _, _, last = each
    order, ends = by_home(home, last)
    assert sorted(order) == list(range(len(home)))
    parts = np.split(order, np.flatnonzero(ends)[:-1] + 1)
    owners = [(int(np.cumsum(last)[part[0]] - last[part[0]]), int(home[part[0]])) for part in parts]
    assert owners == sorted(set(owners))
    for part in parts:
        assert list(part) == sorted(part)
        assert len(set(home[part])) == 1


@given(plays())
def test_the_latest_decisions_of_homes_are_those_of_this_episode_so_far(each: tuple[Any, Any, Any, Any]) -> None:
    home, _, _, last = each
    found, begin = latest_of_homes(home, last), 0
    for step in range(len(home)):
        for owner in range(found.shape[1]):
            before = [k for k in range(begin, step + 1) if home[k] == owner]
            assert found[step, owner] == (before[-1] if before else -1)
        begin = step + 1 if last[step] else begin
