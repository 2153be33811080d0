"""The integrals are those of the step functions, and Little's law holds to rounding however long a run is."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.world.occupancy import Occupancy

WAITS = st.sampled_from([0.0, 0.0, 0.25, 0.5, 3.0])
"""Dyadic, so that sums of them are exact."""
STEPS = st.lists(
    st.tuples(WAITS, st.sampled_from(["enter", "enter", "start", "begin", "leave", "relieve", "reset"])), max_size=50
)


class Ledger:
    """Every visit written down: when it entered, began and left."""

    def __init__(self) -> None:
        self.visits: list[list[float]] = []
        self.began_s = 0.0

    def apply(self, occupancy: Occupancy, step: str, now: float) -> None:
        """Do a step, if anybody is there to do it with, in both accounts."""
        waiting = [visit for visit in self.visits if len(visit) == 1]
        serving = [visit for visit in self.visits if len(visit) == 2]
        if step == "enter":
            self.visits.append([now])
            occupancy.enter(now)
        elif step == "begin" and waiting:
            waiting[0].append(now)
            occupancy.begin(now, waiting[0][0])
        elif step == "leave" and serving:
            serving[0].append(now)
            occupancy.leave(now)
        elif step == "start":
            self.visits.append([now, now])
            occupancy.start(now)
        elif step == "relieve" and waiting and serving:
            serving[0].append(now)
            waiting[0].append(now)
            occupancy.relieve(now, waiting[0][0])
        elif step == "reset":
            self.began_s = now
            occupancy.reset(now)

    def overlap(self, begin: float, end: float) -> float:
        return max(0.0, end - max(begin, self.began_s))

    def waiting_area(self, now: float) -> float:
        return sum(self.overlap(visit[0], visit[1] if len(visit) > 1 else now) for visit in self.visits)

    def serving_spans(self, now: float) -> list[tuple[float, float]]:
        return [(visit[1], visit[2] if len(visit) > 2 else now) for visit in self.visits if len(visit) > 1]

    def since(self, place: int) -> int:
        """Visits whose instant at this place was in the window, told by the order of steps, not by time."""
        return sum(len(visit) > place for visit in self.visits)


@given(STEPS, WAITS)
def test_areas_and_counts_are_those_of_the_visits(steps: list[tuple[float, str]], rest: float) -> None:
    occupancy, ledger = Occupancy(), Ledger()
    now, before = 0.0, (0, 0, 0)
    for wait, step in steps:
        now += wait
        ledger.apply(occupancy, step, now)
        if step == "reset":
            before = tuple(ledger.since(place) for place in range(3))
    now += rest
    seen = occupancy.summary(now)
    duration = now - ledger.began_s
    assert seen.duration_s == duration
    assert (seen.arrivals, seen.starts, seen.completions) == tuple(
        ledger.since(place) - before[place] for place in range(3)
    )
    if duration > 0:
        spans = ledger.serving_spans(now)
        assert seen.waiting_mean == ledger.waiting_area(now) * (1 / duration)
        assert seen.serving_mean == sum(ledger.overlap(*span) for span in spans) * (1 / duration)
        assert seen.busy == pytest.approx(covered(spans, ledger.began_s) / duration)
        assert seen.little_residual == 0.0


def covered(spans: list[tuple[float, float]], from_s: float) -> float:
    """Length of the union of the spans from a time on."""
    total, reached = 0.0, from_s
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


def test_a_queue_of_three_worked_out_by_hand() -> None:
    occupancy = Occupancy()
    for now in (1.0, 2.0, 2.0):
        occupancy.enter(now)
    occupancy.begin(3.0, 1.0)
    occupancy.leave(5.0)
    occupancy.begin(5.0, 2.0)
    seen = occupancy.summary(10.0)
    assert seen.waiting_mean == pytest.approx((1 * 1 + 3 * 1 + 2 * 2 + 1 * 5) / 10)
    assert (seen.serving_mean, seen.busy) == (pytest.approx(0.7), pytest.approx(0.7))
    assert seen.waiting_max == 3
    assert (seen.arrivals, seen.starts, seen.completions) == (3, 2, 1)
    assert seen.wait_mean_s == (2 + 3) / 2


def test_a_line_that_lasts_no_time_is_no_maximum() -> None:
    occupancy = Occupancy()
    occupancy.enter(1.0)
    occupancy.begin(1.0, 1.0)
    occupancy.leave(2.0)
    assert occupancy.summary(3.0).waiting_max == 0


def test_a_reset_forgets_the_past_and_keeps_who_is_there() -> None:
    occupancy = Occupancy()
    occupancy.enter(0.0)
    occupancy.begin(0.0, 0.0)
    occupancy.enter(1.0)
    occupancy.reset(10.0)
    assert (occupancy.waiting, occupancy.serving) == (1, 1)
    occupancy.leave(12.0)
    occupancy.begin(12.0, 1.0)
    seen = occupancy.summary(14.0)
    assert (seen.waiting_mean, seen.serving_mean, seen.busy) == (0.5, 1.0, 1.0)
    assert (seen.arrivals, seen.starts, seen.completions) == (0, 1, 1)
    assert seen.wait_mean_s == 11.0, "the whole wait of one that started in the window"
    assert seen.little_residual == 0.0


def test_where_nothing_started_there_is_no_mean_wait() -> None:
    seen = Occupancy().summary(0.0)
    assert math.isnan(seen.wait_mean_s)
    assert (seen.duration_s, seen.waiting_mean, seen.busy, seen.little_residual) == (0.0, 0.0, 0.0, 0.0)


def test_littles_residual_does_not_grow_with_the_length_of_a_run() -> None:
    random = np.random.default_rng(3)
    count = 50_000
    entered = np.cumsum(random.exponential(1.25, count)).tolist()
    services = random.exponential(1.0, count).tolist()
    happenings: list[tuple[float, int, float]] = []
    free_s = 0.0
    for enter_s, service_s in zip(entered, services, strict=True):
        start_s = max(enter_s, free_s)
        free_s = start_s + service_s
        happenings += [(enter_s, 0, enter_s), (start_s, 1, enter_s), (free_s, 2, enter_s)]
    occupancy = Occupancy()
    for now, kind, enter_s in sorted(happenings):
        if kind == 0:
            occupancy.enter(now)
        elif kind == 1:
            occupancy.begin(now, enter_s)
        else:
            occupancy.leave(now)
    assert occupancy.summary(free_s).little_residual < 1e-12


def test_an_occupancy_goes_on_from_a_pickle() -> None:
    occupancy = Occupancy()
    occupancy.enter(1.5)
    copy = pickle.loads(pickle.dumps(occupancy))
    for each in (occupancy, copy):
        each.begin(2.0, 1.5)
        each.leave(4.0)
    assert copy.summary(5.0) == occupancy.summary(5.0)
