"""Episodes: what is noted is what happened, and chances, costs and shaping are what the formulas say."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from simoffload.agents.learning.batch import batch_of
from simoffload.agents.learning.counts import ACTIONS, KEYS, Counts
from simoffload.agents.learning.networks import log_softmax_by
from simoffload.agents.learning.rollout import ORDER, POSITION, Behaviour, Episode, Explorer, play
from simoffload.agents.learning.validation import measure
from simoffload.agents.scoring import Heads
from simoffload.decision import Decision
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.run.ledger import Ledger
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
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


def shifted(episode: Episode, raw: Any) -> float:
    """What shaping adds over an episode."""
    return float(episode.cost.sum() - raw)


def raw_total(behaviour: Behaviour, *settings: str) -> tuple[Episode, list[float], float]:
    """An episode, J at each decision and at the end, and the sum of the objectives of its tasks."""
    scenario = busy(*settings)
    explorer = Explorer(behaviour)
    recorder = Recorder(scenario.objective, len(scenario.edges) + len(scenario.clouds), 0.0, None, 0, lambda _: None)
    world = World(scenario, explorer, recorder)
    explorer.world, explorer.ledger = world, Ledger(world)
    costs: list[float] = []
    decide = explorer.decide
    explorer.decide = lambda seen: (costs.append(explorer.ledger.cost()), decide(seen))[1]  # type: ignore[method-assign, union-attr]
    world.begin()
    world.kernel.advance(float("inf"))
    return explorer.episode(), [*costs, explorer.ledger.cost()], recorder.objective.sum


# ---------------------------------------------------------------------------------------------------- what is noted


def test_an_episode_holds_a_row_for_every_candidate_of_every_decision() -> None:
    episode = play(busy(), exploring(heads()))
    positions, orders = (episode.kind == kind for kind in (POSITION, ORDER))
    count = len(episode.sizes)
    assert positions.sum() + orders.sum() == count
    assert orders.sum() > 5
    assert episode.rows[POSITION].shape == (episode.sizes[positions].sum(), len(POSITION_COLUMNS))
    assert episode.rows[ORDER].shape == (episode.sizes[orders].sum(), len(ORDER_COLUMNS))
    assert episode.fresh.shape == (episode.sizes[positions].sum(), FRESH_COLUMNS)
    assert episode.state.shape == (count, STATE_COLUMNS)
    assert episode.score.shape == (episode.sizes.sum(),)
    assert ((episode.action >= 0) & (episode.action < episode.sizes)).all()
    assert (episode.sizes[orders] >= 2).all()
    assert (episode.duration_s >= 0).all()
    for name in ("log_chance", "cost", "state", "score", "fresh"):
        assert np.isfinite(getattr(episode, name)).all(), name


def test_every_subtask_is_decided_once() -> None:
    episode = play(busy(), exploring(heads(orders=False)))
    placed: list[int] = []
    scenario = busy()
    world = World(scenario, _Recorded(placed), Recorder(scenario.objective, 3, 0.0, None, 0, lambda _: None))
    world.begin()
    world.kernel.advance(float("inf"))
    assert len(episode.sizes) == len(placed)


class _Recorded:
    """Takes the first candidate, counting."""

    order = "fifo"

    def __init__(self, placed: list[int]) -> None:
        self.placed = placed

    def reset(self, setting: Any, generator: np.random.Generator) -> None:
        """Nothing to remember."""

    def decide(self, seen: Any) -> Any:
        self.placed.append(seen.subtask)
        return Decision(0)


def test_the_same_seed_gives_the_same_episode_bit_for_bit_and_another_seed_another() -> None:
    behaviour = exploring(heads(), 1.0, some_counts())
    assert same(play(busy(), behaviour), play(busy(), behaviour))
    assert not same(play(busy(), behaviour), play(busy("seed=2"), behaviour))


# ------------------------------------------------------------------------------------------------------- chances


@pytest.mark.parametrize("c", [0.0, 2.0])
def test_the_logged_chance_is_that_of_the_tilted_policy(c: float) -> None:
    policy = heads(kappa=1.0)
    episode = play(busy(), exploring(policy, c, some_counts()))
    batch = batch_of([episode])
    logits = batch.score.clone()
    for kind, network in ((POSITION, policy.position), (ORDER, policy.order)):
        rows = batch.kinds[kind]
        logits[rows.place] += torch.from_numpy(network(rows.features.numpy().astype(float))).float()  # type: ignore[misc]
    found = log_softmax_by(logits, batch.decision, batch.decisions)[batch.taken]
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


def test_actions_are_drawn_with_the_chances_that_are_logged() -> None:
    # the mean of 1{a = taken} - mu(a) over draws of one decision, against its standard error
    share = np.array([0.1, 0.2, 0.7])
    explorer = Explorer(exploring(softened_rule()))
    explorer.reset(None, np.random.default_rng(1))  # type: ignore[arg-type]
    drawn = np.bincount([explorer._pick(share, np.log(share)) for _ in range(4000)], minlength=3)
    chi_square = ((drawn - 4000 * share) ** 2 / (4000 * share)).sum()
    assert chi_square < 13.8  # 0.1 % of a chi-square of 2 degrees


def test_a_chance_of_0_is_never_drawn() -> None:
    explorer = Explorer(exploring(softened_rule()))
    explorer.reset(None, np.random.default_rng(1))  # type: ignore[arg-type]
    share = np.array([0.0, 0.5, 0.0, 0.5, 0.0])
    assert {explorer._pick(share, share) for _ in range(2000)} == {1, 3}


def test_argmax_takes_the_largest_sum_and_epsilon_mixes_in_the_uniform() -> None:
    policy = heads(kappa=1.0, orders=False)
    greedy = play(busy(), exploring(policy, selection="argmax"))
    assert greedy.objective == pytest.approx(measure(busy(), policy), rel=1e-12)
    uniform = play(busy(), exploring(policy, epsilon=1.0))
    assert uniform.log_chance == pytest.approx(-np.log(uniform.sizes), abs=1e-6)


# --------------------------------------------------------------------------------------------------------- the cost


@pytest.mark.parametrize("policy", [heads(0, kappa=1.0), softened_rule(), heads(5, orders=False)])
def test_raw_increments_sum_to_the_objective_of_the_tasks(policy: Heads) -> None:
    episode, costs, objectives = raw_total(exploring(policy))
    assert costs[0] == 0.0
    assert (np.diff(costs) >= -1e-12).all()
    assert np.diff(costs).sum() == pytest.approx(objectives, abs=1e-9)
    assert episode.objective == pytest.approx(objectives / 12, abs=1e-9)


def test_what_shaping_adds_over_an_episode_depends_on_arrivals_alone() -> None:
    added = []
    for policy in (heads(0, kappa=0.0), softened_rule(orders=False, kappa=100.0), heads(5, kappa=1.0)):
        episode, _, objectives = raw_total(exploring(policy))
        added.append(shifted(episode, objectives))
    assert added == pytest.approx([added[0]] * 3, abs=1e-9)
    assert added[0] < -1.0
    episode, _, objectives = raw_total(exploring(heads()), "seed=2")
    assert shifted(episode, objectives) != pytest.approx(added[0], abs=1e-3)
