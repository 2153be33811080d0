"""M/M/1 whose server slows down and recovers gives the queue that the matrix-geometric solution says.

The simulator knows nothing of such equations: it draws a path of the pace and follows each service along it.
"""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.theory.markovian import mm1
from simoffload.analysis.theory.modulated import gilbert_elliott
from simoffload.run.world import World
from simoffload.schema import load_scenario
from tests.oracle.theory import time_averages
from tests.world.worlds import run

from .test_queues import FAR_APART, Only, Visitors, assert_holds, assert_share_beyond

pytestmark = pytest.mark.long

ARRIVAL_RATE, SERVICE_RATE, FACTOR, BETWEEN_S, LASTING_S = 0.5, 1.0, 3.0, 60.0, 20.0
CUSTOMERS = 120_000


def test_waits_and_numbers_are_those_of_theory() -> None:
    spells = f"{{kind: random, factor: {FACTOR}, mean_between: {BETWEEN_S} s, mean_lasting: {LASTING_S} s}}"
    settings = [
        FAR_APART, f"horizon={{tasks: {CUSTOMERS}}}", f"workloads.customers.arrivals.rate='{ARRIVAL_RATE} /s'",
        f"edges.station.slowdown={spells}",
    ]  # fmt: skip
    scenario = load_scenario("theory/mm1", settings)
    recorder = Visitors(scenario)
    world = World(scenario, Only(), recorder)
    world.begin()
    run(world)
    rows = np.array(recorder.visits)
    entered_s, start_s, finish_s = rows[rows[:, 1] >= scenario.warm_up].T[1:4]

    form = gilbert_elliott(ARRIVAL_RATE, SERVICE_RATE, SERVICE_RATE / FACTOR, BETWEEN_S, LASTING_S)
    means = form.means
    assert means.wait_s > 2 * mm1(ARRIVAL_RATE, SERVICE_RATE).means.wait_s, "slow-downs matter here"
    assert_holds(start_s - entered_s, means.wait_s)
    assert_holds(finish_s - entered_s, means.sojourn_s)
    assert_holds((start_s > entered_s).astype(float), means.utilisation)
    for length_s in (2.0, 8.0):
        assert_share_beyond(finish_s - entered_s, length_s, 1 - float(form.sojourn_cdf(length_s)))
    first, last = entered_s[0], entered_s[-1]
    assert_holds(time_averages(entered_s, finish_s, first, last), means.in_system)
