"""The learner: a baseline that favours nobody, the gradient of the expected cost, and what becomes of both."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from simoffload.agents.learning.batch import Batch, batch_of
from simoffload.agents.learning.coma import Coma, _scorer
from simoffload.agents.learning.counts import ACTIONS, CLOUD, OTHER_EDGE, OWN, Counts
from simoffload.agents.learning.networks import log_mixture_by
from simoffload.agents.learning.returns import advantages
from simoffload.agents.learning.rollout import ORDER, POSITION, Episode, play
from simoffload.agents.learning.settings import ComaSettings
from simoffload.agents.scoring import Heads
from tests.agents.learning import games
from tests.agents.learning.episodes import busy, by_hand, exploring, heads, signs
from tests.agents.learning.games import COSTS, FIRST, PATHS, SECOND

SMALL = ComaSettings(orders=True, hidden=(5,), critic_hidden=(6,), largest_gradient=1e9)


def learner(seed: int = 1, **changes: Any) -> Coma:
    """A learner whose networks say something from the start."""
    made = Coma(replace(SMALL, **changes), seed)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for networks in (made.actors, made.critics):
            for scorer in networks.values():
                scorer.layers[-1].weight.normal_(0.0, 0.7, generator=generator)  # type: ignore[union-attr, operator]
    return made


def log_mu(made: Coma, batch: Batch, epsilon: float = 0.0) -> Tensor:
    return log_mixture_by(made._network(batch, None) + batch.score, batch.decision, batch.decisions, epsilon)


def as_logged(made: Coma, batch: Batch, epsilon: float = 0.0) -> Batch:
    """The batch as if the learner's policy, with this floor, had acted."""
    return replace(batch, log_chance=log_mu(made, batch, epsilon)[batch.taken].detach())


def gradient(made: Coma) -> Tensor:
    return torch.cat([each.grad.flatten() for each in made.actors.parameters() if each.grad is not None])


def cosine(one: Tensor, other: Tensor) -> float:
    return float(torch.nn.functional.cosine_similarity(one, other, dim=0))


def weights(made: Coma) -> list[Tensor]:
    return [each.detach().clone() for each in (*made.actors.parameters(), *made.critics.parameters())]


# ----------------------------------------------------------------------------------------------------- the baseline


@settings(max_examples=10)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=6), seed=st.integers(0, 10_000))
def test_the_counterfactual_advantage_has_mean_0_under_the_policy(sizes: list[int], seed: int) -> None:
    generator, made = np.random.default_rng(seed), learner(seed)
    rows = [generator.normal(size=(size, signs([0]).shape[1])) for size in sizes]
    score = [generator.normal(size=size) * 2 for size in sizes]
    batch = batch_of([by_hand(rows, [0] * len(sizes), [1.0] * len(sizes), score=score)])
    _, baseline, _ = made._advantages(batch, made._chances(batch, 0.0))
    mu = log_mu(made, batch).exp().detach()
    worth = _scorer(made.critics, POSITION)(batch.kinds[POSITION].critic).detach()
    mean = torch.zeros(len(sizes)).index_add(
        0, batch.decision, mu * (worth - torch.from_numpy(baseline)[batch.decision]).float()
    )
    assert mean.tolist() == pytest.approx([0.0] * len(sizes), abs=1e-5)


def test_the_baseline_is_the_tilted_policys_own_mean_of_the_critic() -> None:
    # two candidates that the critic finds worth q and 0; a score of log 3 makes the first three times as likely
    made = learner()
    with torch.no_grad():
        for each in made.actors.parameters():
            each.zero_()
    for score, share in (([0.0, 0.0], 0.5), (np.log([3.0, 1.0]), 0.75)):
        batch = batch_of([by_hand([signs([1.0], [0.0])], [0], [0.0], score=[np.array(score)])])
        q = _scorer(made.critics, POSITION)(batch.kinds[POSITION].critic).detach().numpy()
        assert abs(q[0] - q[1]) > 1e-3
        assert made._advantages(batch, made._chances(batch, 0.0))[1] == pytest.approx(
            [share * q[0] + (1 - share) * q[1]], rel=1e-5
        )


