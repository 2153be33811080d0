"""LinUCB: the ridge solution, the bonus of its formula, frozen while a batch is played, and no bonus when it counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.learning.greedy import EpsilonGreedy
from simoffload.agents.learning.linucb import COLUMNS, LinUcb, Optimist
from simoffload.agents.learning.rollout import Episode, play
from simoffload.agents.learning.settings import LinUcbSettings
from simoffload.agents.learning.validation import measure
from simoffload.agents.scoring import ScoringAgent
from tests.agents.learning.episodes import busy, by_hand, exploring, softened_rule

PLAIN = LinUcbSettings(discount=1.0)


def random_episode(seed: int, count: int = 30) -> Episode:
    generator = np.random.default_rng(seed)
    sizes = generator.integers(1, 5, count)
    rows = [generator.normal(2.0, 3.0, (size, COLUMNS)) for size in sizes]
    score = [-generator.random(size) for size in sizes]
    action = [int(generator.integers(size)) for size in sizes]
    own = generator.normal(size=count).tolist()
    return by_hand(rows, action, [0.0] * count, score=score, own_cost=own)


def tried(episode: Episode) -> tuple[Any, Any]:
    """Rows taken, and what they cost beyond the rule's part."""
    rows = np.split(episode.rows[0], np.cumsum(episode.sizes)[:-1])
    score = np.split(episode.score, np.cumsum(episode.sizes)[:-1])
    taken = [part[action] for part, action in zip(rows, episode.action, strict=True)]
    rule = [float(part[action]) for part, action in zip(score, episode.action, strict=True)]
    return np.array(taken, dtype=float), episode.own_cost + rule


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), ridge=st.floats(0.1, 10), discount=st.floats(0, 1))
def test_coefficients_are_those_of_ridge_regression(seed: int, ridge: float, discount: float) -> None:
    learner = LinUcb(LinUcbSettings(ridge=ridge, discount=discount))
    batches = [[random_episode(seed), random_episode(seed + 1)], [random_episode(seed + 2)]]
    for batch in batches:
        learner.learn(batch, 0.0)
    first = np.concatenate([each.rows[0] for each in batches[0]]).astype(float)
    inputs, costs, weights = [], [], []
    for batch, weight in zip(batches, (discount, 1.0), strict=True):
        for episode in batch:
            rows, cost = tried(episode)
            inputs.append(np.column_stack([np.ones(len(rows)), (rows - first.mean(0)) / first.std(0)]))
            costs.append(cost)
            weights.append(np.full(len(cost), weight))
    root = np.sqrt(np.concatenate(weights))
    # ridge as least squares with one more observation of 0 for every coefficient
    size = 1 + COLUMNS
    left = np.vstack([np.concatenate(inputs) * root[:, None], np.sqrt(ridge) * np.eye(size)])
    right = np.concatenate([np.concatenate(costs) * root, np.zeros(size)])
    expected = np.linalg.lstsq(left, right, rcond=None)[0]
    assert learner.coefficients() == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_the_policy_is_the_fitted_cost_with_the_rules_part_and_no_bonus() -> None:
    learner = LinUcb(replace(PLAIN, kappa=0.7))
    episode = random_episode(1)
    learner.learn([episode], 0.0)
    heads = learner.heads()
    assert (heads.kappa, heads.order) == (0.7, None)
    rows = episode.rows[0].astype(float)
    inputs = np.column_stack([np.ones(len(rows)), (rows - rows.mean(0)) / rows.std(0)])
    assert heads.position is not None
    assert heads.position(rows) == pytest.approx(-(inputs @ learner.coefficients()), abs=1e-8)


