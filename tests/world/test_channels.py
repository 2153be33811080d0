"""A transfer ends when the integral of the rate says so; a path is the same whoever asks; its long run is the law's."""

from __future__ import annotations

import math
import pickle
from bisect import bisect_right
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from simoffload.random_streams import Streams
from simoffload.world.channel_path import PathChannel
from simoffload.world.channel_trace import TraceSegments
from simoffload.world.channels import make_channel, make_segments

from .paths import SPECS, LiteralPath, channel_of, read, segments_of

KINDS = st.sampled_from(list(SPECS))
SEEDS = st.integers(0, 50)


def almost(time_s: float) -> Any:
    """Equal up to the last digits of a float."""
    return pytest.approx(time_s, rel=4e-16, abs=1e-300)


QUERIES = st.lists(
    st.tuples(st.floats(0, 30), st.one_of(st.none(), st.floats(1, 1e9), st.sampled_from([1.0, 8e6]))), max_size=25
)


@given(KINDS, SEEDS, QUERIES)
def test_answers_are_those_of_a_literal_walk_whenever_and_however_often_asked(
    kind: str, seed: int, queries: list[tuple[float, float | None]]
) -> None:
    channel, path = channel_of(kind, seed), LiteralPath(segments_of(kind, seed))
    now = 0.0
    for wait, bits in queries:
        now += wait
        if bits is None:
            assert channel.rate_bps(now) == path.rate_bps(now)
        else:
            assert channel.finish(now, bits) == almost(path.finish(now, bits))


@pytest.mark.parametrize("kind", SPECS)
def test_the_rate_integrated_numerically_up_to_the_end_gives_the_bits(kind: str) -> None:
    path = LiteralPath(segments_of(kind, 3))
    for start, bits in [(0.0, 1e5), (3.3, 4e7), (12.0, 3e8)]:
        end = channel_of(kind, 3).finish(start, bits)
        path.draw_up_to(end)
        breaks = [b for b in path.ends if start < b < end]
        carried, _ = integrate.quad(path.rate_bps, start, end, points=breaks, limit=3 * len(breaks) + 50)
        assert carried == pytest.approx(bits, rel=1e-7)


@pytest.mark.parametrize("kind", SPECS)
def test_the_rate_summed_over_fine_steps_gives_the_bits(kind: str) -> None:
    end = channel_of(kind, 5).finish(1.0, 2e8)
    times, step = np.linspace(1.0, end, 100_000, endpoint=False, retstep=True)
    channel = channel_of(kind, 5)
    assert sum(map(channel.rate_bps, times.tolist())) * step == pytest.approx(2e8, rel=2e-3)


def test_a_transfer_over_a_hundred_thousand_segments_is_exact() -> None:
    bits = 5e11
    end = channel_of("autoregression").finish(0.25, bits)
    path = LiteralPath(segments_of("autoregression"))
    assert end > 30_000
    assert end == almost(path.finish(0.25, bits))
    number = bisect_right(path.ends, end)
    begins = [Fraction(0.25), *map(Fraction, path.ends)]
    carried = sum(Fraction(path.rates[k]) * (begins[k + 1] - begins[k]) for k in range(number))
    carried += Fraction(path.rates[number]) * (Fraction(end) - begins[number])
    assert abs(carried / Fraction(bits) - 1) < Fraction(1, 10**12)


@pytest.mark.parametrize("bits", [1.0, 1e3, 1e6, 1e9, 1e11])
@pytest.mark.parametrize("kind", ["outages", "autoregression", "factory"])
def test_answers_stay_exact_at_ten_million_seconds(kind: str, bits: float) -> None:
    slow = {"mean_good": "2000 s", "mean_bad": "3000 s", "step": "500 s", "shadowing_time": "5000 s", "block": "1000 s"}
    spec = read({key: slow.get(key, value) for key, value in SPECS[kind].items()})
    start = 1e7 + 0.3
    channel, path = make_channel(spec, Streams(2), "x"), LiteralPath(make_segments(spec, Streams(2), "x"))
    assert channel.rate_bps(start - 2) == path.rate_bps(start - 2)
    assert channel.finish(start, bits) == almost(path.finish(start, bits))
    assert channel.finish(start + 0.1, bits / 3) == almost(path.finish(start + 0.1, bits / 3))