def test_advantages_come_from_the_costs_and_the_baseline_of_the_batch() -> None:
    made = learner()
    batch = batch_of([play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)])
    found, baseline, _ = made._advantages(batch, made._chances(batch, 0.0))
    assert found == pytest.approx(advantages(-batch.cost, baseline, batch.last, 0.98), abs=1e-9)
    assert np.abs(baseline).max() > 0.1


def test_with_a_horizon_what_follows_counts_by_the_time_until_then() -> None:
    made = learner(horizon_s=20.0)
    batch = batch_of([play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)])
    found, baseline, _ = made._advantages(batch, made._chances(batch, 0.0))
    left = np.exp(-batch.duration_s / 20.0)
    assert found == pytest.approx(advantages(-batch.cost, baseline, batch.last, 0.98, left), abs=1e-9)
    assert np.abs(found - advantages(-batch.cost, baseline, batch.last, 0.98)).max() > 0.01


def test_of_two_homes_that_act_at_once_the_baseline_takes_the_mean_over_its_own_actions_alone() -> None:
    # a matrix game, one move after the other in the same instant: Q(u1) = 1, 3 before anybody has moved; after
    # u1 = 0 it is 2, 6 for the second, after u1 = 1 it is 4, 8; both policies say 1/4, 3/4
    game = {0: [2.0, 6.0], 1: [4.0, 8.0]}
    made, chances = learner(trace=0.0), np.log([1.0, 3.0])
    for first, worth_then in game.items():
        rows = [signs([1.0], [3.0]), signs([worth_then[0]], [worth_then[1]])]
        batch = batch_of([by_hand(rows, [first, 1], [0.0, 0.0], score=[chances, chances], home=[0, 1])])
        replaced = copy.deepcopy(made)
        replaced.actors[str(POSITION)].forward = lambda features: torch.zeros(len(features))  # type: ignore[union-attr, method-assign]
        replaced.critics[str(POSITION)].forward = lambda seen: seen[:, 0]  # type: ignore[union-attr, method-assign]
        found, baseline, worth = replaced._advantages(batch, replaced._chances(batch, 0.0))
        assert worth.tolist() == [1.0, 3.0, *worth_then]
        own_mean = 0.25 * worth_then[0] + 0.75 * worth_then[1]
        assert baseline == pytest.approx([0.25 * 1.0 + 0.75 * 3.0, own_mean], rel=1e-6)
        assert found == pytest.approx([own_mean - 2.5, 0.0 - own_mean], rel=1e-6)


def test_a_row_that_is_never_taken_has_no_chance_and_moves_no_network() -> None:
    made, twin = learner(3, orders=False), learner(3, orders=False)
    rule = [np.array([0.0, -1e9]), np.array([0.0, -0.5])]
    for each, score in ((made, [*rule]), (twin, [rule[0][:1], rule[1]])):
        rows = [FIRST if len(score[0]) == 2 else FIRST[:1], SECOND]
        batch = as_logged(each, batch_of([by_hand(rows, [0, 1], [1.0, 2.0], score=score)]))
        each._improve_actor(batch, torch.tensor([1.0, -1.0]), None, 0.3, 0.0)
        if each is made:
            assert log_mu(learner(3, orders=False), batch).exp()[:2].tolist() == [1.0, 0.0]
    torch.testing.assert_close(gradient(made), gradient(twin), rtol=1e-5, atol=1e-7)


# ----------------------------------------------------------------------------------------------- the policy gradient

SCORE = [np.array([0.5, 0.0]), np.array([0.0, 0.3])]


def path(first: int, second: int) -> Episode:
    return games.path(first, second, score=SCORE)


