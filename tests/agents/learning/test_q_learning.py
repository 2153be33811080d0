"""Q-learning: the target against numbers by hand, nothing beyond the end, and both learners find the best way."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from simoffload.agents.learning.batch import Batch, batch_of
from simoffload.agents.learning.dqn import dqn
from simoffload.agents.learning.q_learning import QLearner, Worth
from simoffload.agents.learning.qmix import qmix
from simoffload.agents.learning.returns import Steps, own_steps
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.settings import DqnSettings, QmixSettings, QSettings
from tests.agents.learning.episodes import busy, by_hand, signs
from tests.agents.learning.games import PATHS, greedy_path, path
from tests.agents.learning.test_training import equal

SMALL: dict[str, Any] = {"hidden": (8,), "updates": 60, "minibatch": 16, "target_every": 10, "rate": 0.01, "kappa": 0.0}
LEARNERS: list[Callable[..., QLearner]] = [
    lambda seed=1, **changes: dqn(DqnSettings(value_hidden=(8,), **{**SMALL, **changes}), seed),
    lambda seed=1, **changes: qmix(QmixSettings(mixing=4, mixing_hidden=8, **{**SMALL, **changes}), seed),
]
both = pytest.mark.parametrize("made", LEARNERS, ids=["dqn", "qmix"])


def steps_of(batch: Batch) -> Steps:
    return own_steps(batch.home, batch.cost, batch.duration_s, batch.last)


class ByFeature(Worth):
    """Q of a row is a feature of it, times a factor: what it should be can be said by hand."""

    def __init__(self, column: int) -> None:
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(1.0))
        self.column = column

    def view(self, batch: Batch) -> Batch:
        return batch

    def standardise(self, view: Batch) -> None:
        """Features are taken as they are."""

    def of(self, view: Batch, chosen: Tensor, taken: Tensor) -> Tensor:
        return self.factor * view.kinds[0].features[taken, self.column]

    def best(self, view: Batch, chosen: Tensor) -> Tensor:
        return torch.stack([
            view.first[each] + view.kinds[0].features[view.first[each] : view.first[each + 1], self.column].argmax()
            for each in chosen
        ])  # fmt: skip


# ------------------------------------------------------------------------------------------------------- the target


def test_the_target_by_hand() -> None:
    # Q prefers by the first number, Q' values by the second; homes 0 1 0 | 1; costs 3 5 4 | 8 above 5 a second
    rows = [signs([1.0, 10.0]), signs([2.0, 20.0], [1.0, 99.0]), signs([0.0, 99.0], [3.0, 30.0]), signs([1.0, 7.0])]
    first = by_hand(rows[:3], [0, 0, 0], [3.0, 5.0, 4.0], home=[0, 1, 0])
    other = by_hand(rows[3:], [0], [8.0], home=[1])
    learner = QLearner(QSettings(horizon_s=4.0), 1, lambda: ByFeature(0))
    learner.target = ByFeature(1)
    batch = batch_of([first, other])
    goal = learner.goal(batch, steps_of(batch), torch.tensor([0, 1, 2, 3, 0]))
    # decision 0 goes on to 2 after 2 s and -2 + 0; the others to the end, which is worth nothing
    ahead = 2.0 + math.exp(-2.0 / 4.0) * 30.0
    assert goal.tolist() == pytest.approx([ahead, 0.0 + 1.0, 1.0, -3.0, ahead])


def test_the_one_who_prefers_is_not_the_one_who_values() -> None:
    episode = by_hand([signs([0.0, 0.0]), signs([1.0, -5.0], [0.0, 50.0])], [0, 0], [0.0, 0.0])
    learner = QLearner(QSettings(horizon_s=1e12), 1, lambda: ByFeature(0))
    learner.target = ByFeature(1)
    batch = batch_of([episode])
    assert learner.goal(batch, steps_of(batch), torch.tensor([0])).item() == -5.0


@both
def test_the_end_of_an_episode_is_worth_nothing(made: Callable[..., QLearner]) -> None:
    learner = made()
    with torch.no_grad():
        for each in learner.target.parameters():
            each.add_(1.0)
    alone = batch_of([by_hand([signs([1.0], [2.0])], [0], [3.0]), by_hand([signs([1.0], [2.0])], [1], [7.0])])
    view = learner.online.view(alone)
    goal = learner.goal(view, steps_of(alone), torch.tensor([0, 1]))
    assert goal.tolist() == pytest.approx([2.0, -2.0])


# --------------------------------------------------------------------------------------------------------- learning


@both
@pytest.mark.parametrize("seed", [1, 2])
def test_from_random_plays_of_a_game_of_two_moves_the_best_path_is_learned(
    made: Callable[..., QLearner], seed: int
) -> None:
    # at first sight the first move looks better the other way: 1 costs at once, and 5 is near 0
    learner = made(seed)
    for _ in range(2):
        learner.learn([path(*each) for each in PATHS], 0.0)
    assert greedy_path(learner) == (1, 1)


@both
def test_what_is_learned_of_a_game_is_what_it_costs(made: Callable[..., QLearner]) -> None:
    # costs count above 1 a second; two of them pass before the end
    learner = made(horizon_s=1e9, updates=150)
    batch = batch_of([path(*each) for each in PATHS])
    for _ in range(2):
        learner.learn([path(*each) for each in PATHS], 0.0)
    view = learner.online.view(batch)
    last = torch.tensor([1, 3, 5, 7])
    found = learner.online.of(view, last, batch.taken[last])
    assert found.tolist() == pytest.approx((-batch.cost[1::2]).tolist(), abs=0.3)
    first = torch.tensor([0, 4])
    best = [max(-batch.cost[k : k + 2].sum() for k in ways) for ways in ((0, 2), (4, 6))]
    assert learner.online.of(view, first, batch.taken[first]).tolist() == pytest.approx(best, abs=0.6)


@both
def test_the_target_follows_after_so_many_steps_and_not_before(made: Callable[..., QLearner]) -> None:
    learner = made(updates=1, target_every=3)
    targets = []
    for _ in range(4):
        learner.learn([path(0, 1), path(1, 1)], 0.0)
        targets.append(copy.deepcopy(learner.target.state_dict()))
    assert equal(targets[0], targets[1])
    assert equal(targets[1], targets[2])
    assert not equal(targets[2], targets[3])


@both
def test_it_begins_as_the_rule_and_explores_less_and_less(made: Callable[..., QLearner]) -> None:
    learner = made(kappa=1.5, epsilon=0.4, least_epsilon=0.1, exploring=0.5)
    heads = learner.heads()
    assert (heads.kappa, heads.order) == (1.5, None)
    assert heads.position is not None
    assert heads.position(np.random.default_rng(1).normal(size=(4, heads.position.inputs))).tolist() == [0.0] * 4
    assert [learner.behaviour(progress).epsilon for progress in (0.0, 0.25, 0.5, 1.0)] == pytest.approx(
        [0.4, 0.25, 0.1, 0.1]
    )


@both
def test_it_goes_on_from_its_state_bit_for_bit(made: Callable[..., QLearner]) -> None:
    batches = [[path(0, 1), path(1, 0)], [path(1, 1), path(0, 0)], [path(1, 1)]]
    straight, stopped, resumed = (made(seed, replay=2, updates=8) for seed in (1, 1, 99))
    for each in (straight, stopped):
        each.learn(batches[0], 0.0)
        each.learn(batches[1], 0.1)
    resumed.restore(copy.deepcopy(stopped.state()))
    assert straight.learn(batches[2], 0.2) == resumed.learn(batches[2], 0.2)
    assert equal(straight.online.state_dict(), resumed.online.state_dict())
    assert not equal(straight.online.state_dict(), stopped.online.state_dict())


@both
def test_on_episodes_of_a_plant_everything_stays_finite(made: Callable[..., QLearner]) -> None:
    learner = made(kappa=1.0, updates=20)
    for number in range(2):
        episodes = [play(busy(f"seed={seed}"), learner.behaviour(0.0)) for seed in (2 * number, 2 * number + 1)]
        assert {*np.concatenate([each.sizes for each in episodes])} >= {2, 3}
        assert all(math.isfinite(value) for value in learner.learn(episodes, 0.5 * number).values())


def test_a_learning_rate_of_nothing_more_leaves_the_policy_nearly_as_it_is() -> None:
    fast, slow = LEARNERS[0](), LEARNERS[0]()
    before = copy.deepcopy(fast.online.state_dict()["scorer.layers.1.weight"])
    moved = []
    for learner, progress in ((fast, 0.0), (slow, 1.0)):
        learner.learn([path(*each) for each in PATHS], progress)
        moved.append(float((learner.online.state_dict()["scorer.layers.1.weight"] - before).abs().mean()))
    assert moved[1] < 0.2 * moved[0]
