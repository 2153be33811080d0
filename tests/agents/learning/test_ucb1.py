"""UCB1: what was never tried comes first, then the least mean less the bonus; and the table of means that is left."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simoffload.agents.kind_table import read_table
from simoffload.agents.learning.counts import ACTIONS, CLOUD, KEYS, OTHER_EDGE, OWN, situation
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.settings import Ucb1Settings
from simoffload.agents.learning.ucb1 import Ucb1
from simoffload.agents.learning.validation import measure
from tests.agents.learning.episodes import busy, by_hand, signs


@dataclass
class Sight:
    """A position with its own node, two others, and a cloud."""

    finish_s: Any = field(default_factory=lambda: np.array([9.0, 5.0, 4.0, 7.0]))
    kind: str = "position"
    stage: int = 0
    modality: int = 0
    wait_s: Any = field(default_factory=lambda: np.zeros(4))
    is_home: Any = field(default_factory=lambda: np.array([True, False, False, False]))
    is_cloud: Any = field(default_factory=lambda: np.array([False, False, False, True]))
    setting: Any = field(default_factory=lambda: SimpleNamespace(latency_reference_s=10.0))
    rows_that_may_be: Any = field(default_factory=lambda: np.arange(4))


KEY = situation(Sight())[0]
ROW = {OWN: 0, OTHER_EDGE: 2, CLOUD: 3}
"""Of each kind the row that is finished first."""


def taught(costs: dict[int, list[float]], **changes: Any) -> Ucb1:
    """A learner that has seen these costs of each kind, in this situation."""
    learner = Ucb1(Ucb1Settings(**changes))
    kinds = [kind for kind, each in costs.items() for _ in each]
    learner.learn([tries(kinds, [cost for each in costs.values() for cost in each])], 0.0)
    return learner


def tries(kinds: list[int], costs: list[float]) -> Any:
    """An episode of actions of these kinds in that situation."""
    count = len(kinds)
    rows = [signs([0.0])] * count
    episode = by_hand(rows, [0] * count, [0.0] * count, own_cost=costs)
    return replace(episode, key=np.full(count, KEY), action_kind=np.array(kinds))


def chosen(learner: Ucb1, times: int = 1) -> list[int]:
    generator = np.random.default_rng(1)
    return [learner.behaviour(0.0).choose(Sight(), generator).action for _ in range(times)]


def test_what_was_never_tried_comes_first_each_alike() -> None:
    found = np.bincount(chosen(Ucb1(Ucb1Settings()), 3000), minlength=4)
    assert found[1] == 0  # of the other edge nodes the faster one
    assert ((found[[0, 2, 3]] - 1000.0) ** 2 / 1000.0).sum() < 13.8
    cheap = taught({OWN: [0.01] * 5, CLOUD: [0.02] * 5})
    assert set(chosen(cheap, 20)) == {ROW[OTHER_EDGE]}


def test_the_chance_noted_is_that_of_the_draw() -> None:
    one = Ucb1(Ucb1Settings()).behaviour(0.0).choose(Sight(), np.random.default_rng(1))
    assert one.log_chance == pytest.approx(-np.log(3))
    known = taught({OWN: [1.0], OTHER_EDGE: [2.0], CLOUD: [3.0]}).behaviour(0.0)
    assert known.choose(Sight(), np.random.default_rng(1)).log_chance == 0.0


@pytest.mark.parametrize(("c", "kind"), [(0.0, OWN), (1.0, CLOUD)])
def test_the_least_mean_less_the_bonus_is_taken(c: float, kind: int) -> None:
    # N = 64: bonuses of c sqrt(ln 65 / (1 + n)) are 0.29, 0.46 and 1.44
    learner = taught({OWN: [1.0] * 50, OTHER_EDGE: [1.3] * 19, CLOUD: [2.0]}, c=c)
    assert learner.counts.trials[KEY].tolist() == [50.0, 19.0, 1.0]
    assert chosen(learner) == [ROW[kind]]


def test_means_are_of_all_that_was_tried_the_older_the_less() -> None:
    learner = taught({OWN: [1.0, 3.0], CLOUD: [5.0]}, discount=0.5)
    assert learner.means()[KEY].tolist() == pytest.approx([2.0, np.nan, 5.0], nan_ok=True)
    learner.learn([tries([OWN], [8.0])], 0.1)
    assert learner.means()[KEY].tolist() == pytest.approx([(4.0 / 2 + 8.0) / (2 / 2 + 1), np.nan, 5.0], nan_ok=True)


def test_the_policy_takes_the_least_mean_without_a_bonus() -> None:
    learner = taught({OWN: [1.0] * 50, OTHER_EDGE: [1.3] * 19, CLOUD: [2.0]}, c=100.0)
    agent = learner.agent()
    assert agent.decide(Sight()).choice == ROW[OWN]  # type: ignore[arg-type]


def test_the_best_kind_is_found_though_it_seemed_bad_at_first() -> None:
    generator = np.random.default_rng(1)
    mean = {OWN: 1.0, OTHER_EDGE: 0.5, CLOUD: 2.0}
    learner = taught({OWN: [1.0] * 3, OTHER_EDGE: [1.8], CLOUD: [2.0]}, discount=1.0, c=1.0)
    for _ in range(60):
        action = chosen(learner)[0]
        kind = next(each for each, row in ROW.items() if row == action)
        learner.learn([tries([kind], [mean[kind] + generator.normal(0, 0.1)])], 0.5)
    assert learner.agent().decide(Sight()).choice == ROW[OTHER_EDGE]  # type: ignore[arg-type]


def test_from_episodes_of_a_plant_it_learns_what_subtasks_come_to() -> None:
    learner = Ucb1(Ucb1Settings())
    episodes = [play(busy(f"seed={seed}"), learner.behaviour(0.0)) for seed in range(3)]
    told = learner.learn(episodes, 0.0)
    own = np.concatenate([each.own_cost for each in episodes])
    assert told["own_cost"] == pytest.approx(own.mean())
    key, kind = episodes[0].key[0], episodes[0].action_kind[0]
    same = np.concatenate([(each.key == key) & (each.action_kind == kind) for each in episodes])
    assert learner.means()[key, kind] == pytest.approx(own[same].mean())


def test_the_policy_file_decides_as_the_learner_did(tmp_path: Path) -> None:
    learner = Ucb1(Ucb1Settings())
    learner.learn([play(busy(f"seed={seed}"), learner.behaviour(0.0)) for seed in range(3)], 0.0)
    learner.write(tmp_path / "policy", {"scenario": "tiny"})
    assert np.array_equal(read_table(tmp_path / "policy.json"), learner.means(), equal_nan=True)
    assert json.loads((tmp_path / "policy.json").read_text())["scenario"] == "tiny"
    assert measure(busy(), f"trained:{tmp_path / 'policy'}") == measure(busy(), learner.agent())


def test_it_goes_on_from_its_state_bit_for_bit_and_refuses_another() -> None:
    straight, resumed = taught({OWN: [1.0, 0.3], CLOUD: [0.1]}), Ucb1(Ucb1Settings())
    resumed.restore(json.loads(json.dumps(straight.state())))
    for each in (straight, resumed):
        each.learn([tries([OWN, OTHER_EDGE], [0.7, 0.2])], 0.5)
    assert straight.state() == resumed.state()
    with pytest.raises(ValueError, match="a table of other situations"):
        resumed.restore({"trials": [[1.0]], "costs": [[1.0]]})
    assert np.array(straight.state()["costs"]).shape == (KEYS, ACTIONS)
