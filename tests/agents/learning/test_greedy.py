"""Acting greedily but for a chance: what is done, how often, and the chance noted for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simoffload.agents.learning.greedy import EpsilonGreedy, falling
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.validation import measure
from simoffload.agents.scoring import Heads, ScoringAgent
from simoffload.decision.features import POSITION_COLUMNS
from tests.agents.learning.episodes import busy, heads


def test_without_a_chance_of_another_it_plays_as_the_policy_does() -> None:
    policy = heads(kappa=1.0, orders=False)
    episode = play(busy(), EpsilonGreedy(policy, 0.0))
    assert episode.objective == pytest.approx(measure(busy(), ScoringAgent(policy)), rel=1e-12)
    assert (episode.log_chance == 0).all()


def test_the_score_noted_is_the_rules_part() -> None:
    policy = heads(kappa=2.0, orders=False)
    episode = play(busy(), EpsilonGreedy(policy, 0.5))
    gap = np.expm1(episode.rows[0][:, POSITION_COLUMNS.index("finish_gap")])
    assert episode.score == pytest.approx(-2.0 * gap, rel=1e-4, abs=1e-5)


def test_every_row_is_taken_as_often_as_its_chance_says() -> None:
    seen: list[Any] = []

    class Looking(EpsilonGreedy):
        def choose(self, one: Any, generator: np.random.Generator) -> Any:
            if len(one.candidates) == 3 and not seen:
                _, corrections, rule = self.heads.evaluate(one)
                best = int(np.argmax(corrections + rule))
                chosen = [super(Looking, self).choose(one, generator) for _ in range(3000)]
                seen.append((best, chosen))
            return super().choose(one, generator)

    play(busy(), Looking(heads(kappa=1.0, orders=False), 0.3))
    best, chosen = seen[0]
    found = np.bincount([each.action for each in chosen], minlength=3)
    share = np.full(3, 0.1)
    share[best] = 0.8
    assert ((found - 3000 * share) ** 2 / (3000 * share)).sum() < 13.8  # 0.1 % of a chi-square of 2 degrees
    assert {each.action: np.exp(each.log_chance) for each in chosen} == pytest.approx(dict(enumerate(share)))


def test_an_episode_depends_on_its_seed_alone() -> None:
    behaviour = EpsilonGreedy(heads(orders=False), 0.5)
    one, other = play(busy(), behaviour), play(busy(), behaviour)
    assert one.action.tolist() == other.action.tolist()
    assert one.cost.tobytes() == other.cost.tobytes()


@pytest.mark.parametrize(("progress", "expected"), [(0.0, 0.5), (0.25, 0.3), (0.5, 0.1), (0.9, 0.1)])
def test_the_chance_falls_evenly_and_stays(progress: float, expected: float) -> None:
    assert falling(0.5, 0.1, progress, 0.5) == pytest.approx(expected)


def test_who_never_explores_has_the_least_chance_from_the_start() -> None:
    assert falling(0.5, 0.1, 0.0, 0.0) == 0.1


def test_it_leaves_lines_as_they_are() -> None:
    policy = heads()
    assert EpsilonGreedy(Heads(policy.position, None, 1.0, 0.0), 0.1).order == "fifo"
