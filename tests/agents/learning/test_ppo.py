"""PPO by all homes: advantages along each home's own way, the exact gradient, and what either critic reads."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from simoffload.agents.learning.batch import Batch, batch_of
from simoffload.agents.learning.networks import log_softmax_by
from simoffload.agents.learning.ppo import COLUMNS, Ppo, central, ippo, local, mappo
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.settings import PpoSettings
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS
from tests.agents.learning.episodes import busy, by_hand, exploring, heads, signs
from tests.agents.learning.games import COSTS, PATHS, greedy_path, path
from tests.agents.learning.test_training import equal

SMALL = PpoSettings(hidden=(5,), critic_hidden=(6,), largest_gradient=1e9, kappa=0.0)
MADE: list[Callable[[PpoSettings, int], Ppo]] = [ippo, mappo]
both = pytest.mark.parametrize("made", MADE, ids=["ippo", "mappo"])


def talking(made: Callable[[PpoSettings, int], Ppo], seed: int = 1, **changes: Any) -> Ppo:
    """A learner whose networks say something from the start."""
    learner = made(replace(SMALL, **changes), seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for scorer in (learner.actor, learner.critic):
            scorer.layers[-1].weight.normal_(0.0, 0.7, generator=generator)  # type: ignore[union-attr, operator]
    return learner


def log_chances(learner: Ppo, batch: Batch) -> Tensor:
    """Of the actions taken."""
    logits = learner.actor(batch.kinds[0].features) + batch.score
    return log_softmax_by(logits, batch.decision, batch.decisions)[batch.taken]


def as_logged(learner: Ppo, batch: Batch) -> Batch:
    return replace(batch, log_chance=log_chances(learner, batch).detach())


# ------------------------------------------------------------------------------------------------------- advantages


@both
@settings(max_examples=15)
@given(
    homes=st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=3),
    trace=st.floats(0, 1),
    seed=st.integers(0, 100),
)
def test_advantages_go_along_each_homes_own_way(
    made: Callable[[PpoSettings, int], Ppo], homes: list[list[int]], trace: float, seed: int
) -> None:
    generator, learner = np.random.default_rng(seed), talking(made, seed, trace=trace)
    episodes = [
        by_hand(
            [generator.normal(size=(generator.integers(1, 4), COLUMNS)) for _ in own],
            [0] * len(own),
            generator.normal(size=len(own)).tolist(),
            home=own,
        )
        for own in homes
    ]
    batch = batch_of(episodes)
    found, value = learner.advantages(batch, learner._sees(batch))
    begin, expected = 0, []
    for own in homes:
        for step in range(len(own)):
            way = [k for k in range(step, len(own)) if own[k] == own[step]]
            total = 0.0
            for count, (here, there) in enumerate(itertools.pairwise([*way, None])):
                assert here is not None
                until = len(own) if there is None else there
                cost = batch.cost[begin + here : begin + until].sum()
                following = 0.0 if there is None else value[begin + there]
                total += trace**count * (-cost + following - value[begin + here])
            expected.append(total)
        begin += len(own)
    assert found == pytest.approx(expected, abs=1e-6)


# ----------------------------------------------------------------------------------------------------- the critics


def test_the_homes_critic_reads_nothing_but_the_homes_rows() -> None:
    episode = play(busy(), exploring(heads(orders=False)))
    other = replace(episode, fresh=episode.fresh + 1.0, state=episode.state + 1.0)
    assert torch.equal(local(batch_of([episode])), local(batch_of([other])))
    one, two = central(batch_of([episode])), central(batch_of([other]))
    fresh = [*range(COLUMNS, COLUMNS + FRESH_COLUMNS)]
    changed = {
        *fresh,
        *(COLUMNS + FRESH_COLUMNS + k for k in fresh),
        *range(one.shape[1] - STATE_COLUMNS, one.shape[1]),
    }
    moved = two - one
    assert {int(column) for column in torch.nonzero(moved.abs().sum(0) > 0)} == changed
    torch.testing.assert_close(moved[:, sorted(changed)], torch.ones(len(one), len(changed)), rtol=1e-4, atol=1e-4)


def test_what_the_critics_read_are_means_and_maxima_of_the_rows() -> None:
    rows = signs([1.0, -2.0], [3.0, -4.0])
    state = np.arange(STATE_COLUMNS, dtype=float)[None]
    batch = batch_of([by_hand([rows], [0], [0.0], state=state)])
    assert local(batch)[0, [0, 1, COLUMNS, COLUMNS + 1]].tolist() == [2.0, -3.0, 3.0, -2.0]
    assert central(batch)[0, -STATE_COLUMNS:].tolist() == state[0].tolist()


@both
def test_the_critic_learns_its_targets(made: Callable[[PpoSettings, int], Ppo]) -> None:
    learner = made(replace(SMALL, critic_rate=0.02), 1)
    batch = batch_of([play(busy(f"seed={seed}"), exploring(heads(orders=False))) for seed in (1, 2)])
    seen = learner._sees(batch)
    learner.critic.standardise(seen)
    target = torch.linspace(-1.0, 1.0, batch.decisions)
    errors = [learner._fit_critic(seen, target) for _ in range(120)]
    assert errors[-1] < 0.3 * errors[0]


# -------------------------------------------------------------------------------------------------------- the actor


@both
@pytest.mark.parametrize("seed", [1, 2])
def test_over_all_episodes_by_their_chances_the_step_is_the_exact_gradient(
    made: Callable[[PpoSettings, int], Ppo], seed: int
) -> None:
    learner = talking(made, seed, trace=1.0)
    batch = as_logged(learner, batch_of([path(*each) for each in PATHS]))
    chances = lambda: (lambda log: (log[0::2] + log[1::2]).exp())(log_chances(learner, batch))  # noqa: E731
    gain = -(chances() * torch.tensor([COSTS[each] for each in PATHS])).sum()
    exact = torch.cat([each.flatten() for each in torch.autograd.grad(gain, list(learner.actor.parameters()))])
    advantage, _ = learner.advantages(batch, learner._sees(batch))
    # with lambda 1 costs above a mean of 1 a second differ by what is the same for all
    weight = torch.from_numpy(advantage).float() * chances().detach().repeat_interleave(2)
    learner.improve_actor(batch, weight, 0.0)
    found = torch.cat([each.grad.flatten() for each in learner.actor.parameters() if each.grad is not None])
    torch.testing.assert_close(-8 * found, exact, rtol=1e-3, atol=1e-4)


@both
@pytest.mark.parametrize("homes", [(0, 0), (0, 1)])
def test_a_game_of_two_moves_is_learned_by_one_home_or_by_two(
    made: Callable[[PpoSettings, int], Ppo], homes: tuple[int, int]
) -> None:
    learner = made(replace(SMALL, actor_rate=0.03, critic_rate=0.03, first_critic_epochs=10, largest_gradient=1.0), 1)
    generator, everything = np.random.default_rng(1), batch_of([path(*each) for each in PATHS])
    for _ in range(20):
        log = log_chances(learner, everything).detach().numpy().astype(float)
        share = np.exp(log[0::2] + log[1::2])
        drawn = generator.choice(len(PATHS), 24, p=share / share.sum())
        batch = batch_of([path(*PATHS[each], homes=homes) for each in drawn])
        learner.improve(as_logged(learner, batch), 0.0)
    assert greedy_path(learner) == (1, 1)


@both
def test_the_policy_that_acts_is_the_one_that_learns(made: Callable[[PpoSettings, int], Ppo]) -> None:
    learner = talking(made, 3, kappa=4.0)
    batch = batch_of([play(busy(), learner.behaviour(0.0))])
    torch.testing.assert_close(log_chances(learner, batch).detach(), batch.log_chance, rtol=1e-4, atol=1e-4)


@both
def test_it_begins_as_the_softened_rule(made: Callable[[PpoSettings, int], Ppo]) -> None:
    policy = made(replace(SMALL, kappa=8.0), 1).heads()
    assert (policy.kappa, policy.order) == (8.0, None)
    assert policy.position is not None
    assert policy.position(np.ones((3, COLUMNS))).tolist() == [0.0] * 3


@both
def test_it_goes_on_from_its_state_bit_for_bit(made: Callable[[PpoSettings, int], Ppo]) -> None:
    episodes = [[play(busy(f"seed={seed}"), exploring(heads(orders=False)))] for seed in (1, 2)]
    straight, stopped, resumed = (made(SMALL, seed) for seed in (1, 1, 99))
    for each in (straight, stopped):
        each.learn(episodes[0], 0.0)
    resumed.restore(copy.deepcopy(stopped.state()))
    assert straight.learn(episodes[1], 0.5) == resumed.learn(episodes[1], 0.5)
    assert equal(straight.state(), resumed.state())
    assert not equal(straight.state(), stopped.state())
