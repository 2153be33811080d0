"""Quantiles stay within the promised relative error, merge exactly, and do not depend on the order of the values."""

from __future__ import annotations

import json
import math
import pickle
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record.sketch import LARGEST, SMALLEST, QuantileSketch

ALPHAS = st.sampled_from([0.005, 0.0001, 0.05, 0.3])
VALUES = st.lists(st.one_of(st.just(0.0), st.floats(1e-12, 1e12), st.floats(SMALLEST, LARGEST)), max_size=200)
SHARES = st.one_of(st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]), st.floats(0, 1))


def sketch_of(values: list[float], alpha: float = 0.005) -> QuantileSketch:
    sketch = QuantileSketch(alpha)
    for value in values:
        sketch.add(value)
    return sketch


@given(VALUES.filter(bool), SHARES, ALPHAS)
def test_a_quantile_is_within_alpha_of_the_exact_one(values: list[float], q: float, alpha: float) -> None:
    exact = float(np.quantile(values, q, method="inverted_cdf"))
    assert sketch_of(values, alpha).quantile(q) == pytest.approx(exact, rel=alpha * (1 + 1e-9), abs=0)


@pytest.mark.parametrize("alpha", [0.005, 0.01])
def test_the_error_bound_holds_far_in_the_tail_of_a_long_stream(alpha: float) -> None:
    values = np.random.default_rng(7).lognormal(-1, 1.2, 200_000)
    sketch = QuantileSketch(alpha)
    sketch.add_many(values)
    shares = [0.01, 0.5, 0.9, 0.99, 0.999, 0.9999]
    exact = np.quantile(values, shares, method="inverted_cdf")
    assert np.all(np.abs(np.array(sketch.quantiles(shares)) / exact - 1) <= alpha * (1 + 1e-9))
    assert len(sketch.to_dict()["buckets"]) < 12 / alpha


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_merging_is_seeing_all_values_in_any_order(left: list[float], right: list[float], random: Random) -> None:
    merged = sketch_of(left)
    merged.merge(sketch_of(right))
    shuffled = left + right
    random.shuffle(shuffled)
    assert merged == sketch_of(shuffled)
    assert merged.count == len(left) + len(right)


def test_a_sketch_merged_with_itself_counts_everything_twice() -> None:
    sketch = sketch_of([0.0, 1.0, 2.0, math.inf])
    sketch.merge(sketch)
    assert sketch == sketch_of([0.0, 1.0, 2.0, math.inf] * 2)


@given(VALUES, ALPHAS)
def test_adding_an_array_is_adding_each_value(values: list[float], alpha: float) -> None:
    whole = QuantileSketch(alpha)
    whole.add_many(values)
    assert whole == sketch_of(values, alpha)


def test_adding_an_array_agrees_on_the_bounds_of_buckets() -> None:
    gamma = 1.005 / 0.995
    bounds = [gamma**k for k in range(-3000, 3000)]
    values = [*bounds, *(math.nextafter(b, 0) for b in bounds), *(math.nextafter(b, math.inf) for b in bounds)]
    whole = QuantileSketch()
    whole.add_many(values)
    assert whole == sketch_of(values)


@given(VALUES, st.floats(0, 1e12))
def test_values_are_counted_up_to_the_bucket_of_a_bound(values: list[float], bound: float) -> None:
    found = sketch_of(values).count_up_to(bound)
    gamma = 1.005 / 0.995
    assert sum(value <= bound for value in values if value >= SMALLEST) <= found
    assert found <= sum(value <= bound * gamma * (1 + 1e-9) or value < SMALLEST for value in values)


def test_infinities_are_counted_up_to_infinity_only() -> None:
    sketch = sketch_of([0.0, 1.0, math.inf])
    assert (sketch.count_up_to(0.0), sketch.count_up_to(1.0), sketch.count_up_to(math.inf)) == (1, 2, 3)


def test_zeros_and_infinities_take_their_places_at_the_ends() -> None:
    sketch = sketch_of([0.0, 1e-305, 3.0, math.inf])
    assert sketch.quantile(0.5) == 0
    assert sketch.quantile(0.75) == pytest.approx(3, rel=0.005)
    assert sketch.quantile(1) == math.inf


def test_the_quantiles_of_nothing_are_unknown() -> None:
    assert math.isnan(QuantileSketch().quantile(0.5))


def test_a_share_times_a_count_is_not_rounded_up_by_the_last_bit() -> None:
    sketch = sketch_of([float(k) for k in range(1, 101)])
    assert [round(sketch.quantile(k / 100)) for k in range(1, 101)] == list(range(1, 101))


@pytest.mark.parametrize("value", [-1.0, -1e-320, math.nan, -math.inf])
def test_negative_and_unknown_values_are_refused(value: float) -> None:
    sketch = QuantileSketch()
    with pytest.raises(ValueError, match="from 0 up"):
        sketch.add(value)
    with pytest.raises(ValueError, match="from 0 up"):
        sketch.add_many([1.0, value])
    assert sketch.count == 0


def test_sketches_of_different_errors_do_not_merge() -> None:
    with pytest.raises(ValueError, match="do not merge"):
        QuantileSketch(0.01).merge(QuantileSketch(0.02))


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_a_share_outside_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        sketch_of([1.0]).quantile(q)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, math.nan])
def test_an_error_outside_0_to_1_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha"):
        QuantileSketch(alpha)


@given(VALUES, ALPHAS)
def test_a_sketch_survives_json_and_pickle(values: list[float], alpha: float) -> None:
    sketch = sketch_of(values, alpha)
    assert QuantileSketch.from_dict(json.loads(json.dumps(sketch.to_dict()))) == sketch
    copied = pickle.loads(pickle.dumps(sketch))
    copied.add(1.0)
    sketch.add(1.0)
    assert copied == sketch


@pytest.mark.parametrize("data", [{}, {"alpha": 0.1, "zero": 0, "infinite": 0, "buckets": [1]}, {"alpha": "x"}])
def test_what_is_no_sketch_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not the data of a sketch"):
        QuantileSketch.from_dict(data)


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, 5.0, math.inf]), min_size=1), st.floats(0, 1))
def test_values_beside_a_quantile_are_those_equal_to_it(values: list[float], share: float) -> None:
    """Of values so far apart that each has a bucket of its own."""
    sketch = QuantileSketch()
    sketch.add_many(values)
    rank = max(math.ceil(share * len(values) * (1 - 1e-14)), 1)
    assert sketch.count_beside(share) == values.count(sorted(values)[rank - 1])


def test_nothing_is_beside_a_quantile_of_no_values() -> None:
    assert QuantileSketch().count_beside(0.5) == 0
