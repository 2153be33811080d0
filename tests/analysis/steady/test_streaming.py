"""Estimates from batches in fixed memory agree with those from all rows, within the error that they state."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simoffload.analysis.steady.autocorrelation import lag1
from simoffload.analysis.steady.mean import steady_mean
from simoffload.analysis.steady.quantiles import sample_quantile, sectioning, steady_quantile
from simoffload.analysis.steady.result import Flag
from simoffload.analysis.steady.streaming import steady_mean_of, steady_quantile_of
from simoffload.record.batches import Batches

from .processes import mm1_waits


def batches_of(values: np.ndarray) -> Batches:
    batches = Batches()
    for value in values.tolist():
        batches.add(value)
    return batches


def test_the_mean_is_that_of_the_rows_in_full_batches() -> None:
    waits = mm1_waits(40_000, 0.5, 1)
    found = steady_mean_of(batches_of(waits))
    assert found.n == 39 * 1024
    assert found.value == pytest.approx(waits[: 39 * 1024].mean(), rel=1e-12)
    assert found.tau == pytest.approx(steady_mean(waits).tau, rel=0.6)
    assert found.half_width == pytest.approx(steady_mean(waits).half_width, rel=0.5)
    assert not found.flags


def test_means_of_streams_hold_the_truth() -> None:
    found = [steady_mean_of(batches_of(mm1_waits(33_000, 0.4, seed))) for seed in range(24)]
    clean = [each for each in found if math.isfinite(each.half_width)]
    assert len(clean) >= 22
    assert sum(each.low <= 0.4 / 0.6 <= each.high for each in clean) >= 0.9 * len(clean)


@pytest.mark.parametrize("p", [0.6, 0.9])
def test_the_interval_of_a_quantile_holds_the_exact_sectioning_interval(p: float) -> None:
    waits = mm1_waits(64 * 512, 0.5, 3)
    found = steady_quantile_of(batches_of(waits), p)
    assert (found.cut, found.batches) == (0, 16)
    sections = waits.reshape(16, -1)
    whole = sample_quantile(waits, p)
    by_section = np.array([sample_quantile(section, p) for section in sections])
    exact = sectioning(whole, by_section, lag1(by_section), 0.95)
    assert found.value == pytest.approx(whole, rel=0.005)
    assert found.low <= exact.low < exact.high <= found.high
    assert found.high - exact.high < 0.02 * whole
    assert found.tau == pytest.approx(steady_quantile(waits, p).tau, rel=0.7)


def test_a_full_start_is_cut_by_whole_batches() -> None:
    found = steady_mean_of(batches_of(mm1_waits(33_000, 0.5, 1, jobs=300)))
    assert found.cut > 0
    assert found.cut % 1024 == 0 or found.cut % 512 == 0
    assert found.value == pytest.approx(1.0, rel=0.2)


def test_an_unstable_stream_has_no_steady_state() -> None:
    batches = batches_of(mm1_waits(20_000, 1.2, 1))
    for found in (steady_mean_of(batches), steady_quantile_of(batches, 0.9)):
        assert Flag.UNSTABLE in found.flags
        assert (found.half_width, found.needed_n) == (math.inf, None)


@pytest.mark.parametrize("seed", range(6))
def test_a_mean_of_rare_events_gets_no_interval_from_a_stream_either(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = np.where(generator.random(6000) < 1 / 800, generator.exponential(10.0, 6000), 0.0)
    found, whole = steady_mean_of(batches_of(values)), steady_mean(values)
    assert 0 < np.count_nonzero(values) < 30
    assert Flag.RARE_EVENT in found.flags & whole.flags
    assert math.isinf(found.half_width)
    assert found.needed_n is not None and found.needed_n > 30 * 800 / 3


def test_many_waits_of_zero_are_no_rare_event_in_a_stream() -> None:
    assert not steady_mean_of(batches_of(mm1_waits(131_072, 0.3, 1))).flags & {Flag.RARE_EVENT, Flag.TOO_SHORT}


def test_what_varies_little_is_no_rare_event_in_a_stream() -> None:
    values = 5.0 + 0.002 * np.random.default_rng(3).random(20_000)
    assert not steady_mean_of(batches_of(values)).flags


def test_a_short_stream_gets_a_forecast() -> None:
    batches = batches_of(mm1_waits(5_000, 0.9, 1))
    for found in (steady_mean_of(batches), steady_quantile_of(batches, 0.95)):
        assert Flag.TOO_SHORT in found.flags
        assert found.needed_n is not None and found.needed_n > 20_000


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [2.0] * 500])
def test_where_nothing_is_known_there_is_no_interval(values: list[float]) -> None:
    batches = batches_of(np.array(values))
    for found in (steady_mean_of(batches), steady_quantile_of(batches, 0.5)):
        assert math.isinf(found.half_width)
        assert found.flags & {Flag.TOO_SHORT, Flag.RARE_EVENT}


def test_far_quantiles_of_a_short_stream_are_told() -> None:
    found = steady_quantile_of(batches_of(mm1_waits(33_000, 0.5, 1)), 0.9999)
    assert Flag.TOO_SHORT in found.flags
