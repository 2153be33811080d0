"""Arrival processes have their rates and variability, never go back in time, and follow the time of day."""

from __future__ import annotations

import math
import pickle
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simoffload.random_streams import Streams
from simoffload.schema.workload import Arrivals, Diurnal
from simoffload.world.arrivals import ArrivalProcess, Replay, make_arrivals, unwarp, warp, weibull_shape

_ARRIVALS: TypeAdapter[Any] = TypeAdapter(Arrivals)
DAY = {"period": "100 s", "amplitude": 0.9, "phase": "30 s"}
KINDS: list[Any] = [
    {"kind": "poisson", "rate": "2 /s"},
    {"kind": "gamma", "rate": "2 /s", "cv": 1.8},
    {"kind": "gamma", "rate": "2 /s", "cv": 0.4},
    {"kind": "weibull", "rate": "2 /s", "cv": 1.8},
    {"kind": "weibull", "rate": "2 /s", "cv": 0.4},
    {"kind": "mmpp", "rates": ["5 /s", "0 /s", "1 /s"], "mean_sojourn": ["2 s", "2 s", "2 s"]},
    {"kind": "periodic", "period": "500 ms", "jitter": "250 ms"},
    {"kind": "periodic", "period": "500 ms", "aligned": True},
    {"kind": "poisson", "rate": "2 /s", "modulation": DAY},
    {"kind": "gamma", "rate": "2 /s", "cv": 3, "modulation": DAY},
    {"kind": "weibull", "rate": "2 /s", "cv": 2, "modulation": {"period": "50 s", "amplitude": 1}},
]


def process(spec: Any, entity: str = "workload:a@b", seed: int = 4) -> ArrivalProcess:
    return make_arrivals(_ARRIVALS.validate_python(spec), Streams(seed), entity)


def times(spec: Any, count: int, entity: str = "workload:a@b", seed: int = 4) -> list[float]:
    drawn = process(spec, entity, seed)
    return [drawn.next() for _ in range(count)]


def gaps(found: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(found)]


def identity(spec: Any) -> str:
    return "-".join(str(value) for value in spec.values() if isinstance(value, (str, int, float)))


@pytest.mark.parametrize("spec", KINDS, ids=identity)
def test_the_mean_rate_is_the_long_run_rate(spec: Any) -> None:
    assert process(spec).mean_rate == pytest.approx(2)
    found = times(spec, 20_000)
    batches = [(found[k + 1000] - found[k]) / 1000 for k in range(0, 19_000, 1000)]
    assert fmean(batches) == pytest.approx(0.5, abs=4 * stdev(batches) / math.sqrt(len(batches)) + 1e-3)


@pytest.mark.parametrize("spec", KINDS, ids=identity)
def test_times_never_go_back(spec: Any) -> None:
    found = times(spec, 5000)
    assert found[0] >= 0
    assert all(before <= after for before, after in pairwise(found))


@pytest.mark.parametrize("spec", KINDS, ids=identity)
def test_a_pickled_process_goes_on_where_it_was(spec: Any) -> None:
    drawn = process(spec)
    for _ in range(37):
        drawn.next()
    copy = pickle.loads(pickle.dumps(drawn))
    assert [copy.next() for _ in range(200)] == [drawn.next() for _ in range(200)]


@pytest.mark.parametrize("kind", ["gamma", "weibull"])
@pytest.mark.parametrize("cv", [0.2, 1.0, 1.4])
def test_renewal_gaps_have_their_coefficient_of_variation(kind: str, cv: float) -> None:
    found = gaps(times({"kind": kind, "rate": "3 /s", "cv": cv}, 40_001))
    assert stdev(found) / fmean(found) == pytest.approx(cv, rel=0.05)
    assert fmean(found) == pytest.approx(1 / 3, abs=4 * cv / 3 / 200)


def test_poisson_gaps_are_exponential() -> None:
    found = sorted(gaps(times({"kind": "poisson", "rate": "3 /s"}, 10_001)))
    furthest = max(abs(-math.expm1(-3 * gap) - (k + 0.5) / len(found)) for k, gap in enumerate(found))
    assert furthest < 1.95 / math.sqrt(len(found))


