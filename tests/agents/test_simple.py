"""Random and round-robin."""

from __future__ import annotations

import pickle
from collections import Counter

from simoffload.agents.simple import Random, RoundRobin
from tests.agents.observations import sight, started


def test_random_takes_every_candidate_about_equally_often() -> None:
    agent, seen = started(Random()), sight([0, 2, 4])
    taken = Counter(agent.decide(seen).choice for _ in range(3000))
    assert sorted(taken) == [0, 1, 2]
    assert all(abs(count - 1000) < 5 * (3000 * 1 / 3 * 2 / 3) ** 0.5 for count in taken.values())


def test_random_repeats_its_draws_after_a_reset_with_an_equal_generator() -> None:
    agent, seen = started(Random(), seed=3), sight([0, 1, 2, 3])
    first = [agent.decide(seen).choice for _ in range(50)]
    started(agent, seed=3)
    assert [agent.decide(seen).choice for _ in range(50)] == first


def test_a_pickled_random_agent_continues_with_the_same_draws() -> None:
    agent, seen = started(Random()), sight([0, 1, 2, 3])
    agent.decide(seen)
    twin = pickle.loads(pickle.dumps(agent))
    assert [twin.decide(seen) for _ in range(50)] == [agent.decide(seen) for _ in range(50)]


def test_round_robin_goes_through_the_legal_nodes_by_number_and_begins_again() -> None:
    agent = started(RoundRobin())
    nodes = []
    for _ in range(5):
        seen = sight([0, 2, 4])
        nodes.append(int(seen.candidates[agent.decide(seen).choice]))
    assert nodes == [0, 2, 4, 0, 2]


def test_round_robin_skips_to_the_next_node_that_can_run_the_subtask() -> None:
    agent = started(RoundRobin())
    legal = [[0, 1, 4], [0, 4], [0, 1, 2, 4], [1, 3], [0, 3]]
    taken = [nodes[agent.decide(sight(nodes)).choice] for nodes in legal]
    assert taken == [0, 4, 0, 1, 3]


def test_round_robin_keeps_a_turn_for_each_home() -> None:
    agent = started(RoundRobin())
    homes = [0, 0, 1, 0, 1]
    taken = [agent.decide(sight([0, 1, 2], at={"home": home})).choice for home in homes]
    assert taken == [0, 1, 0, 2, 1]


def test_round_robin_begins_with_the_lowest_node_after_a_reset() -> None:
    agent = started(RoundRobin())
    agent.decide(sight([0, 1, 2]))
    assert started(agent).decide(sight([0, 1, 2])).choice == 0
