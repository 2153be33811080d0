"""Figures of traces are those that one works out by hand, and None where there is too little to tell."""

from __future__ import annotations

import statistics
from array import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.traces import Rates, Requests
from simoffload.traces.describing import describe_rates, describe_requests, dispersion


def requests(times: list[float], outputs: list[int] | None = None) -> Requests:
    lengths = array("q", range(10, 10 + len(times)))
    return Requests(array("d", times), lengths, array("q", outputs or [0] * len(times)), "csv")


def rates(ends: list[float], values: list[float]) -> Rates:
    return Rates(array("d", ends), array("d", values), "two-column")


def test_requests_are_described() -> None:
    found = describe_requests(requests([0, 3, 3, 3, 6, 96, 99, 170], [0, 5, 5, 0, 9, 9, 9, 9]))
    assert (found.requests, found.span_s, found.without_output) == (8, 170, 2)
    assert found.rate_per_s == 7 / 170
    gaps = [3, 0, 0, 3, 90, 3, 71]
    assert found.gap_mean_s == pytest.approx(statistics.fmean(gaps))
    assert found.gap_cv == pytest.approx(statistics.pstdev(gaps) / statistics.fmean(gaps))
    assert (found.distinct_times, found.largest_group, found.step_s) == (6, 3, 3)
    assert (found.longest_gap_s, found.longest_gap_at_s, found.gaps_of_a_minute) == (90, 6, 2)
    counts = [5, 2]
    assert found.dispersion["60 s"] == pytest.approx(statistics.pvariance(counts) / statistics.fmean(counts))
    assert (found.prompt_tokens.mean, found.prompt_tokens.min, found.prompt_tokens.max) == (13.5, 10, 17)
    assert (found.output_tokens.p5, found.output_tokens.p50, found.output_tokens.p95) == (0, 5, 9)
    assert found.prompt_tokens.sd == pytest.approx(statistics.pstdev(range(8)))


def test_a_single_request_has_no_rate() -> None:
    found = describe_requests(requests([0.0]))
    assert (found.requests, found.span_s) == (1, 0)
    assert found.rate_per_s is found.gap_mean_s is found.gap_cv is found.step_s is found.longest_gap_s is None
    assert set(found.dispersion.values()) == {None}


def test_requests_of_one_moment_have_gaps_but_no_rate() -> None:
    found = describe_requests(requests([0.0, 0.0, 0.0]))
    assert (found.rate_per_s, found.gap_mean_s, found.gap_cv) == (None, 0, None)
    assert (found.distinct_times, found.largest_group) == (1, 3)


@given(st.lists(st.integers(0, 200).map(lambda k: k / 4), min_size=1, max_size=50), st.sampled_from([0.5, 1.0, 3.0]))
def test_dispersion_is_that_of_counts_in_whole_windows(times: list[float], window: float) -> None:
    sorted_times = np.array(sorted(times)) - min(times)
    windows = int(sorted_times[-1] // window)
    counts = [int(((sorted_times >= k * window) & (sorted_times < (k + 1) * window)).sum()) for k in range(windows)]
    found = dispersion(sorted_times, window)
    if windows < 2:
        assert found is None
    else:
        assert found == pytest.approx(statistics.pvariance(counts) / statistics.fmean(counts), abs=1e-12)


def test_a_poisson_process_has_dispersion_1_and_a_long_trace_few_windows_to_list() -> None:
    times = np.cumsum(np.random.default_rng(1).exponential(1.0, 100_000))
    assert dispersion(times, 10.0) == pytest.approx(1, abs=0.05)
    assert dispersion(np.array([0.0, 1e10]), 1.0) == pytest.approx(1)


def test_rates_are_weighed_by_time() -> None:
    found = describe_rates(rates([1, 2, 12, 20], [8e6, 0, 1e6, 2e6]))
    assert (found.segments, found.loop_s, found.step_s, found.longest_step_s) == (4, 20, 4.5, 10)
    assert found.rate_bps.mean == pytest.approx((8e6 + 10e6 + 16e6) / 20)
    assert (found.rate_bps.min, found.rate_bps.p5, found.rate_bps.p50, found.rate_bps.p95) == (0, 0, 1e6, 2e6)
    assert found.rate_bps.max == 8e6
    assert found.outage_share == 0.05


def test_neighbours_that_alternate_are_anticorrelated() -> None:
    assert describe_rates(rates([1, 2, 3, 4], [1, 3, 1, 3])).autocorrelation == pytest.approx(-0.75)
    assert describe_rates(rates([1, 2, 3, 4], [1, 1, 3, 3])).autocorrelation == pytest.approx(0.25)
    assert describe_rates(rates([1, 2, 3], [5, 5, 5])).autocorrelation is None
    assert describe_rates(rates([1, 2], [1, 5])).autocorrelation is None


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_repeating_values_is_weighing_them(values: list[int]) -> None:
    """Segments of whole seconds have the figures of their rates listed second by second."""
    lengths = [1 + value % 3 for value in values]
    ends = np.cumsum(lengths).astype(float).tolist()
    listed = np.repeat(values, lengths).astype(float).tolist()
    merged = describe_rates(rates(ends, [float(value) for value in values])).rate_bps
    single = describe_rates(rates([float(k + 1) for k in range(len(listed))], listed)).rate_bps
    assert merged.mean == pytest.approx(single.mean)
    assert merged.sd == pytest.approx(single.sd, abs=1e-9)
    assert (merged.p5, merged.p50, merged.p95, merged.max) == (single.p5, single.p50, single.p95, single.max)