@given(cv=st.floats(0.05, 20))
def test_a_weibull_shape_gives_its_coefficient_of_variation(cv: float) -> None:
    k = weibull_shape(cv)
    assert math.expm1(math.lgamma(1 + 2 / k) - 2 * math.lgamma(1 + 1 / k)) == pytest.approx(cv * cv, rel=1e-9)


def test_known_weibull_shapes() -> None:
    assert weibull_shape(1) == pytest.approx(1, rel=1e-12)
    assert weibull_shape(math.sqrt(5)) == pytest.approx(0.5, rel=1e-12)
    assert weibull_shape(math.sqrt(4 / math.pi - 1)) == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize("cv", [1e-200, 1e-9])
def test_gaps_that_hardly_vary_are_all_alike(cv: float) -> None:
    found = gaps(times({"kind": "gamma", "rate": "2 /s", "cv": cv}, 50))
    assert found == pytest.approx([0.5] * 49, rel=1e-6)


def test_arrivals_in_a_phase_come_at_its_rate() -> None:
    found = times({"kind": "mmpp", "rates": ["0 /s", "40 /s"], "mean_sojourn": ["10 s", "1 s"]}, 60_000)
    long = [gap for gap in gaps(found) if gap > 1]
    assert len(long) / found[-1] == pytest.approx(math.exp(-0.1) / 11, rel=0.1)
    assert fmean(gap for gap in gaps(found) if gap < 0.2) == pytest.approx(1 / 40, rel=0.05)


def test_counts_of_a_modulated_process_are_as_dispersed_as_theory_says() -> None:
    """Var N(t) = m t + 2 (r1 - r2)^2 p1 p2 / s^2 (s t - 1 + e^(-s t)), s the sum of both phases' rates of leaving."""
    spec = {"kind": "mmpp", "rates": ["1 /s", "9 /s"], "mean_sojourn": ["3 s", "1 s"]}
    found, window = times(spec, 90_000), 5.0
    counts = [0] * (int(found[-1] / window) + 1)
    for time in found:
        counts[int(time / window)] += 1
    leaving = 1 / 3 + 1
    rises = 2 * 64 * 3 / 16 / leaving**2 * (leaving * window - 1 + math.exp(-leaving * window))
    assert stdev(counts[:-1]) ** 2 == pytest.approx(3 * window + rises, rel=0.06)


def test_the_first_phase_is_the_one_that_prevails() -> None:
    spec = {"kind": "mmpp", "rates": ["1000 /s", "0.001 /s"], "mean_sojourn": ["30 s", "10 s"]}
    at_once = sum(times(spec, 1, seed=seed)[0] < 0.05 for seed in range(2000))
    assert at_once / 2000 == pytest.approx(0.75, abs=4 * math.sqrt(0.75 * 0.25 / 2000))


@given(half_ms=st.integers(1, 10**6), jitter=st.floats(0, 1), aligned=st.booleans(), seed=st.integers(0, 1000))
def test_jittered_arrivals_stay_in_their_periods(half_ms: int, jitter: float, aligned: bool, seed: int) -> None:
    period, most = 2 * half_ms / 1000, int(jitter * half_ms) / 1000
    spec = {"kind": "periodic", "period": f"{2 * half_ms} ms", "jitter": f"{most} s", "aligned": aligned}
    found = times(spec, 60, seed=seed)
    phase = 0.0 if aligned else Streams(seed).generator("workload:a@b", "phase").random()
    first = round(found[0] / period - phase)
    slack = 1e-9 * period
    for number, time in enumerate(found, start=first):
        assert abs(time - (number + phase) * period) <= most + slack
    assert all(before <= after for before, after in pairwise(found))


def test_homes_are_out_of_phase_unless_aligned() -> None:
    spec = {"kind": "periodic", "period": "2 s"}
    one, other = times(spec, 3, "workload:a@b"), times(spec, 3, "workload:a@c")
    assert one[0] != other[0]
    assert gaps(one) == pytest.approx([2, 2])
    assert times(spec | {"aligned": True}, 3) == times(spec | {"aligned": True}, 3, "workload:a@c") == [0, 2, 4]


