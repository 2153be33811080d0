"""M/M/1 whose server slows down and recovers gives the queue that the balance equations say.

The pace is a Markov chain of two states beside the number in the system: a quasi-birth-death process (Neuts 1981),
solved numerically here with the number cut off far out. The simulator knows nothing of such equations: it draws a path
of the pace and follows each service along it.
"""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.run.world import World
from simoffload.schema import load_scenario
from tests.oracle.theory import mmc_wait, time_averages
from tests.world.worlds import run

from .test_queues import FAR_APART, Only, Visitors, assert_holds

pytestmark = pytest.mark.long

ARRIVAL_RATE, SERVICE_RATE, FACTOR, BETWEEN_S, LASTING_S = 0.5, 1.0, 3.0, 60.0, 20.0
CUSTOMERS = 120_000
MOST = 400
"""States with more in the system are left out."""


def balance(arrival_rate: float, rates: tuple[float, float], leaving: tuple[float, float]) -> np.ndarray:
    """[number in the system, state]: the stationary law, for service rates and rates of leaving either state."""
    flow = np.zeros((MOST, 2, MOST, 2))
    for state in (0, 1):
        for number in range(MOST):
            flow[number, state, number, 1 - state] = leaving[state]
            if number + 1 < MOST:
                flow[number, state, number + 1, state] = arrival_rate
                flow[number + 1, state, number, state] = rates[state]
    generator = flow.reshape(2 * MOST, 2 * MOST)
    generator -= np.diag(generator.sum(axis=1))
    equations = generator.T.copy()
    equations[-1] = 1.0
    law = np.linalg.solve(equations, np.eye(2 * MOST)[-1]).reshape(MOST, 2)
    assert law[-1].sum() < 1e-9, "cut off too early"
    return law


def test_the_equations_without_slowdowns_give_the_closed_form() -> None:
    law = balance(0.8, (1.0, 1.0), (0.1, 0.3))
    waiting = (np.arange(MOST) - 1).clip(0) @ law.sum(axis=1)
    assert waiting == pytest.approx(0.8 * mmc_wait(0.8, 1.0, 1))
    assert law.sum(axis=0) == pytest.approx([0.75, 0.25])


def test_waits_and_numbers_are_those_of_the_balance_equations() -> None:
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

    law = balance(ARRIVAL_RATE, (SERVICE_RATE, SERVICE_RATE / FACTOR), (1 / BETWEEN_S, 1 / LASTING_S))
    present = law.sum(axis=1)
    numbers = np.arange(MOST)
    waiting = float((numbers - 1).clip(0) @ present)
    assert waiting > 2 * ARRIVAL_RATE * mmc_wait(ARRIVAL_RATE, SERVICE_RATE, 1), "slow-downs matter here"
    assert_holds(start_s - entered_s, waiting / ARRIVAL_RATE)
    assert_holds(finish_s - entered_s, float(numbers @ present) / ARRIVAL_RATE)
    assert_holds((start_s > entered_s).astype(float), 1.0 - float(present[0]))
    first, last = entered_s[0], entered_s[-1]
    assert_holds(time_averages(entered_s, finish_s, first, last), float(numbers @ present))
