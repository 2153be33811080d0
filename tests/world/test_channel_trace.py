"""A trace repeats from its offset for ever, scaled."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.random_streams import Streams
from simoffload.world.channel_path import PathChannel
from simoffload.world.channel_trace import TraceSegments
from simoffload.world.channels import ChannelError, make_channel

from .paths import LiteralPath, read

TRACES = st.lists(
    st.tuples(st.integers(1, 40).map(lambda k: k / 8), st.sampled_from([0.0, 1e3, 2.5e3, 7e6])), min_size=1, max_size=6
).filter(lambda parts: any(rate for _, rate in parts))


@given(TRACES, st.integers(0, 1000).map(lambda k: k / 8), st.integers(0, 4000).map(lambda k: k / 16))
def test_a_trace_repeats_from_its_offset(parts: list[tuple[float, float]], offset: float, time: float) -> None:
    ends = np.cumsum([duration for duration, _ in parts]).tolist()
    rates = [rate for _, rate in parts]
    channel = PathChannel(TraceSegments(ends, rates, offset))
    place = (time + offset) % ends[-1]
    assert channel.rate_bps(time) == rates[bisect_right(ends, place)]
    per_loop = sum(duration * rate for duration, rate in parts)
    assert channel.mean_bps == pytest.approx(per_loop / ends[-1])
    for loops in (1, 7, 200):
        end = channel.finish(time, loops * per_loop)
        assert end == pytest.approx(LiteralPath(TraceSegments(ends, rates, offset)).finish(time, loops * per_loop))
        assert end <= time + loops * ends[-1]


def test_a_long_trace_is_handed_out_in_pieces() -> None:
    ends = [0.5 * (k + 1) for k in range(3000)]
    path = LiteralPath(TraceSegments(ends, [float(k) for k in range(3000)], offset_s=250.0))
    path.draw_up_to(2000)
    assert path.rates[:4000] == [float((k + 500) % 3000) for k in range(4000)]
    assert path.ends[:4000] == [0.5 * (k + 1) for k in range(4000)]


def test_a_trace_of_nothing_but_outages_is_refused() -> None:
    with pytest.raises(ChannelError, match="every rate of the trace is 0"):
        TraceSegments([1.0, 2.0], [0.0, 0.0])


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    path = tmp_path / "rates.txt"
    path.write_text("0 2\n10 0\n20 4\n30 6\n")
    return path


def test_a_trace_file_is_played_back_scaled(trace_file: Path) -> None:
    spec = read({"kind": "trace", "file": str(trace_file), "format": "two-column", "scale": 0.5, "offset": "5 s"})
    channel = make_channel(spec, Streams(0), "x")
    assert [channel.rate_bps(t) for t in (0.0, 4.9, 5.0, 14.9, 15.0)] == [1e6, 1e6, 0.0, 0.0, 2e6]
    assert channel.finish(16.0, 1e6) == 16.5
