"""The chance of a right answer is the logistic worked out by hand, and grows with skill."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.quality import chance_of_right
from simoffload.schema.scenario import Quality
from simoffload.tasks.graph import EXPLAIN
from tests.world.stations import model_of

STEADY = Quality(slope=2.0, carry=0.5)
ABLE = model_of(skill=(1.0, 0.5, -0.5), modality_skill=(0.0, 0.25, 0.0, 0.0))
TEXT, IMAGE = 0, 1
ANALYZE = EXPLAIN + 1


def logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_skill_and_difficulty_are_weighed_on_one_scale() -> None:
    assert chance_of_right(STEADY, ABLE, ANALYZE, TEXT, 0.5, 0) == 0.5
    assert chance_of_right(STEADY, ABLE, ANALYZE, TEXT, 1.5, 0) == pytest.approx(logistic(-2.0))
    assert chance_of_right(STEADY, ABLE, ANALYZE + 1, TEXT, 0.0, 0) == pytest.approx(logistic(-1.0))


def test_a_modality_counts_at_the_first_stage_only() -> None:
    assert chance_of_right(STEADY, ABLE, EXPLAIN, IMAGE, 0.0, 0) == pytest.approx(logistic(2 * 1.25))
    assert chance_of_right(STEADY, ABLE, ANALYZE, IMAGE, 0.0, 0) == pytest.approx(logistic(2 * 0.5))


def test_each_wrong_answer_that_is_built_on_lowers_the_chance_by_the_same_factor() -> None:
    chances = [chance_of_right(STEADY, ABLE, ANALYZE, TEXT, 0.0, wrong) for wrong in range(3)]
    assert chances == pytest.approx([logistic(1.0), logistic(1.0) / 2, logistic(1.0) / 4])


def test_where_nothing_is_carried_on_one_wrong_answer_is_enough() -> None:
    assert chance_of_right(Quality(slope=2.0, carry=0.0), ABLE, ANALYZE, TEXT, 0.0, 0) > 0
    assert chance_of_right(Quality(slope=2.0, carry=0.0), ABLE, ANALYZE, TEXT, 0.0, 1) == 0.0


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.1, 100), st.floats(-50, 50))
def test_it_is_a_chance_and_the_abler_model_has_the_better_one(
    one: float, other: float, slope: float, difficulty: float
) -> None:
    chances = [
        chance_of_right(Quality(slope=slope), model_of(skill=(skill,) * 3), ANALYZE, TEXT, difficulty, 0)
        for skill in sorted((one, other))
    ]
    assert 0.0 <= chances[0] <= chances[1] <= 1.0
