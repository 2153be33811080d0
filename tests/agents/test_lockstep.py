"""Runs in lockstep come to what they come to alone, and leave nothing behind when one fails."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from simoffload.agents.lockstep import SharedNetwork, in_lockstep, shared
from simoffload.agents.network import Network
from simoffload.agents.scoring import Heads, ScoringAgent
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.schema import Scenario
from tests.agents.learning.episodes import busy, heads, random_network


def played(policy: Heads, scenario: Scenario) -> World:
    nodes = len(scenario.edges) + len(scenario.clouds)
    recorder = Recorder(scenario.objective, nodes, 0.0, None, 0, lambda parts: None)
    world = World(scenario, ScoringAgent(policy), recorder)
    world.begin()
    world.kernel.advance(math.inf)
    return world


@pytest.mark.parametrize("orders", [False, True])
def test_worlds_in_lockstep_end_as_they_end_alone(orders: bool) -> None:
    policy = heads(3, orders=orders)
    scenarios = [busy(f"seed={seed}", f"horizon={{tasks: {tasks}}}") for seed, tasks in ((1, 12), (2, 5), (3, 20))]
    together = in_lockstep([partial(played, shared(policy), scenario) for scenario in scenarios])
    for scenario, world in zip(scenarios, together, strict=True):
        alone = played(policy, scenario)
        assert world.recorder.objective.mean == pytest.approx(alone.recorder.objective.mean, rel=1e-12)
        assert world.kernel.now == pytest.approx(alone.kernel.now, rel=1e-12)


def test_rows_of_runs_that_ask_the_same_network_are_scored_in_one_pass() -> None:
    passes = []

    class Counted(Network):
        def __call__(self, rows: np.ndarray) -> np.ndarray:  # type: ignore[override, type-arg]
            passes.append(len(rows))
            return rows[:, 0]

    plain = random_network(2, 1)
    one, other = (Counted(plain.mean, plain.scale, plain.weights, plain.biases) for _ in range(2))

    def run(network: Network, sizes: list[int]) -> list[list[float]]:
        asked = SharedNetwork(network)
        return [asked(np.full((size, 2), float(size))).tolist() for size in sizes]

    found = in_lockstep([partial(run, one, [1, 2]), partial(run, other, [3]), partial(run, one, [4, 5, 6])])
    assert passes == [1 + 4, 3, 2 + 5, 6]
    assert found == [[[size] * size for size in sizes] for sizes in ([1, 2], [3], [4, 5, 6])]


def test_runs_that_ask_nothing_just_run() -> None:
    assert in_lockstep([lambda: 1, lambda: 2]) == [1, 2]
    assert in_lockstep([]) == []


def test_an_error_of_one_run_ends_all_and_is_raised() -> None:
    network = SharedNetwork(random_network(2, 1))

    def broken() -> None:
        network(np.ones((1, 2)))
        raise LookupError("lost")

    ended = []

    def patient() -> None:
        try:
            for _ in range(5):
                network(np.ones((1, 2)))
        finally:
            ended.append(patient)

    with pytest.raises(LookupError, match="lost"):
        in_lockstep([patient, broken, patient])
    assert len(ended) == 2


def test_a_shared_network_answers_in_lockstep_alone() -> None:
    with pytest.raises(AssertionError, match="outside of in_lockstep"):
        SharedNetwork(random_network(2, 1))(np.ones((1, 2)))
