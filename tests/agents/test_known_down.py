"""Rules and policies pass over nodes that are known to be down, where another will do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simoffload.agents import kind_table, scoring
from simoffload.agents.earliest_finish import EarliestFinish
from simoffload.agents.join_shortest_queue import JoinShortestQueue
from simoffload.agents.learning import greedy, linucb, tilt, ucb1
from simoffload.agents.learning.counts import ACTIONS, KEYS, Counts
from simoffload.agents.learning.greedy import EpsilonGreedy
from simoffload.agents.learning.tilt import Tilt
from simoffload.agents.measured_speed import EarliestMeasuredFinish
from simoffload.agents.network import Network
from simoffload.agents.peft import Peft
from simoffload.agents.scoring import Heads, ScoringAgent
from simoffload.agents.sides import AllCloud, AllEdge
from simoffload.agents.simple import Random, RoundRobin
from simoffload.agents.threshold_router import ThresholdRouter
from simoffload.decision.features import POSITION_COLUMNS

from .observations import Sight, sight, started

NODES = [0, 1, 4, 5]


def seen(*down: int, **at: Any) -> Sight:
    """Nodes 0 and 1 on the edge (1 is the home), 4 and 5 in the cloud; the first is best by any measure."""
    ranks = [1.0, 2.0, 3.0, 4.0]
    view = sight(
        NODES, at=at, finish_s=ranks, wait_s=ranks, queue_length=ranks, transfer_s=ranks, service_s=ranks,
        swap_s=[0.0] * 4, way_home_s=[0.0] * 4, cost_usd=ranks,
    )  # fmt: skip
    up = np.array([node not in down for node in NODES])
    view.is_up = up  # type: ignore[attr-defined]
    view.up_rows = np.flatnonzero(up) if up.any() and not up.all() else None
    view.heard = ()  # type: ignore[attr-defined]
    view.optimistic_cost_s = np.zeros(len(NODES))  # type: ignore[attr-defined]
    return view


@pytest.mark.parametrize("rule", [EarliestFinish, JoinShortestQueue, EarliestMeasuredFinish, Peft])
def test_the_best_of_those_that_are_up_is_taken(rule: type[Any]) -> None:
    agent = started(rule())
    assert [agent.decide(seen(*down)).choice for down in ((), (0,), (0, 1), (0, 1, 4), (0, 1, 4, 5))] == [0, 1, 2, 3, 0]


def test_chance_draws_among_those_that_are_up() -> None:
    agent = started(Random())
    assert {agent.decide(seen(1, 5)).choice for _ in range(50)} == {0, 2}


def test_turns_leave_out_those_that_are_down() -> None:
    agent = started(RoundRobin())
    assert [agent.decide(seen(1)).choice for _ in range(4)] == [0, 2, 3, 0]
    assert agent.decide(seen()).choice == 1


@pytest.mark.parametrize(
    ("rule", "down", "choice"),
    [
        (AllCloud, (), 2), (AllCloud, (4,), 3), (AllCloud, (4, 5), 2),
        (AllEdge, (), 1), (AllEdge, (0,), 1), (AllEdge, (0, 1), 1),
    ],
)  # fmt: skip
def test_rules_of_one_side_stay_on_it(rule: type[Any], down: tuple[int, ...], choice: int) -> None:
    """All at the edge goes home where that can run it at all, up or down."""
    assert started(rule()).decide(seen(*down)).choice == choice


@pytest.mark.parametrize(("down", "difficulty", "choice"), [((0,), -9.0, 1), ((4,), 9.0, 3)])
def test_a_router_takes_the_best_that_is_up_on_the_side_it_chooses(
    down: tuple[int, ...], difficulty: float, choice: int
) -> None:
    assert started(ThresholdRouter()).decide(seen(*down, difficulty=difficulty)).choice == choice


@pytest.mark.parametrize(
    ("down", "difficulty", "choice"), [((0, 1), -9.0, 2), ((4, 5), 9.0, 0), ((0, 1, 4, 5), 9.0, 2)]
)
def test_a_router_takes_the_other_side_where_one_is_down_as_a_whole(
    down: tuple[int, ...], difficulty: float, choice: int
) -> None:
    assert started(ThresholdRouter()).decide(seen(*down, difficulty=difficulty)).choice == choice


def flat() -> Network:
    """A network that makes no difference."""
    columns = len(POSITION_COLUMNS)
    return Network(np.zeros(columns), np.ones(columns), (np.zeros((columns, 1)),), (np.zeros(1),))


@pytest.fixture
def without_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """These observations have no features, and every kind of place is as good and as often tried as any other."""
    for module in (scoring,):
        monkeypatch.setattr(module, "position_features", lambda seen: np.zeros((len(NODES), len(POSITION_COLUMNS))))
    for module in (tilt, greedy, linucb, ucb1, kind_table):
        monkeypatch.setattr(module, "situation", lambda seen: (0, np.array([1, 0, 2, 2])))


def behaviours() -> dict[str, Any]:
    heads = Heads(flat(), None, 0.1, 0.0)
    bonus = Counts()
    return {
        "tilt": Tilt(heads, bonus, 1.0),
        "tilt with a floor": Tilt(heads, bonus, 0.0, 0.5),
        "argmax": Tilt(heads, bonus, 1.0, 0.0, "argmax"),
        "greedy": EpsilonGreedy(heads, 1.0),
        "linucb": linucb.Optimist(heads, np.eye(1 + len(POSITION_COLUMNS))),
        "ucb1, nothing tried": ucb1.Optimist(np.full((KEYS, ACTIONS), np.nan), bonus, 1.0),
        "ucb1": ucb1.Optimist(np.zeros((KEYS, ACTIONS)), bonus, 1.0),
    }


@pytest.mark.usefixtures("without_features")
@pytest.mark.parametrize("name", behaviours())
def test_whoever_learns_never_tries_a_node_known_to_be_down_while_another_is_up(name: str) -> None:
    behaviour, generator = behaviours()[name], np.random.default_rng(1)
    view = seen(0, 4)
    view.setting = started(EarliestFinish()).setting  # type: ignore[attr-defined]
    behaviour.reset(view.setting)  # type: ignore[attr-defined]
    choices = [behaviour.choose(view, generator) for _ in range(200)]
    assert {choice.action for choice in choices} <= {1, 3}
    if "floor" in name or name == "greedy":
        assert {choice.action for choice in choices} == {1, 3}
    assert all(np.isfinite(choice.log_chance) for choice in choices)


@pytest.mark.usefixtures("without_features")
@pytest.mark.parametrize("network", [flat(), None])
def test_a_trained_policy_and_a_table_pass_over_nodes_that_are_down(network: Network | None) -> None:
    view = seen(0, 1)
    view.setting = started(EarliestFinish()).setting  # type: ignore[attr-defined]
    for agent in (ScoringAgent(Heads(network, None, 8.0, 0.0)), kind_table.TableAgent(np.zeros((KEYS, ACTIONS)))):
        assert started(agent).decide(view).choice == 2
    nobody = seen(*NODES)
    nobody.setting = view.setting  # type: ignore[attr-defined]
    assert started(ScoringAgent(Heads(network, None, 8.0, 0.0))).decide(nobody).choice == 0
