from __future__ import annotations

import pytest

from benchmarks.offloading.comparison import (
    Ends,
    checksum,
    ends_in_memory,
    ends_on_disk,
    run_program,
    run_simulator,
    smart_factory,
)
from benchmarks.offloading.deciding import Recorded, RoundRobin
from benchmarks.offloading.observing import EarliestFinish
from benchmarks.offloading.program import Decider

TASKS = 60


def simulated(agent: str) -> Ends:
    return ends_on_disk(run_simulator(smart_factory(TASKS), agent))


def programmed(decider: Decider) -> Ends:
    return ends_in_memory(run_program(smart_factory(TASKS), decider))


def assert_equal(ours: Ends, theirs: Ends) -> None:
    assert len(ours) > 3 * TASKS
    assert {key: node for key, (node, _) in theirs.items()} == {key: node for key, (node, _) in ours.items()}
    assert {key: end for key, (_, end) in theirs.items()} == pytest.approx(
        {key: end for key, (_, end) in ours.items()}, rel=0, abs=1e-8
    )
    assert checksum(theirs) == checksum(ours)


def test_the_program_ends_every_subtask_when_the_simulator_does() -> None:
    assert_equal(simulated("round-robin"), programmed(RoundRobin()))


def test_the_program_follows_given_decisions_and_observes_the_same_ones_by_itself() -> None:
    ours = simulated("eft")
    assert_equal(ours, programmed(Recorded({key: node for key, (node, _) in ours.items()})))
    assert_equal(ours, programmed(EarliestFinish()))


def test_another_decision_is_another_checksum() -> None:
    ours = simulated("round-robin")
    assert checksum(ours) != checksum(simulated("eft"))
    key = min(ours)
    assert checksum(ours) != checksum({**ours, key: (ours[key][0], ours[key][1] + 0.01)})
