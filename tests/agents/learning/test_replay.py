"""The replay keeps the latest batches, and comes back from its state as it was."""

from __future__ import annotations

import io

import pytest
import torch

from simoffload.agents.learning.replay import Replay
from simoffload.agents.learning.rollout import Episode, play
from tests.agents.learning.episodes import busy, by_hand, exploring, heads, signs
from tests.agents.learning.test_tilt import same


def episode(cost: float) -> Episode:
    return by_hand([signs([1.0], [2.0])], [0], [cost])


@pytest.mark.parametrize(("most", "kept"), [(1, [4.0]), (2, [2.0, 3.0, 4.0]), (3, [1.0, 2.0, 3.0, 4.0])])
def test_it_keeps_so_many_batches(most: int, kept: list[float]) -> None:
    replay = Replay(most)
    for batch in ([1.0], [2.0, 3.0], [4.0]):
        replay.add([episode(cost) for cost in batch])
    assert [each.objective for each in replay.episodes()] == kept


def test_what_was_saved_comes_back_bit_for_bit_and_grows_on() -> None:
    replay, again = Replay(2), Replay(2)
    for seed in (1, 2):
        replay.add([play(busy(f"seed={seed}"), exploring(heads(orders=False)), seed)])
    file = io.BytesIO()
    torch.save(replay.state(), file)
    file.seek(0)
    again.restore(torch.load(file, weights_only=True))
    pairs = list(zip(replay.episodes(), again.episodes(), strict=True))
    assert all(same(one, other) for one, other in pairs)
    assert all((one.rows[kind] == other.rows[kind]).all() for one, other in pairs for kind in (0, 1))
    for each in (replay, again):
        each.add([episode(7.0)])
    assert [each.objective for each in again.episodes()] == [each.objective for each in replay.episodes()]