modulations = st.builds(
    lambda period, amplitude, phase: Diurnal.model_validate(
        {"period": f"{period} ms", "amplitude": amplitude, "phase": f"{phase} ms"}
    ),
    st.integers(100, 10**8),
    st.sampled_from([0.0, 0.3, 0.999, 1.0]) | st.floats(0, 1),
    st.integers(0, 10**8),
)


@given(modulation=modulations, time=st.floats(0, 1e6))
def test_unwarping_undoes_warping(modulation: Diurnal, time: float) -> None:
    warped = warp(time, modulation)
    slack = 1e-11 * modulation.period + 1e-12 * time
    assert warp(unwarp(warped, modulation), modulation) == pytest.approx(warped, abs=slack)


@given(modulation=modulations, time=st.floats(0, 1e4), step=st.floats(1e-3, 1e-2))
def test_the_clock_runs_as_fast_as_the_rate_is_high(modulation: Diurnal, time: float, step: float) -> None:
    assume(modulation.period > 1)
    middle = 2 * math.pi * (time + step / 2 + modulation.phase) / modulation.period
    factor = 1 + modulation.amplitude * math.sin(middle)
    run = (warp(time + step, modulation) - warp(time, modulation)) / step
    assert run == pytest.approx(factor, abs=(2 * math.pi * step / modulation.period) ** 2 + 1e-4)


def test_arrivals_over_the_day_follow_the_rate() -> None:
    found = times({"kind": "poisson", "rate": "20 /s", "modulation": DAY}, 100_000)
    quarters = [0] * 4
    for time in found:
        quarters[int(time % 100 // 25)] += 1
    for quarter, count in enumerate(quarters):
        swing = math.cos(2 * math.pi * (quarter * 25 + 30) / 100) - math.cos(2 * math.pi * (quarter * 25 + 55) / 100)
        expected = len(found) * (0.25 + 0.9 / (2 * math.pi) * swing)
        assert count == pytest.approx(expected, abs=4 * math.sqrt(expected) + 100)


def test_modulation_warps_the_same_draws() -> None:
    plain = times({"kind": "gamma", "rate": "2 /s", "cv": 1.4}, 50)
    spec = {"kind": "gamma", "rate": "2 /s", "cv": 1.4, "modulation": DAY}
    modulation = Diurnal.model_validate(DAY)
    assert [warp(time, modulation) for time in times(spec, 50)] == pytest.approx(plain, abs=1e-9)


def test_a_replay_ends_with_its_trace() -> None:
    replay = Replay([1.0, 1.0, 4.0], [10, 20, 30], [1, 2, 3], speed=2.0, repeats=False)
    found = []
    while (time := replay.next()) < math.inf:
        found.append((time, replay.tokens))
    assert found == [(0.5, (10, 1)), (0.5, (20, 2)), (2.0, (30, 3))]
    assert replay.next() == math.inf
    assert replay.mean_rate == 2 * 2 / 3


def test_a_replay_starts_over_a_mean_gap_after_its_end() -> None:
    replay = Replay([1.0, 2.0, 5.0], [10, 20, 30], [1, 2, 3], speed=1.0, repeats=True)
    assert [replay.next() for _ in range(7)] == [1, 2, 5, 7, 8, 11, 13]
    assert replay.tokens == (10, 1)
    assert replay.mean_rate == pytest.approx(3 / 6)
    copy = pickle.loads(pickle.dumps(replay))
    assert (copy.next(), copy.tokens) == (replay.next(), replay.tokens)


def test_a_trace_of_one_moment_cannot_be_repeated() -> None:
    with pytest.raises(ValueError, match="at one moment cannot be repeated"):
        Replay([3.0, 3.0], [1, 1], [1, 1], speed=1.0, repeats=True)
    replay = Replay([3.0], [1], [1], speed=1.0, repeats=False)
    assert (replay.mean_rate, replay.next(), replay.next()) == (0.0, 3.0, math.inf)
