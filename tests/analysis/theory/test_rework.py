"""How often answers are done again: worked out by hand, and against drawing the luck of many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.theory.kinds import kinds_of
from simoffload.analysis.theory.rework import done_again, reworked
from simoffload.plant import build_plant
from simoffload.schema import load_scenario, whole_catalogue
from simoffload.schema.scenario import Verify

shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("here", "there", "verify", "times"),
    [
        (0.75, 0.75, Verify(), 0.25),
        (0.75, 1.0, Verify(limit=3), 0.25),
        (0.75, 0.0, Verify(limit=2), 0.25 * 2),
        (0.6, 0.9, Verify(limit=2), 0.1 * 2 + 0.3),
        (0.9, 0.6, Verify(limit=2), 0.1 * 2),
        (1.0, 1.0, Verify(false_alarm=0.1, limit=2), 0.1 + 0.01),
        (0.5, 0.5, Verify(detection=0.8, false_alarm=0.2, limit=2), 0.5 * (0.8 + 0.64) + 0.5 * (0.2 + 0.04)),
    ],
)
def test_how_often_by_hand(here: float, there: float, verify: Verify, times: float) -> None:
    assert reworked(here, there, verify) == pytest.approx(times)


@given(here=shares, there=shares, detection=shares, false_alarm=shares, limit=st.integers(1, 10))
def test_it_is_what_many_draws_come_to(
    here: float, there: float, detection: float, false_alarm: float, limit: int
) -> None:
    verify = Verify(detection=detection, false_alarm=false_alarm, limit=limit)
    luck = (np.arange(20_000) + 0.5) / 20_000
    fails, fails_again = (np.where(luck < chance, false_alarm, detection) for chance in (here, there))
    times = fails * sum(fails_again**done for done in range(limit))
    assert reworked(here, there, verify) == pytest.approx(times.mean(), abs=1e-3)
    assert 0 <= reworked(here, there, verify) <= limit


def test_an_answer_suffers_from_wrong_ones_before_it() -> None:
    """Of the looks 3/4 are right; a decision after a wrong look is right half as often, so 3/4 (3/4 + 1/8) are."""
    stages = "{explain: {difficulty: %r}, generate: {difficulty: %r}}" % ((-math.log(3),) * 2)
    scenario = load_scenario(
        "theory/tandem",
        [
            f"workloads.customers.stages={stages}",
            "quality={carry: 50 %, verify: {}}",
            "links={wire: {channel: 1 Gbit/s}}",
            *(f"edges.{node}.{way}=wire" for node in ("first", "second") for way in ("uplink", "downlink", "lan")),
            "clouds=[{id: office, hardware: counter, models: [clerk], server: {kind: slots}}]",
        ],
    )
    plant, kinds = build_plant(scenario, whole_catalogue(scenario)), kinds_of(scenario)
    first, again = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    looked, decided = done_again(scenario, plant, kinds, first, again)
    assert looked == 0
    assert decided == pytest.approx(1 - 0.75 * 0.875, abs=0.01)


def test_where_nothing_is_checked_nothing_is_done_again() -> None:
    scenario = load_scenario("theory/mm1")
    plant, kinds = build_plant(scenario, whole_catalogue(scenario)), kinds_of(scenario)
    assert done_again(scenario, plant, kinds, np.ones((1, 1)), np.ones((1, 1))).tolist() == [0]
