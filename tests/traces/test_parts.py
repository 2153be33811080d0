"""A part of a trace is what lies between two times; speed divides times and changes nothing else."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.traces import Rates, Requests, Skipped, TraceError
from simoffload.traces.parts import rates_between, rates_faster, requests_between, requests_faster

EIGHTHS = st.integers(0, 400).map(lambda k: k / 8)


@st.composite
def request_traces(draw: st.DrawFn) -> Requests:
    times = sorted(draw(st.lists(EIGHTHS, min_size=1, max_size=20)))
    return Requests(
        array("d", [time - times[0] for time in times]),
        array("q", range(len(times))),
        array("q", [7 * k for k in range(len(times))]),
        "mooncake",
        Skipped(2, 5),
        1,
    )


@st.composite
def rate_traces(draw: st.DrawFn) -> Rates:
    ends = sorted(draw(st.sets(st.integers(1, 400).map(lambda k: k / 8), min_size=1, max_size=20)))
    return Rates(array("d", ends), array("d", [draw(EIGHTHS) for _ in ends]), "mahimahi")


@given(request_traces(), EIGHTHS, EIGHTHS | st.just(math.inf))
def test_requests_between_two_times_are_those_and_start_anew(trace: Requests, begin: float, end: float) -> None:
    rows = list(zip(trace.times_s, trace.prompt_tokens, trace.output_tokens, strict=True))
    kept = [row for row in rows if begin <= row[0] < end]
    if not kept:
        with pytest.raises(TraceError, match=f"no request comes from {begin:g} s to {end:g} s"):
            requests_between(trace, begin, end)
        return
    found = requests_between(trace, begin, end)
    expected = [(time - kept[0][0], prompt, output) for time, prompt, output in kept]
    assert list(zip(found.times_s, found.prompt_tokens, found.output_tokens, strict=True)) == expected
    assert (found.format, found.skipped, found.out_of_order) == ("mooncake", Skipped(2, 5), 1)


def rate_at(trace: Rates, time: float) -> float:
    return next(rate for end, rate in zip(trace.ends_s, trace.rates_bps, strict=True) if time < end)


@given(rate_traces(), EIGHTHS, EIGHTHS | st.just(math.inf))
def test_rates_between_two_times_are_those_of_these_times(trace: Rates, begin: float, end: float) -> None:
    last = min(end, trace.ends_s[-1])
    if begin >= last:
        with pytest.raises(TraceError, match=f"nothing from {begin:g} s to {end:g} s"):
            rates_between(trace, begin, end)
        return
    found = rates_between(trace, begin, end)
    assert found.ends_s[-1] == last - begin
    assert all(earlier < later for earlier, later in pairwise([0.0, *found.ends_s]))
    assert len(found.ends_s) == len(found.rates_bps)
    for step in range(int(8 * (last - begin))):
        time = step / 8 + 1 / 16
        assert rate_at(found, time) == rate_at(trace, begin + time)


@given(request_traces(), rate_traces(), st.sampled_from([0.25, 1.0, 8.0]))
def test_speed_divides_times_alone(requests: Requests, rates: Rates, speed: float) -> None:
    faster = requests_faster(requests, speed)
    assert [speed * time for time in faster.times_s] == list(requests.times_s)
    assert (faster.prompt_tokens, faster.output_tokens) == (requests.prompt_tokens, requests.output_tokens)
    shorter = rates_faster(rates, speed)
    assert [speed * end for end in shorter.ends_s] == list(rates.ends_s)
    assert shorter.rates_bps == rates.rates_bps