def chances_of_paths(made: Coma) -> Tensor:
    batch = batch_of([path(*each) for each in PATHS])
    taken = log_mu(made, batch)[batch.taken]
    return (taken[0::2] + taken[1::2]).exp()


def exact_gradient(made: Coma) -> Tensor:
    """Of minus the expected cost of the game."""
    gain = -(chances_of_paths(made) * torch.tensor([COSTS[each] for each in PATHS])).sum()
    found = torch.autograd.grad(gain, list(made.actors.parameters()), allow_unused=True)
    return torch.cat([each.flatten() for each in found if each is not None])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_all_episodes_by_their_chances_the_step_is_the_exact_gradient(seed: int) -> None:
    made = learner(seed, orders=False, trace=1.0)
    share = chances_of_paths(made).detach()
    assert share.sum() == pytest.approx(1.0)
    batch = as_logged(made, batch_of([path(*each) for each in PATHS]))
    rest = np.array([[COSTS[each], COSTS[each] - each[0]] for each in PATHS]).ravel()
    _, baseline, _ = made._advantages(batch, made._chances(batch, 0.0))
    weight = torch.from_numpy(-rest - baseline).float() * share.repeat_interleave(2)
    exact = exact_gradient(made)
    made._improve_actor(batch, weight, None, 0.0, 0.0)
    # the loss is a mean over the eight decisions
    torch.testing.assert_close(-8 * gradient(made), exact, rtol=1e-3, atol=1e-5)


def test_over_sampled_episodes_the_step_is_the_exact_gradient_within_4_standard_errors() -> None:
    made = learner(4, orders=False, trace=1.0, minibatch=10**6)
    share = chances_of_paths(made).detach()

    def step(episodes: Sequence[tuple[int, int]]) -> Tensor:
        batch = as_logged(made, batch_of([path(*each) for each in episodes]))
        rest = np.array([[COSTS[each], COSTS[each] - each[0]] for each in episodes]).ravel()
        _, baseline, _ = made._advantages(batch, made._chances(batch, 0.0))
        twin = copy.deepcopy(made)
        twin._improve_actor(batch, torch.from_numpy(-rest - baseline).float(), None, 0.0, 0.0)
        return -2 * gradient(twin)  # the loss is a mean over decisions, two to an episode

    exact, each = exact_gradient(made), torch.stack([step([one]) for one in PATHS])
    count = 4000
    error = (share @ (each - exact).square() / count).sqrt()
    drawn = np.random.default_rng(1).choice(len(PATHS), count, p=share.numpy() / share.numpy().sum())
    found = step([PATHS[one] for one in drawn])
    assert error.norm() < 0.1 * exact.norm()
    assert ((found - exact).abs() <= 4 * error + 1e-4).all()


@pytest.mark.parametrize("kind", ["lambda", "robust", "plain"])
def test_over_sampled_episodes_the_step_points_along_the_exact_gradient(kind: str) -> None:
    # whatever the critic says
    made = learner(4, orders=False, trace=1.0, minibatch=10**6, advantage=kind)
    exact = exact_gradient(made)
    share = chances_of_paths(made).detach().numpy().astype(float)
    drawn = np.random.default_rng(1).choice(len(PATHS), 6000, p=share / share.sum())
    batch = as_logged(made, batch_of([path(*PATHS[each]) for each in drawn]))
    earned, of_all = made._earned(batch, made._chances(batch, 0.0))
    assert (of_all is not None) == (kind == "robust")
    made._improve_actor(batch, earned, of_all, 0.0, 0.0)
    assert cosine(-gradient(made), exact) > 0.99


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_argmax_shows_its_bias(seed: int) -> None:
    # it plays one path for ever, whatever chances the tilt gives the others: the mean step is far from the gradient
    made = learner(seed, orders=False, trace=1.0)
    exact = exact_gradient(made)
    whole = as_logged(made, batch_of([path(*each) for each in PATHS]))
    chances = log_mu(made, whole).detach()
    first = int(chances[:2].argmax())
    second = int(chances[8 * first + 2 :][:2].argmax())
    played = as_logged(made, batch_of([path(first, second)] * 100))
    rest = np.array([COSTS[first, second], COSTS[first, second] - first] * 100)
    _, baseline, _ = made._advantages(played, made._chances(played, 0.0))
    made._improve_actor(played, torch.from_numpy(-rest - baseline).float(), None, 0.0, 0.0)
    # the loss is a mean over decisions, two to an episode
    assert (-2 * gradient(made) - exact).norm() > 0.5 * exact.norm()