@pytest.mark.parametrize("alpha", [0.0, 0.3, 5.0])
def test_while_it_learns_it_takes_the_least_cost_less_the_bonus(alpha: float) -> None:
    learner = LinUcb(replace(PLAIN, alpha=alpha))
    learner.learn([play(busy(f"seed={seed}"), exploring(softened_rule(orders=False))) for seed in (1, 2)], 0.0)
    behaviour = learner.behaviour(0.1)
    assert isinstance(behaviour, Optimist)
    episode = play(busy("seed=3"), behaviour)
    heads = learner.heads()
    assert heads.position is not None
    inverse = np.linalg.inv(learner._moments + PLAIN.ridge * np.eye(1 + COLUMNS))
    ends = np.cumsum(episode.sizes)
    for number, (end, size) in enumerate(zip(ends, episode.sizes, strict=True)):
        rows = episode.rows[0][end - size : end].astype(float)
        inputs = np.column_stack([np.ones(size), (rows - heads.position.mean) / heads.position.scale])
        bonus = [alpha * np.sqrt(row @ inverse @ row) for row in inputs]
        worth = heads.position(rows) + episode.score[end - size : end] + bonus
        assert worth[episode.action[number]] >= worth.max() - 1e-5
    if alpha == 0.0:
        assert episode.objective == pytest.approx(measure(busy("seed=3"), learner.agent()), rel=1e-12)


def test_the_bonus_shrinks_with_what_was_tried_but_not_while_a_batch_is_played() -> None:
    learner = LinUcb(PLAIN)
    episodes = [random_episode(seed, 200) for seed in range(3)]
    doubts = []
    for episode in episodes:
        learner.learn([episode], 0.0)
        behaviour = learner.behaviour(0.5)
        assert isinstance(behaviour, Optimist)
        doubts.append(behaviour.doubt)
        play(busy(), behaviour)
        again = learner.behaviour(0.5)
        assert isinstance(again, Optimist)
        assert np.array_equal(again.doubt, doubts[-1])
    direction = np.append(1.0, np.random.default_rng(1).normal(size=COLUMNS))
    found = [float(direction @ doubt @ direction) for doubt in doubts]
    assert found[0] > 1.5 * found[1] > 1.5 * found[2]


def test_the_first_batch_is_the_rules_with_random_places() -> None:
    behaviour = LinUcb(PLAIN).behaviour(0.0)
    assert isinstance(behaviour, EpsilonGreedy)
    assert behaviour.epsilon == 0.2
    episode = play(busy(), replace(behaviour, epsilon=0.0))
    assert episode.objective == pytest.approx(measure(busy(), "eft"), rel=1e-12)


def test_of_costs_that_are_linear_it_learns_to_take_the_least() -> None:
    generator = np.random.default_rng(1)
    truth = generator.normal(size=COLUMNS)
    learner = LinUcb(replace(PLAIN, ridge=1e-3))
    rows = [generator.normal(size=(3, COLUMNS)) for _ in range(400)]
    action = generator.integers(3, size=400)
    own = [float(part[each] @ truth + generator.normal(0, 0.1)) for part, each in zip(rows, action, strict=True)]
    learner.learn([by_hand(rows, action.tolist(), [0.0] * 400, own_cost=own)], 0.0)
    position = learner.heads().position
    assert position is not None
    fresh = [generator.normal(size=(3, COLUMNS)) for _ in range(200)]
    right = [int(np.argmax(position(part))) == int(np.argmin(part @ truth)) for part in fresh]
    assert np.mean(right) > 0.97


def test_it_minds_its_own_cost_not_the_plants() -> None:
    episode = random_episode(5)
    one, other = LinUcb(PLAIN), LinUcb(PLAIN)
    one.learn([episode], 0.0)
    other.learn([replace(episode, cost=episode.cost + 100.0)], 0.0)
    assert one.coefficients().tolist() == other.coefficients().tolist()


def test_it_goes_on_from_its_state_bit_for_bit() -> None:
    straight, resumed = LinUcb(LinUcbSettings()), LinUcb(LinUcbSettings())
    straight.learn([random_episode(1)], 0.0)
    resumed.restore(json.loads(json.dumps(straight.state())))
    assert straight.learn([random_episode(2)], 0.5) == resumed.learn([random_episode(2)], 0.5)
    assert straight.state() == resumed.state()
    assert isinstance(resumed.agent(), ScoringAgent)
