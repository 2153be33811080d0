"""Episodes as tensors: every row finds its decision, every decision its action, every cost its time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from simoffload.agents.learning.batch import batch_of
from simoffload.agents.learning.rollout import ORDER, POSITION, play
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS
from tests.agents.learning.episodes import busy, by_hand, exploring, heads, signs


def test_two_episodes_by_hand() -> None:
    first = by_hand([signs([1.0], [2.0]), signs([3.0])], [1, 0], [5.0, 3.0])
    second = by_hand([signs([4.0], [5.0], [6.0])], [2], [4.0])
    batch = batch_of([first, second])
    assert batch.decisions == 3
    assert batch.decision.tolist() == [0, 0, 1, 2, 2, 2]
    assert batch.taken.tolist() == [1, 2, 5]
    assert batch.last.tolist() == [False, True, True]
    assert batch.cost.tolist() == [1.0, -1.0, 0.0]  # above 12 over three seconds
    assert batch.kinds[POSITION].features[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert list(batch.kinds) == [POSITION]


def test_costs_count_above_the_mean_rate_of_the_batch() -> None:
    episodes = [play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)]
    batch = batch_of(episodes)
    cost, time_s = (np.concatenate([getattr(each, name) for each in episodes]) for name in ("cost", "arriving_s"))
    rate = cost.sum() / time_s.sum()
    assert batch.cost == pytest.approx(cost - rate * time_s, abs=1e-12)
    assert batch.cost.sum() == pytest.approx(0.0, abs=1e-9)


def test_it_does_not_pay_to_be_slow_once_nobody_comes_any_more() -> None:
    decisions = [signs([1.0]), signs([2.0]), signs([3.0])], [0, 0, 0], [3.0, 1.0, 2.0]
    swift = by_hand(*decisions, arriving_s=[1.0, 1.0, 0.0])
    slow = replace(swift, duration_s=np.array([1.0, 1.0, 50.0]))
    assert batch_of([slow]).cost.tolist() == batch_of([swift]).cost.tolist() == [0.0, -2.0, 2.0]


def test_rows_of_both_kinds_find_their_way_back() -> None:
    episodes = [play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)]
    batch = batch_of(episodes)
    kind = np.concatenate([each.kind for each in episodes])
    places = torch.cat([batch.kinds[which].place for which in (POSITION, ORDER)])
    assert sorted(places.tolist()) == list(range(len(batch.decision)))
    for which, columns in ((POSITION, POSITION_COLUMNS), (ORDER, ORDER_COLUMNS)):
        rows = batch.kinds[which]
        assert rows.features.shape[1] == len(columns)
        assert batch.decision[rows.place].tolist() == rows.decision.tolist()
        assert (kind[rows.decision.numpy()] == which).all()
        assert np.array_equal(rows.features.numpy(), np.concatenate([each.rows[which] for each in episodes]))
    sizes = np.concatenate([each.sizes for each in episodes])
    action = np.concatenate([each.action for each in episodes])
    first_row = np.searchsorted(batch.decision.numpy(), np.arange(batch.decisions))
    assert batch.taken.tolist() == (first_row + action).tolist()
    assert np.bincount(batch.decision.numpy()).tolist() == sizes.tolist()


def test_the_critic_sees_features_and_fresh_columns_and_the_state_of_the_decision() -> None:
    episode = play(busy(), exploring(heads()))
    batch = batch_of([episode])
    for which, columns in ((POSITION, POSITION_COLUMNS), (ORDER, ORDER_COLUMNS)):
        rows = batch.kinds[which]
        features, fresh, state = torch.split(rows.critic, [len(columns), FRESH_COLUMNS, STATE_COLUMNS], dim=1)
        assert torch.equal(features, rows.features)
        assert np.array_equal(state.numpy(), episode.state[rows.decision.numpy()])
        assert np.array_equal(fresh.numpy(), episode.fresh if which == POSITION else np.zeros_like(fresh.numpy()))


def test_the_rows_of_some_decisions_come_one_decision_after_the_other() -> None:
    batch = batch_of([by_hand([signs([1.0], [2.0]), signs([3.0]), signs([4.0], [5.0], [6.0])], [1, 0, 2], [0.0] * 3)])
    rows, place = batch.rows_of(torch.tensor([2, 0, 2]))
    assert rows.tolist() == [3, 4, 5, 0, 1, 3, 4, 5]
    assert place.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    rows, place = batch.rows_of(torch.tensor([], dtype=torch.int64))
    assert (rows.tolist(), place.tolist()) == ([], [])


def test_homes_times_and_states_stand_by_their_decisions() -> None:
    episodes = [play(busy(f"seed={seed}"), exploring(heads())) for seed in (1, 2)]
    batch = batch_of(episodes)
    for name in ("home", "duration_s"):
        assert np.array_equal(getattr(batch, name), np.concatenate([getattr(each, name) for each in episodes]))
    assert np.array_equal(batch.state.numpy(), np.concatenate([each.state for each in episodes]))
    assert batch.first.tolist() == [0, *np.cumsum(np.concatenate([each.sizes for each in episodes]))]