@pytest.mark.parametrize("epsilon", [0.1, 0.6])
def test_with_a_floor_the_step_is_the_exact_gradient_of_the_mixture_that_acts(epsilon: float) -> None:
    made = learner(2, orders=False, trace=1.0)
    batch = batch_of([path(*each) for each in PATHS])
    costs = torch.tensor([COSTS[each] for each in PATHS])

    def chances() -> Tensor:
        logits = made._network(batch, None) + batch.score
        log_mixture = log_mixture_by(logits, batch.decision, batch.decisions, epsilon)[batch.taken]
        return (log_mixture[0::2] + log_mixture[1::2]).exp()

    exact = torch.autograd.grad(-(chances() * costs).sum(), list(made.actors.parameters()))
    last = made.actors[str(POSITION)].layers[-1].weight  # type: ignore[union-attr, index]
    for unit in range(5):
        with torch.no_grad():
            values = []
            for step in (1e-2, -2e-2):
                last[0, unit] += step
                values.append(-float((chances() * costs).sum()))
            last[0, unit] += 1e-2
        assert float(exact[2][0, unit]) == pytest.approx((values[0] - values[1]) / 2e-2, abs=2e-3)
    logits = made._network(batch, None) + batch.score
    logged = log_mixture_by(logits, batch.decision, batch.decisions, epsilon)[batch.taken].detach()
    batch = replace(batch, log_chance=logged)
    rest = np.array([[COSTS[each], COSTS[each] - each[0]] for each in PATHS]).ravel()
    _, baseline, _ = made._advantages(batch, made._chances(batch, epsilon))
    weight = torch.from_numpy(-rest - baseline).float() * chances().detach().repeat_interleave(2)
    made._improve_actor(batch, weight, None, 0.0, epsilon)
    flat = torch.cat([each.flatten() for each in exact])
    torch.testing.assert_close(-8 * gradient(made), flat, rtol=1e-3, atol=1e-5)


def test_each_way_to_explore_leaves_the_others_alone() -> None:
    for exploration, c, epsilon in (("ucb", 1.0, 0.0), ("epsilon", 0.0, 0.2), ("entropy", 0.0, 0.0)):
        made = Coma(replace(SMALL, exploration=exploration, exploring=0.5), 1)
        behaviours = [made.behaviour(progress) for progress in (0.0, 0.25, 0.5, 0.9)]
        assert [each.c for each in behaviours] == [c, c / 2, 0.0, 0.0]
        assert [each.epsilon for each in behaviours] == [epsilon, epsilon / 2, 0.0, 0.0]
        at_once = Coma(replace(SMALL, exploration=exploration, exploring=0.0), 1).behaviour(0.0)
        assert (at_once.c, at_once.epsilon) == (0.0, 0.0)


def test_what_an_action_earns_in_the_form_of_the_paper_is_what_the_critic_finds_it_worth_above_the_baseline() -> None:
    made = learner(4, orders=False, advantage="coma")
    batch = as_logged(made, batch_of([path(*each) for each in PATHS]))
    _, baseline, worth = made._advantages(batch, made._chances(batch, 0.0))
    earned, of_all = made._earned(batch, made._chances(batch, 0.0))
    above = worth[batch.taken.numpy()] - baseline
    assert of_all is None
    assert earned.numpy() == pytest.approx((above - above.mean()) / above.std(), abs=1e-5)


