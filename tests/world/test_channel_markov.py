"""Sojourns and jumps follow the chain; a chain without a long run that carries data is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.world.channel_markov import stationary_law
from simoffload.world.channels import ChannelError, make_channel

from .paths import SPECS, LiteralPath, read, segments_of


def test_the_bad_state_has_its_share_of_time_and_exponential_sojourns() -> None:
    path = LiteralPath(segments_of("outages"))
    path.draw_up_to(100_000)
    rates = np.array(path.rates)
    assert (rates[1:] != rates[:-1]).all()
    durations = np.diff([0.0, *path.ends])[1:]
    for rate, mean in [(0.0, 3.0), (8e6, 2.0)]:
        sojourns = durations[rates[1:] == rate]
        assert sojourns.mean() == pytest.approx(mean, rel=4 / math.sqrt(len(sojourns)))
        assert sojourns.std() == pytest.approx(mean, rel=0.05)
        assert np.mean(sojourns > mean) == pytest.approx(math.exp(-1), abs=0.02)
    bad = durations[rates[1:] == 0].sum() / durations.sum()
    assert bad == pytest.approx(3 / 5, abs=0.02)


def test_the_states_of_a_markov_channel_follow_one_another_with_their_chances() -> None:
    path = LiteralPath(segments_of("three states"))
    path.draw_up_to(50_000)
    states = np.searchsorted([0.0, 1e6, 9e6], path.rates)
    order = {1: 0, 0: 1, 2: 2}
    counts = np.zeros((3, 3))
    for here, following in zip(states[:-1].tolist(), states[1:].tolist(), strict=True):
        counts[order[here], order[following]] += 1
    expected = np.array(SPECS["three states"]["transition"])
    shares = counts / counts.sum(axis=1, keepdims=True)
    assert np.abs(shares - expected).max() < 0.02
    assert (shares[expected == 0] == 0).all()


def markov(rates: list[Any], transition: Any) -> Any:
    spec = {"kind": "markov", "rates": rates, "mean_sojourn": ["1 s"] * len(rates), "transition": transition}
    return make_channel(read(spec), Streams(0), "x")


def test_a_markov_channel_that_ends_up_at_rate_0_is_refused() -> None:
    with pytest.raises(ChannelError, match="nothing would ever get through"):
        markov(["1 Mbit/s", 0, 0], [[0, 1, 0], [0, 0, 1], [0, 1, 0]])


def test_a_markov_channel_whose_long_run_depends_on_its_start_is_refused() -> None:
    halves = [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]]
    with pytest.raises(ChannelError, match="states 0 and 2 are never followed by one another"):
        markov(["1 Mbit/s", 0, "2 Mbit/s", 0], halves)


def test_states_that_are_left_for_good_do_not_count() -> None:
    channel = markov(["900 Mbit/s", "1 Mbit/s", "3 Mbit/s"], [[0, 0.5, 0.5], [0, 0, 1], [0, 1, 0]])
    assert channel.mean_bps == 2e6
    assert channel.rate_bps(0.0) < 900e6


@given(
    st.integers(2, 6).flatmap(
        lambda n: st.lists(st.lists(st.integers(1, 50), min_size=n, max_size=n), min_size=n, max_size=n)
    )
)
def test_the_stationary_law_is_left_unchanged_by_a_jump(weights: list[list[int]]) -> None:
    rows = np.array(weights, dtype=float)
    np.fill_diagonal(rows, 0)
    rows /= rows.sum(axis=1, keepdims=True)
    law = np.array(stationary_law(rows.tolist()))
    assert law.sum() == pytest.approx(1)
    np.testing.assert_allclose(law @ rows, law, rtol=1e-12)
