"""A home hears how long its own subtasks took once they have ended, and of nothing else."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from simoffload.decision import Decision, Heard
from simoffload.schema import Scenario
from simoffload.testing import falsified

from .by_hand import CHAIN, CLOUD, ONE, PAINT, PRESS, TWO, Told, plant, play, task, world_of


class Listening(Told):
    """Goes where it is told, and keeps what it hears at each decision."""

    def __init__(self, *nodes: int) -> None:
        super().__init__(*nodes)
        self.told: list[tuple[float, int, tuple[Heard, ...]]] = []

    def decide(self, observation: Any) -> Decision:
        self.told.append((observation.now_s, observation.home, observation.heard))
        return super().decide(observation)


def slow_paint(factor: float = 4.0) -> Scenario:
    spells = f"{{kind: timetable, factor: {factor}, spells: [[0 s, 1000 s]]}}"
    return plant(f"edges.paint.slowdown={spells}")


def test_a_home_hears_of_an_end_at_its_next_decision_and_once() -> None:
    agent = Listening(PAINT, PRESS, CLOUD)
    play(world_of(plant(), agent), task(CHAIN, demand_s=1.0))
    (_, _, nothing), (_, _, first), (now_s, _, second) = agent.told
    assert nothing == ()
    assert [each.node for each in (*first, *second)] == [PAINT, PRESS]
    assert first[0].end_s < second[0].end_s == now_s


def test_at_full_pace_a_service_takes_what_it_should_whatever_its_length() -> None:
    agent = Listening(PAINT, CLOUD)
    play(world_of(plant(), agent), task(TWO, prompt=200, expected_output=50.0, output=[130, 1]))
    (_, _, (heard,)) = agent.told[1]
    # at half speed: overhead 50 ms, 200 tokens at 1 ms, 129 tokens at 11 ms and 10 us per token of context
    assert heard.expected_s == pytest.approx(2 * (0.05 + 0.2 + 129 * 0.011 + 1e-5 * (129 * 201 + 129 * 128 / 2)))
    assert heard.service_s == pytest.approx(heard.expected_s)


def test_demand_that_nobody_could_expect_is_not_given_away() -> None:
    agent = Listening(PRESS, PRESS)
    play(world_of(plant(), agent), task(TWO, demand_s=[3.0, 0.0], expected_demand_s=[2.0, 0.0]))
    (heard,) = agent.told[1][2]
    assert (heard.expected_s, heard.service_s) == (2.0, 3.0)


def test_a_slow_node_gives_itself_away() -> None:
    agent = Listening(PAINT, PRESS)
    play(world_of(slow_paint(), agent), task(TWO, prompt=200, expected_output=50.0, output=[130, 1]))
    (heard,) = agent.told[1][2]
    assert heard.service_s == pytest.approx(4.0 * heard.expected_s)


def test_loading_a_model_is_no_slowness() -> None:
    scenario = plant("edges.press.models=[ear, wide]")
    agent = Listening(PRESS, PRESS)
    play(world_of(scenario, agent), task(TWO, expected_output=50.0))
    (heard,) = agent.told[1][2]
    assert heard.service_s == pytest.approx(heard.expected_s)


def test_nobody_hears_of_the_subtasks_of_another_home() -> None:
    agent = Listening(PRESS, PAINT, PRESS, PAINT)
    tasks = [task(ONE, 0.0, demand_s=1.0), task(ONE, 0.1, home=PAINT, demand_s=1.0)]
    later = [task(ONE, 10.0, demand_s=1.0), task(ONE, 11.0, home=PAINT, demand_s=1.0)]
    play(world_of(plant(), agent), *tasks, *later)
    heard = [(home, [each.node for each in ends]) for _, home, ends in agent.told]
    assert heard == [(PRESS, []), (PAINT, []), (PRESS, [PRESS]), (PAINT, [PAINT])]


def test_nothing_is_heard_of_what_has_not_ended() -> None:
    agent = Listening(PAINT, PRESS, PRESS)
    play(world_of(slow_paint(), agent), *(task(ONE, at_s, demand_s=1.0) for at_s in (0.0, 7.9, 8.1)))
    assert [len(ends) for _, _, ends in agent.told] == [0, 0, 1]


def test_what_is_heard_can_neither_be_falsified_nor_lost_in_a_pickle() -> None:
    agent = Listening(PAINT, PRESS)
    world = world_of(slow_paint(), agent)
    world.dispatcher.arrive(task(TWO, prompt=200, expected_output=50.0, output=[130, 1]))
    knowledge = world.dispatcher._knowledge[PRESS]
    while len(agent.told) < 2:
        world.kernel.step()
    told = agent.told[1][2]
    with falsified(world, PRESS):
        assert knowledge.hearing.heard == told
    assert pickle.loads(pickle.dumps(knowledge.hearing)).heard == told