@given(KINDS, SEEDS, QUERIES, st.integers(0, 25))
def test_a_channel_continues_from_a_pickle_as_if_nothing_had_been(
    kind: str, seed: int, queries: list[tuple[float, float | None]], cut: int
) -> None:
    whole, resumed = channel_of(kind, seed), channel_of(kind, seed)
    now = 0.0
    for number, (wait, bits) in enumerate(queries):
        now += wait
        if number == cut:
            resumed = pickle.loads(pickle.dumps(resumed))
        answers = [c.rate_bps(now) if bits is None else c.finish(now, bits) for c in (whole, resumed)]
        assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", SPECS)
def test_a_channel_does_not_keep_its_past(kind: str) -> None:
    channel = channel_of(kind)
    for second in range(20_000):
        channel.finish(second, 1e5)
    assert len(pickle.dumps(channel)) < 80_000


def test_a_transfer_that_starts_in_an_outage_waits_for_its_end() -> None:
    channel = PathChannel(TraceSegments([2.0, 5.0, 10.0], [10.0, 0.0, 100.0]))
    assert channel.finish(0.0, 20.0) == 2.0
    assert channel.finish(1.0, 10.0) == 2.0
    assert channel.finish(1.0, 15.0) == pytest.approx(5.05)
    assert channel.rate_bps(2.0) == 0
    assert channel.finish(3.0, 50.0) == 5.5


@pytest.mark.parametrize("kind", SPECS)
def test_no_bits_take_no_time_and_endless_ones_for_ever(kind: str) -> None:
    channel = channel_of(kind)
    assert channel.finish(3.25, 0.0) == 3.25
    assert channel.finish(3.25, math.inf) == math.inf


@pytest.mark.parametrize("kind", SPECS)
def test_a_question_about_the_past_is_refused(kind: str) -> None:
    channel = channel_of(kind)
    channel.finish(5.0, 1e6)
    with pytest.raises(ValueError, match="its past is gone"):
        channel.rate_bps(4.0)
    with pytest.raises(ValueError, match="its past is gone"):
        channel_of(kind).finish(-1.0, 1.0)


def test_a_constant_channel_takes_bits_over_rate() -> None:
    channel = make_channel(read({"rate": "40 Mbit/s"} | {"kind": "constant"}), Streams(0), "x")
    assert channel.finish(1.0, 8e6) == 1.2
    assert channel.finish(1.0, 0.0) == 1.0
    assert channel.rate_bps(9.0) == channel.mean_bps == 40e6


@pytest.mark.parametrize("kind", SPECS)
def test_paths_belong_to_a_seed_and_a_link(kind: str) -> None:
    def ends(seed: int, entity: str) -> list[float]:
        channel = make_channel(read(SPECS[kind]), Streams(seed), entity)
        return [channel.finish(float(k), 1e6) for k in range(30)]

    first = ends(1, "edge-1/uplink")
    assert ends(1, "edge-1/uplink") == first
    assert ends(2, "edge-1/uplink") != first
    assert ends(1, "edge-2/uplink") != first


@pytest.mark.parametrize("kind", SPECS)
def test_the_long_run_mean_is_that_of_the_law(kind: str) -> None:
    """Ten paths of 20,000 s; their spread gives the standard error."""
    means = [LiteralPath(segments_of(kind, seed)).mean_bps(20_000) for seed in range(10)]
    expected = channel_of(kind).mean_bps
    error = np.std(means, ddof=1) / math.sqrt(len(means))
    assert abs(np.mean(means) - expected) < 5 * error
    assert np.mean(means) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("kind", SPECS)
def test_paths_start_in_the_long_run(kind: str) -> None:
    rates = np.array([channel_of(kind, seed).rate_bps(0.0) for seed in range(1500)])
    error = rates.std(ddof=1) / math.sqrt(len(rates))
    assert abs(rates.mean() - channel_of(kind).mean_bps) < 4.5 * error
