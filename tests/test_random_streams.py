"""Streams are repeatable and apart from one another, and drawing ahead changes nothing."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from statistics import fmean, pvariance
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.random_streams import Alternatives, Exponentials, Gammas, Normals, Streams, Uniforms

Make = Callable[[np.random.Generator], Any]
LAWS: dict[str, tuple[Make, float, float, Callable[[np.random.Generator, int], Any]]] = {
    "uniform": (Uniforms, 0.5, 1 / 12, lambda g, n: g.random(n)),
    "normal": (Normals, 0.0, 1.0, lambda g, n: g.standard_normal(n)),
    "exponential": (Exponentials, 1.0, 1.0, lambda g, n: g.standard_exponential(n)),
    "gamma": (lambda g: Gammas(g, 0.4), 0.4, 0.4, lambda g, n: g.standard_gamma(0.4, n)),
}


def generator() -> np.random.Generator:
    return Streams(11).generator("node", "test")


def test_a_stream_is_named_by_seed_entity_and_purpose() -> None:
    first = Streams(1).generator("node", "service").random()
    assert first == Streams(1).generator("node", "service").random()
    others = [("node", "arrivals"), ("nod", "eservice"), ("nodeservice", ""), ("", "nodeservice")]
    values = [Streams(1).generator(*names).random() for names in others] + [
        Streams(2).generator("node", "service").random()
    ]
    assert len({first, *values}) == 6


def test_streams_stay_the_same_from_version_to_version() -> None:
    assert Streams(7).generator("edge-1", "arrivals").random() == 0.7256045146747201


@pytest.mark.parametrize("law", LAWS)
def test_drawing_ahead_does_not_change_the_numbers(law: str) -> None:
    make, _, _, plain = LAWS[law]
    variates = make(generator())
    assert [variates.next() for _ in range(3000)] == plain(generator(), 3000).tolist()


@pytest.mark.parametrize("law", LAWS)
def test_variates_have_the_moments_of_their_law(law: str) -> None:
    make, mean, variance, _ = LAWS[law]
    values = make(generator()).take(40_000)
    assert fmean(values) == pytest.approx(mean, abs=4 * math.sqrt(variance / len(values)))
    assert pvariance(values) == pytest.approx(variance, rel=0.1)


@given(takes=st.lists(st.integers(0, 70), max_size=40))
def test_taking_several_gives_what_taking_one_by_one_gives(takes: list[int]) -> None:
    alone, together = Uniforms(generator()), Uniforms(generator())
    for count in takes:
        assert together.take(count) == [alone.next() for _ in range(count)]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("used", [0, 1, 16, 500, 2100])
def test_a_pickled_stream_goes_on_where_it_was(law: str, used: int) -> None:
    variates = LAWS[law][0](generator())
    variates.take(used)
    copy = pickle.loads(pickle.dumps(variates))
    assert copy.take(3000) == variates.take(3000)


@given(takes=st.lists(st.integers(0, 400), max_size=12), again=st.integers(0, 400))
def test_a_pickled_stream_goes_on_however_it_was_read_before(takes: list[int], again: int) -> None:
    variates = Gammas(generator(), 0.4)
    for count in takes:
        variates.take(count)
    copy = pickle.loads(pickle.dumps(variates))
    assert copy.take(again) == variates.take(again)
    copy = pickle.loads(pickle.dumps(copy))
    assert copy.take(2000) == variates.take(2000)


@pytest.mark.parametrize("law", LAWS)
def test_a_pickled_stream_does_not_hold_the_numbers_it_has_drawn_ahead(law: str) -> None:
    variates = LAWS[law][0](generator())
    variates.take(2040)
    assert len(pickle.dumps(variates)) < 500


def test_alternatives_are_picked_with_their_chances() -> None:
    alternatives = Alternatives("abcd", [1, 0, 2, 1])
    assert (alternatives.values, alternatives.chances) == (("a", "c", "d"), (0.25, 0.5, 0.25))
    assert [alternatives.pick(u) for u in (0.0, 0.2499, 0.25, 0.7499, 0.75, 1 - 2**-53)] == list("aaccdd")


@given(
    weights=st.lists(st.floats(0, 1e9), min_size=1, max_size=6).filter(any), uniform=st.floats(0, 1, exclude_max=True)
)
def test_an_alternative_without_weight_is_never_picked(weights: list[float], uniform: float) -> None:
    assert weights[Alternatives(range(len(weights)), weights).pick(uniform)] > 0