def test_who_learns_orders_alone_places_by_the_rule_and_moves_no_other_network() -> None:
    made = learner(4, orders=True, positions=False)
    assert made.heads().position is None
    batch = batch_of([play(busy(f"seed={seed}"), made.behaviour(0.0)) for seed in (1, 2)])
    assert set(batch.kinds) == {POSITION, ORDER}
    told = made.improve(batch, 0.01)
    assert all(np.isfinite(value) for value in told.values())
    assert list(made.actors) == [str(ORDER)]
    assert batch.log_chance[[int(d) for d in batch.decision[batch.kinds[POSITION].place]]].abs().max() == 0.0


def test_without_the_residual_the_policy_begins_even_handed() -> None:
    made = Coma(replace(SMALL, residual=False, exploration="entropy"), 1)
    behaviour = made.behaviour(0.0)
    assert (behaviour.heads.kappa, behaviour.heads.kappa_order) == (0.0, 0.0)
    episode = play(busy(), behaviour)
    assert episode.log_chance == pytest.approx(-np.log(episode.sizes), abs=1e-6)


def test_entropy_is_that_of_the_policy_and_more_weight_on_it_evens_chances_out() -> None:
    made = learner(5, orders=False, actor_rate=0.05)
    batch = as_logged(made, batch_of([path(*each) for each in PATHS]))
    before = log_mu(made, batch).detach()
    spread = -(before.exp() * before).sum() / batch.decisions
    nothing = torch.zeros(batch.decisions)
    entropy, moved = made._improve_actor(batch, nothing, None, 1.0, 0.0)
    assert (entropy, moved) == (pytest.approx(float(spread), rel=1e-5), pytest.approx(0.0, abs=1e-6))
    assert made._improve_actor(batch, nothing, None, 1.0, 0.0)[0] > entropy


def test_a_chance_that_has_changed_by_more_than_the_clip_earns_nothing_more() -> None:
    made = learner(6, orders=False)
    batch = as_logged(made, batch_of([by_hand([FIRST], [0], [1.0])]))
    for shift, weight, earns in ((-0.5, 1.0, False), (-0.5, -1.0, True), (0.5, 1.0, True), (0.5, -1.0, False)):
        twin = copy.deepcopy(made)
        moved = replace(batch, log_chance=batch.log_chance + shift)
        twin._improve_actor(moved, torch.tensor([weight]), None, 0.0, 0.0)
        assert bool(gradient(twin).abs().sum() > 0) == earns


def test_minibatches_hold_every_decision_once() -> None:
    made = learner(7, minibatch=10)
    parts = made._minibatches(37)
    assert sorted(torch.cat(parts).tolist()) == list(range(37))
    assert len(parts) == 3
    assert [part.tolist() for part in parts] != [part.tolist() for part in made._minibatches(37)]


def test_a_step_on_part_of_the_decisions_is_a_step_on_a_batch_of_them() -> None:
    episodes = [path(*each) for each in PATHS]
    part, alone = learner(8, orders=False), learner(8, orders=False)
    whole = as_logged(part, batch_of(episodes))
    weight = torch.arange(8.0) - 3.0
    chosen = torch.tensor([2, 3, 6, 7])
    part._minibatches = lambda decisions: [chosen]  # type: ignore[method-assign]
    part._improve_actor(whole, weight, None, 0.3, 0.0)
    alone._improve_actor(as_logged(alone, batch_of([episodes[1], episodes[3]])), weight[chosen], None, 0.3, 0.0)
    torch.testing.assert_close(gradient(part), gradient(alone), rtol=1e-4, atol=1e-6)


# ---------------------------------------------------------------------------------------------------------- learning


