"""Batches of a stream tell its means, its variance and its quantiles, in memory that does not grow."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record.batches import Batches
from simoffload.record.sketch import QuantileSketch

VALUES = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), max_size=120)
KEEPS = st.sampled_from([1, 2, 4, 32])


def batches_of(values: list[float], keep: int = 32) -> Batches:
    batches = Batches(keep)
    for value in values:
        batches.add(value)
    return batches


def sketch_of(values: list[float]) -> QuantileSketch:
    sketch = QuantileSketch()
    sketch.add_many(values)
    return sketch


@given(VALUES, KEEPS)
def test_batches_are_equal_stretches_of_the_stream(values: list[float], keep: int) -> None:
    batches = batches_of(values, keep)
    size, full = batches.size, batches.full
    assert batches.count == len(values)
    assert full == len(values) // size
    assert full <= 2 * keep
    assert size == 1 or full >= keep
    expected = [math.fsum(values[i * size : (i + 1) * size]) / size for i in range(full)]
    assert batches.means() == pytest.approx(expected, rel=1e-9, abs=1e-9 * max(values, default=0.0))


@given(VALUES, KEEPS)
def test_the_sketch_is_of_all_values(values: list[float], keep: int) -> None:
    assert batches_of(values, keep).sketch() == sketch_of(values)


@given(VALUES.filter(bool), st.integers(1, 8), st.integers(0, 3))
def test_sections_are_equally_many_neighbouring_batches(values: list[float], most: int, first: int) -> None:
    batches = batches_of(values, 4)
    sections = batches.sections(most, first)
    assert len(sections) <= most
    left = max(batches.full - first, 0)
    each = -(-left // most)
    assert len(sections) == (left // each if each else 0)
    begin = batches.full * batches.size - len(sections) * each * batches.size
    for i, section in enumerate(sections):
        at = begin + i * each * batches.size
        assert section == sketch_of(values[at : at + each * batches.size])


@given(VALUES.filter(bool), st.integers(0, 3))
def test_the_variance_is_that_of_the_values_in_full_batches(values: list[float], first: int) -> None:
    batches = batches_of(values, 4)
    inside = values[first * batches.size : batches.full * batches.size]
    if inside:
        assert batches.variance(first) == pytest.approx(np.var(inside), rel=1e-6, abs=1e-9 * max(values) ** 2)
    else:
        assert math.isnan(batches.variance(first))


def test_the_variance_survives_a_large_mean() -> None:
    assert batches_of([1e9 + k for k in (4.0, 7.0, 13.0, 16.0)]).variance() == pytest.approx(22.5)


@given(VALUES, VALUES, KEEPS)
def test_batches_go_on_after_json_and_pickle(before: list[float], after: list[float], keep: int) -> None:
    batches = batches_of(before, keep)
    copies = [Batches.from_dict(json.loads(json.dumps(batches.to_dict()))), pickle.loads(pickle.dumps(batches))]
    for copy in copies:
        assert copy == batches
        for value in after:
            copy.add(value)
        assert copy == batches_of(before + after, keep)


def test_memory_does_not_grow_with_the_stream() -> None:
    short, long = (batches_of(np.random.default_rng(1).lognormal(0, 1, n).tolist()) for n in (20_000, 80_000))
    assert len(json.dumps(long.to_dict())) < 1.3 * len(json.dumps(short.to_dict())) < 200_000


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf])
def test_what_no_batch_holds_is_refused_and_changes_nothing(value: float) -> None:
    batches = batches_of([1.0, 2.0, 3.0], keep=1)
    with pytest.raises(ValueError, match="from 0 to"):
        batches.add(value)
    assert batches == batches_of([1.0, 2.0, 3.0], keep=1)


def test_no_batch_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Batches(0)


def amiss(**changes: object) -> dict[str, object]:
    return {**batches_of([1.0, 2.0, 0.0]).to_dict(), **changes}


@pytest.mark.parametrize(
    "data",
    [{}, amiss(sums=[1.0]), amiss(squares=[]), amiss(sketches=["1:x", "", ""]), amiss(filled=7), amiss(keep="many")],
)
def test_what_are_no_batches_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the data of batches"):
        Batches.from_dict(data)


@given(st.lists(VALUES, max_size=4), KEEPS)
def test_arrays_are_taken_in_as_if_value_by_value(parts: list[list[float]], keep: int) -> None:
    together = Batches(keep)
    for part in parts:
        together.add_many(part)
    values = [value for part in parts for value in part]
    apart = batches_of(values, keep)
    assert (together.size, together.count, together.full) == (apart.size, apart.count, apart.full)
    assert together.means() == pytest.approx(apart.means(), rel=1e-9, abs=1e-9 * max(values, default=0.0))
    assert together.sections(4) == apart.sections(4)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_an_array_with_a_value_that_is_none_is_refused(value: float) -> None:
    batches = Batches()
    with pytest.raises(ValueError, match="batches hold values from 0"):
        batches.add_many([1.0, value])
    assert batches.count == 0


def test_events_are_the_values_of_full_batches_unlike_their_median() -> None:
    batches = Batches(keep=2)
    batches.add_many([0.0] * 6 + [1.0, 2.0] + [0.0])  # batches of 4, the last of which is not full
    assert (batches.size, batches.full) == (4, 2)
    assert (batches.events(), batches.events(1)) == (2, 2)
