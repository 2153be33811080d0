"""Running statistics equal those of the whole list."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record.tally import Tally

NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda x: x if abs(x) > 1e-100 else 0.0), max_size=60)
"""Squares of smaller numbers underflow."""


def tally_of(values: list[float]) -> Tally:
    tally = Tally()
    for value in values:
        tally.add(value)
    return tally


def assert_describes(tally: Tally, values: list[float]) -> None:
    size = max(map(abs, values), default=0.0)
    assert tally.count == len(values)
    assert tally.sum == pytest.approx(math.fsum(values), rel=1e-15, abs=1e-28 * size * len(values))
    if not values:
        assert math.isnan(tally.mean)
        return
    assert tally.mean == pytest.approx(fmean(values), rel=1e-15, abs=1e-28 * size)
    assert (tally.min, tally.max) == (min(values), max(values))
    if len(values) > 1:
        assert tally.sd == pytest.approx(stdev(values), rel=1e-9, abs=1e-9 * size)


@given(NUMBERS)
def test_a_tally_describes_what_it_has_seen(values: list[float]) -> None:
    assert_describes(tally_of(values), values)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_merging_tallies_is_joining_their_lists(one: list[float], two: list[float], three: list[float]) -> None:
    tally = tally_of(one)
    tally.merge(tally_of(two))
    tally.merge(tally_of(three))
    assert_describes(tally, one + two + three)


def test_the_mean_does_not_suffer_from_the_number_of_observations() -> None:
    values = [1e8, 0.1] * 20_000 + [-1e8] * 20_000
    exact = sum(map(Fraction, values)) / len(values)
    assert tally_of(values).mean == pytest.approx(float(exact), rel=1e-15)


def test_the_deviation_survives_a_large_mean() -> None:
    assert tally_of([1e9 + k for k in (4.0, 7.0, 13.0, 16.0)]).sd == pytest.approx(math.sqrt(30))


def test_one_observation_has_no_deviation() -> None:
    tally = tally_of([3.0])
    assert tally.mean == 3
    assert math.isnan(tally.sd)


@given(NUMBERS, NUMBERS)
def test_a_tally_continues_from_a_pickle(before: list[float], after: list[float]) -> None:
    copied = pickle.loads(pickle.dumps(tally_of(before)))
    for value in after:
        copied.add(value)
    whole = tally_of(before + after)
    assert (copied.count, copied.sum) == (whole.count, whole.sum)
    assert repr(copied.sd) == repr(whole.sd)