def test_the_critic_learns_the_lambda_returns_of_both_kinds() -> None:
    made = learner(9, critic_rate=0.01)
    batch = batch_of([play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)])
    assert set(batch.kinds) == {POSITION, ORDER}
    target = torch.linspace(-1.0, 1.0, batch.decisions)
    errors = [made._fit_critic(batch, target) for _ in range(80)]
    assert errors[-1] < 0.25 * errors[0]


def test_a_policy_of_two_moves_learns_the_best_path() -> None:
    made = Coma(replace(SMALL, orders=False, actor_rate=0.02, critic_rate=0.02, first_critic_epochs=10), 1)
    generator = np.random.default_rng(1)
    for _ in range(25):
        share = chances_of_paths(made).detach().numpy().astype(float)
        drawn = generator.choice(len(PATHS), 24, p=share / share.sum())
        made.improve(as_logged(made, batch_of([path(*PATHS[each]) for each in drawn])), 0.0)
    assert PATHS[int(chances_of_paths(made).argmax())] == (1, 1)
    assert chances_of_paths(made).max() > 0.8


def test_a_rare_good_arm_is_learned_sooner_with_the_bonus() -> None:
    assert mean_batches_to_learn(range(4), c=2.0) < mean_batches_to_learn(range(4))


@pytest.mark.parametrize(("others", "is_sooner"), [(1, False), (7, False), (12, True), (40, True)])
def test_and_sooner_than_with_the_floor_where_nodes_are_many_but_not_where_they_are_few(
    others: int, is_sooner: bool
) -> None:
    """At the strength that the schemes have: a floor is shared by all rows, a bonus is per kind."""
    bonus = mean_batches_to_learn(range(8), c=ComaSettings().c, others=others)
    floor = mean_batches_to_learn(range(8), epsilon=ComaSettings().epsilon, others=others)
    assert (bonus < floor) == is_sooner


def mean_batches_to_learn(seeds: range, **game: Any) -> float:
    return float(np.mean([batches_to_learn(seed, **game) for seed in seeds]))


def batches_to_learn(seed: int, *, c: float = 0.0, epsilon: float = 0.0, others: int = 1, most: int = 25) -> int:
    """Batches of 12 single decisions until the cloud, free and at 1 % at first, is the likeliest of all nodes."""
    made = Coma(replace(SMALL, orders=False, actor_rate=0.03, critic_rate=0.03, first_critic_epochs=6), seed)
    generator, counts = np.random.default_rng(seed), Counts()
    kinds = np.array([OWN, *[OTHER_EDGE] * others, CLOUD])
    rows, rule = signs(*np.eye(ACTIONS)[kinds]), np.array([3.0, *[2.5] * others])
    rule = np.append(rule, np.log(np.exp(rule).sum() / 90))
    for number in range(most):
        left = 1 - number / most
        score = rule + counts.bonus(0, kinds, c * left)
        plain, tilted = (batch_of([by_hand([rows], [0], [0.0], score=[each])]) for each in (rule, score))
        if int(log_mu(made, plain).argmax()) == len(kinds) - 1:
            return number
        share = log_mu(made, tilted, epsilon * left).exp().detach().numpy().astype(float)
        drawn = generator.choice(len(kinds), 12, p=share / share.sum())
        costs = [0.0 if kinds[each] == CLOUD else 1.0 for each in drawn]
        episodes = [by_hand([rows], [each], [cost], score=[score]) for each, cost in zip(drawn, costs, strict=True)]
        made.improve(as_logged(made, batch_of(episodes), epsilon * left), 0.0, epsilon * left)
        counts.add(np.zeros(12, dtype=np.int64), kinds[drawn], 0.9)
    return most


def test_the_first_batch_sets_the_standardisation_once_and_for_all() -> None:
    made = Coma(SMALL, 1)
    one, other = (batch_of([play(busy(f"seed={seed}"), exploring(heads()))]) for seed in (1, 2))
    made.improve(one, 0.0)
    actor = _scorer(made.actors, POSITION)
    mean = actor.mean.clone()
    torch.testing.assert_close(mean, one.kinds[POSITION].features.mean(0))
    made.improve(other, 0.0)
    assert torch.equal(actor.mean, mean)


