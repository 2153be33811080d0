"""A node's pace follows its slow-downs, and work ends when the path's integral has reached it."""

from __future__ import annotations

import math
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.schema.nodes import RandomSlowdown, WrittenSlowdown
from simoffload.world.pace import Pace, make_pace, mean_pace


def written(*spells: tuple[float, float], factor: float = 4.0) -> Pace:
    pace = make_pace(WrittenSlowdown.model_construct(factor=factor, spells=list(spells)), Streams(1), "node:press")
    assert pace is not None
    return pace


def by_chance(factor: float = 3.0, between_s: float = 4.0, lasting_s: float = 2.0, seed: int = 1) -> Pace:
    spec = RandomSlowdown.model_construct(factor=factor, mean_between=between_s, mean_lasting=lasting_s)
    pace = make_pace(spec, Streams(seed), "node:press")
    assert pace is not None
    return pace


def test_a_node_without_slowdowns_has_no_pace() -> None:
    assert make_pace(None, Streams(1), "node:press") is None


@pytest.mark.parametrize(
    ("begin_s", "work_s", "end_s"),
    [
        (0.0, 5.0, 5.0),  # before the first spell
        (0.0, 12.0, 18.0),  # 10 s, then 2 s of work at a quarter of the pace
        (0.0, 16.0, 31.0),  # 10 s, 5 s of work in 20 s, 1 s
        (14.0, 1.0, 18.0),  # within the spell
        (29.0, 1.0, 30.75),  # a quarter of a second of work in its last second
        (30.0, 7.0, 37.0),  # from its end on
        (12.0, 0.0, 12.0),
    ],
)
def test_work_ends_when_the_pace_has_done_it(begin_s: float, work_s: float, end_s: float) -> None:
    assert written((10.0, 30.0)).end_s(begin_s, work_s) == end_s


def test_a_pause_goes_by_the_clock() -> None:
    # 8 s to 12 s pass, in which 2.5 s of work would have been done; the work begins at 12 s, within the spell
    assert written((10.0, 30.0)).end_after_s(8.0, 4.0, 1.0) == 16.0


def test_spells_may_begin_at_once_and_follow_one_another() -> None:
    pace = written((0.0, 8.0), (8.0, 16.0))
    assert pace.end_s(0.0, 3.0) == 12.0
    assert pace.end_s(2.0, 4.0) == 16.5


@given(st.integers(0, 1000), st.lists(st.tuples(st.floats(0, 5), st.floats(0, 40)), min_size=1, max_size=20))
def test_the_work_done_up_to_the_end_is_the_work(seed: int, visits: list[tuple[float, float]]) -> None:
    pace, now = by_chance(seed=seed), 0.0
    for gap_s, work_s in visits:
        now += gap_s
        end_s = pace.end_s(now, work_s)
        assert now + work_s * (1 - 1e-12) <= end_s <= now + 3.0 * work_s * (1 + 1e-12)
        assert pace.work_s(now, end_s) == pytest.approx(work_s, rel=1e-12, abs=1e-12)


@given(st.integers(0, 1000), st.floats(0, 50), st.floats(0, 20), st.floats(0, 20))
def test_work_in_two_parts_ends_when_it_does_in_one(seed: int, begin_s: float, first_s: float, then_s: float) -> None:
    whole, parts = by_chance(seed=seed), by_chance(seed=seed)
    halfway_s = parts.end_s(begin_s, first_s)
    assert parts.end_s(halfway_s, then_s) == pytest.approx(whole.end_s(begin_s, first_s + then_s), rel=1e-12, abs=1e-9)


def test_a_run_begins_in_a_spell_as_often_as_there_is_one() -> None:
    slow = np.array([by_chance(seed=seed, lasting_s=1.0).end_s(0.0, 1e-6) > 2e-6 for seed in range(500)])
    assert abs(slow.mean() - 0.2) < 4 * math.sqrt(0.2 * 0.8 / 500)


def test_in_the_long_run_it_is_slow_for_the_share_of_its_spells() -> None:
    works = np.array([by_chance(seed=seed).work_s(0.0, 3000.0) / 3000.0 for seed in range(40)])
    mean = mean_pace(RandomSlowdown.model_construct(factor=3.0, mean_between=4.0, mean_lasting=2.0))
    assert mean == pytest.approx(2 / 3 + 1 / 3 / 3.0)
    assert abs(works.mean() - mean) < 4 * works.std(ddof=1) / math.sqrt(40)


def test_every_node_has_its_own_spells_and_keeps_them() -> None:
    spec = RandomSlowdown.model_construct(factor=3.0, mean_between=4.0, mean_lasting=2.0)
    ends = [make_pace(spec, Streams(5), f"node:{name}").end_s(0.0, 100.0) for name in ("press", "paint", "press")]  # type: ignore[union-attr]
    assert ends[0] == ends[2] != ends[1]


def test_a_pickled_pace_goes_on_as_it_would_have() -> None:
    pace = by_chance()
    pace.end_s(3.0, 50.0)
    copied = pickle.loads(pickle.dumps(pace))
    assert [copied.end_s(begin_s, 300.0) for begin_s in (4.0, 900.0)] == [
        pace.end_s(begin_s, 300.0) for begin_s in (4.0, 900.0)
    ]


@given(st.integers(0, 1000), st.lists(st.floats(0, 60), min_size=2, max_size=20).map(sorted))
def test_more_work_ends_no_sooner(seed: int, works_s: list[float]) -> None:
    pace = by_chance(seed=seed)
    ends = [pace.end_s(1.0, work_s) for work_s in works_s]
    assert all(earlier <= later + 1e-9 for earlier, later in pairwise(ends))
