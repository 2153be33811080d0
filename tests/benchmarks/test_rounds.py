from __future__ import annotations

from itertools import count

import pytest

from benchmarks.rounds import Mismatch, Program, Timing, measure, speed_ratio


def test_programs_run_in_turn() -> None:
    ran: list[str] = []
    first, second = (Program(name, 1, lambda name=name: ran.append(name)) for name in ("first", "second"))
    timings = measure([first, second], 3)
    assert ran == ["first", "second"] * 3
    assert [timing.name for timing in timings] == ["first", "second"]
    assert all(len(timing.cpu_s) == 3 and min(timing.cpu_s) >= 0.0 for timing in timings)


def test_a_result_that_changes_is_a_mismatch() -> None:
    numbers = count()
    with pytest.raises(Mismatch, match="drifting gives another result in round 2"):
        measure([Program("drifting", 1, lambda: next(numbers), str)], 2)


def test_a_ratio_is_taken_within_each_round_and_per_unit_of_work() -> None:
    fast = Timing("fast", 10, (1.0, 2.0, 1.0), "")
    slow = Timing("slow", 5, (2.0, 2.0, 4.0), "")
    ratio = speed_ratio(fast, slow)
    assert (ratio.median, ratio.least, ratio.greatest) == (4.0, 2.0, 8.0)
    assert fast.us_per_unit == 1e5