@pytest.mark.parametrize("stops", [False, True])
def test_a_kind_of_decision_that_comes_late_is_standardised_when_it_first_comes(stops: bool) -> None:
    made = Coma(SMALL, 1)
    early = batch_of([play(busy(), exploring(heads(orders=False)))])
    first, then = (batch_of([play(busy(f"seed={seed}"), exploring(heads()))]) for seed in (2, 3))
    assert (set(early.kinds), set(first.kinds)) == ({POSITION}, {POSITION, ORDER})

    def means() -> list[Tensor]:
        networks = (made.actors, made.critics)
        return [_scorer(each, kind).mean.clone() for kind in (POSITION, ORDER) for each in networks]

    seen = []
    for batch in (early, first, then):
        made.improve(batch, 0.0)
        seen.append(means())
        if stops:
            state, made = copy.deepcopy(made.state()), Coma(SMALL, 99)
            made.restore(state)
    assert all(not mean.any() for mean in seen[0][2:])
    torch.testing.assert_close(seen[1][2], first.kinds[ORDER].features.mean(0))
    torch.testing.assert_close(seen[1][3], first.kinds[ORDER].critic.mean(0))
    assert all(map(torch.equal, seen[0][:2], seen[1][:2]))
    assert all(map(torch.equal, seen[1], seen[2]))


def test_a_batch_without_a_decision_that_is_learned_moves_the_critic_alone() -> None:
    made = Coma(replace(SMALL, positions=False), 1)
    without = batch_of([play(busy(), exploring(Heads(None, None, 4.0, 0.5)))])
    before, critics = weights(made), len(list(made.critics.parameters()))
    told = made.improve(without, 0.01)
    after = weights(made)
    assert set(without.kinds) == {POSITION}
    assert (told["entropy"], told["moved"]) == (0.0, 0.0)
    assert all(map(torch.equal, before[:-critics], after[:-critics]))
    assert not all(map(torch.equal, before[-critics:], after[-critics:]))
    with_orders = batch_of([play(busy("seed=2"), exploring(replace(made.heads(), orders_from=2)))])
    assert set(with_orders.kinds) == {POSITION, ORDER}
    made.improve(with_orders, 0.01)
    assert not all(map(torch.equal, after[:-critics], weights(made)[:-critics]))


def test_a_learner_begins_as_its_rule() -> None:
    made = Coma(SMALL, 3).heads()
    rows = np.random.default_rng(1).normal(size=(5, made.position.inputs))
    assert made.position(rows).tolist() == [0.0] * 5
    assert made.order is not None
    assert Coma(replace(SMALL, orders=False), 3).heads().order is None


def test_the_policy_that_acts_is_the_one_that_learns() -> None:
    made = learner(10)
    episode = play(busy(), exploring(made.heads(), 1.5, Counts(np.full((60, ACTIONS), 3.0))))
    batch = batch_of([episode])
    torch.testing.assert_close(log_mu(made, batch)[batch.taken].detach(), batch.log_chance, rtol=1e-4, atol=1e-4)


def test_a_learner_goes_on_from_its_state_bit_for_bit() -> None:
    one, other = (batch_of([play(busy(f"seed={seed}"), exploring(heads()))]) for seed in (1, 2))
    straight, stopped = Coma(SMALL, 1), Coma(SMALL, 1)
    for each in (straight, stopped):
        each.improve(one, 0.01)
    resumed = Coma(SMALL, 99)
    resumed.restore(copy.deepcopy(stopped.state()))
    assert straight.improve(other, 0.01) == resumed.improve(other, 0.01)
    assert all(torch.equal(a, b) for a, b in zip(weights(straight), weights(resumed), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(weights(straight), weights(stopped), strict=True))
