"""The tilted policy: what acts is what its formula says, and the chance noted is that of what acts."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from simoffload.agents.learning.batch import batch_of
from simoffload.agents.learning.counts import ACTIONS, KEYS, Counts
from simoffload.agents.learning.networks import log_mixture_by
from simoffload.agents.learning.rollout import ORDER, POSITION, Episode, play
from simoffload.agents.learning.tilt import drawn
from simoffload.agents.learning.validation import measure
from simoffload.agents.scoring import NEVER, Heads, ScoringAgent, chances
from tests.agents.learning.episodes import busy, exploring, heads, softened_rule


def some_counts() -> Counts:
    return Counts(np.random.default_rng(3).integers(0, 30, (KEYS, ACTIONS)).astype(float))


def same(one: Episode, other: Episode) -> bool:
    """Bit for bit."""
    pairs = [(getattr(one, each.name), getattr(other, each.name)) for each in fields(Episode)]
    rows = [(one.rows[kind], other.rows[kind]) for kind in (POSITION, ORDER)]
    return all(
        np.asarray(a).tobytes() == np.asarray(b).tobytes() for a, b in [*pairs, *rows] if not isinstance(a, dict)
    )


@pytest.mark.parametrize(("c", "epsilon"), [(0.0, 0.0), (2.0, 0.0), (0.0, 0.3), (2.0, 0.3)])
def test_the_logged_chance_is_that_of_the_tilted_policy_with_its_floor(c: float, epsilon: float) -> None:
    policy = heads(kappa=1.0)
    episode = play(busy(), exploring(policy, c, some_counts(), epsilon=epsilon))
    batch = batch_of([episode])
    logits = batch.score.clone()
    for kind, network in ((POSITION, policy.position), (ORDER, policy.order)):
        rows = batch.kinds[kind]
        logits[rows.place] += torch.from_numpy(network(rows.features.numpy().astype(float))).float()  # type: ignore[misc]
    found = log_mixture_by(logits, batch.decision, batch.decisions, epsilon)[batch.taken]
    torch.testing.assert_close(found, torch.from_numpy(episode.log_chance), rtol=1e-4, atol=1e-4)


def test_the_score_is_the_rule_and_the_bonus_at_the_frozen_counts() -> None:
    counts, c = some_counts(), 1.5
    plain = play(busy(), exploring(softened_rule(kappa=0.0, kappa_order=0.0), c, counts))
    ends = np.cumsum(plain.sizes)
    for number, (end, size) in enumerate(zip(ends, plain.sizes, strict=True)):
        kinds = np.array([plain.action_kind[number]])
        expected = counts.bonus(int(plain.key[number]), kinds, c)[0]
        assert plain.score[end - size + plain.action[number]] == pytest.approx(expected, rel=1e-6)


def test_c_0_is_the_very_same_episode_as_no_bonus() -> None:
    counts = some_counts()
    tilted = play(busy(), exploring(heads(), 0.0, counts))
    assert same(tilted, play(busy(), exploring(heads(), 7.0, counts, selection="none")))
    assert not same(tilted, play(busy(), exploring(heads(), 7.0, counts)))


def test_actions_are_drawn_with_their_chances() -> None:
    share, generator = np.array([0.1, 0.2, 0.7]), np.random.default_rng(1)
    found = np.bincount([drawn(share, generator) for _ in range(4000)], minlength=3)
    chi_square = ((found - 4000 * share) ** 2 / (4000 * share)).sum()
    assert chi_square < 13.8  # 0.1 % of a chi-square of 2 degrees


def test_a_row_that_is_never_taken_is_not_drawn_where_chances_fall_short_of_one_by_rounding() -> None:
    class Last:
        def random(self) -> float:
            return 1.0 - 2.0**-53

    share = np.array([0.1] * 10 + [0.0])
    assert sum(share.tolist()) < 1.0
    assert drawn(share, Last()) == 9  # type: ignore[arg-type]


def test_a_row_that_is_never_taken_is_not_drawn_in_100_000_draws() -> None:
    share, generator = chances(np.array([NEVER, 0.0, NEVER, 1.0, NEVER])), np.random.default_rng(1)
    found = np.bincount([drawn(share, generator) for _ in range(100_000)], minlength=5)
    assert found[[0, 2, 4]].tolist() == [0, 0, 0]
    assert found[1] == pytest.approx(100_000 / (1 + np.e), rel=0.02)
    assert found.sum() == 100_000


@pytest.mark.parametrize(("c", "epsilon"), [(0.0, 0.3), (2.0, 0.3), (0.0, 1.0), (5.0, 0.0)])
def test_where_positions_are_the_rules_its_own_is_always_taken_whatever_explores(c: float, epsilon: float) -> None:
    policy = Heads(None, heads(kappa_order=0.5).order, 4.0, 0.5)
    episode = play(busy(), exploring(policy, c, some_counts(), epsilon=epsilon))
    batch, positions = batch_of([episode]), episode.kind == POSITION
    assert (episode.sizes[positions] > 1).any()
    assert episode.log_chance[positions] == pytest.approx(0.0, abs=1e-6)
    assert (batch.score[batch.taken].numpy()[positions] > NEVER / 2).all()
    logits, orders = batch.score.clone(), batch.kinds[ORDER]
    logits[orders.place] += torch.from_numpy(policy.order(orders.features.numpy().astype(float))).float()  # type: ignore[misc]
    found = log_mixture_by(logits, batch.decision, batch.decisions, epsilon)
    torch.testing.assert_close(found[batch.taken], torch.from_numpy(episode.log_chance), rtol=1e-4, atol=1e-4)
    masked = batch.score < NEVER / 2
    assert masked.any()
    assert found[masked].exp().max() == 0.0


def test_argmax_takes_the_largest_sum_and_a_floor_of_1_is_the_uniform_policy() -> None:
    policy = heads(kappa=1.0, orders=False)
    greedy = play(busy(), exploring(policy, selection="argmax"))
    assert greedy.objective == pytest.approx(measure(busy(), ScoringAgent(policy)), rel=1e-12)
    uniform = play(busy(), exploring(policy, epsilon=1.0))
    assert uniform.log_chance == pytest.approx(-np.log(uniform.sizes), abs=1e-6)
    assert len(set(uniform.action_kind)) == ACTIONS
