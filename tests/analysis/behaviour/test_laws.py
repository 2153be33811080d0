"""A law is two numbers that come about in different ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.behaviour.laws import Law, conserved, flow_balance, little, utilisation

VISITS = st.lists(
    st.tuples(st.floats(0, 1e4), st.floats(0, 1e3) | st.just(math.nan)), min_size=1, max_size=30
)  # fmt: skip


@given(VISITS)
def test_littles_law_holds_to_rounding_of_whoever_comes_and_goes(visits: list[tuple[float, float]]) -> None:
    arrivals = np.array([came for came, _ in visits])
    departures = arrivals + np.array([stayed for _, stayed in visits])
    law = little(arrivals, departures, departures - arrivals, end_s=2e4)
    assert law.holds()
    assert law.unit == "s"


def test_those_who_are_still_there_have_spent_their_time_since_they_came() -> None:
    law = little([1.0, 3.0], [4.0, math.nan], [3.0, math.nan], end_s=10.0)
    assert (law.left, law.right, law.residual) == (10.0, 10.0, 0.0)


def test_a_wrong_time_is_found() -> None:
    law = little([1.0, 3.0], [4.0, 5.0], [3.0, 2.5], end_s=10.0)
    assert (law.left, law.right) == (5.0, 5.5)
    assert law.residual == pytest.approx(0.5 / 5.5)
    assert not law.holds()


def test_nobody_ever_is_no_contradiction() -> None:
    law = little([], [], [], end_s=10.0)
    assert (law.left, law.right, law.residual) == (0.0, 0.0, 0.0)


def test_utilisation_is_throughput_times_service() -> None:
    law = utilisation(in_service=0.6, completions=30, mean_service_s=2.0, duration_s=100.0, where="press")
    assert (law.right, law.where, law.holds()) == (0.6, "press", True)
    assert utilisation(0.0, 0, math.nan, 100.0).holds()
    with pytest.raises(ValueError, match="over some time"):
        utilisation(0.0, 0, 0.0, 0.0)


def test_what_came_has_left_or_is_there() -> None:
    assert flow_balance(arrivals=10, departures=7, before=1, after=4).holds()
    assert not flow_balance(arrivals=10, departures=7, before=1, after=3).holds()


@given(st.lists(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=5), max_size=10))
def test_what_is_split_is_conserved(tasks: list[list[float]]) -> None:
    wholes = [math.fsum(parts) for parts in tasks]
    parts = [part for parts in tasks for part in parts]
    law = conserved("cost", "USD", wholes, parts)
    assert law.left == pytest.approx(law.right, rel=1e-9, abs=1e-6)
    assert (law.left_is, law.right_is) == ("cost of tasks", "cost of subtasks")


def test_what_is_no_number_is_not_added() -> None:
    with pytest.raises(ValueError, match="number 1 is nan"):
        conserved("cost", "USD", [1.0, math.nan], [1.0])


def test_a_residual_is_relative() -> None:
    assert Law("", "", 1e12, 1e12 + 1, "", "", "").holds()
    assert not Law("", "", 1e-12, 2e-12, "", "", "").holds()
