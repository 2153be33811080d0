"""The duel of V and A: what Q is made of, and that its levels and its differences come from where they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.agents.learning.batch import batch_of
from simoffload.agents.learning.dqn import Duel, dqn
from simoffload.agents.learning.settings import DqnSettings
from simoffload.agents.scoring import NEVER
from tests.agents.learning.episodes import by_hand, signs

SMALL = DqnSettings(hidden=(5,), value_hidden=(6,))


def duel(seed: int = 1) -> Duel:
    """Networks that say something from the start."""
    torch.manual_seed(seed)
    made = Duel(SMALL)
    with torch.no_grad():
        for scorer in (made.scorer, made.value):
            scorer.layers[-1].weight.normal_()  # type: ignore[union-attr, operator]
    return made


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=5), seed=st.integers(0, 1000))
def test_the_mean_of_q_over_the_rows_of_a_decision_is_v(sizes: list[int], seed: int) -> None:
    generator, made = np.random.default_rng(seed), duel(seed)
    rows = [generator.normal(size=(size, signs([0]).shape[1])) for size in sizes]
    score = [generator.normal(size=size) for size in sizes]
    batch = batch_of([by_hand(rows, [0] * len(sizes), [0.0] * len(sizes), score=score)])
    view = made.view(batch)
    decision = batch.decision
    worth = made.of(view, decision, torch.arange(len(decision)))  # as if every row were one of a decision of its own
    mean = torch.zeros(len(sizes)).index_add(0, decision, worth) / torch.tensor(sizes)
    torch.testing.assert_close(mean, made.value(view.pooled), rtol=1e-4, atol=1e-4)


def test_rows_differ_by_the_network_and_the_rule() -> None:
    made = duel()
    rows = signs([1.0, 2.0], [0.0, -1.0], [3.0])
    batch = batch_of([by_hand([rows], [0], [0.0], score=[np.array([0.0, -0.5, -2.0])])])
    view = made.view(batch)
    same = torch.zeros(3, dtype=torch.int64)
    worth = made.of(view, same, torch.arange(3)).detach().numpy()
    advantage = made.scorer(torch.from_numpy(rows).float()).detach().numpy() - np.array([0.0, 0.5, 2.0])
    assert worth - worth[0] == pytest.approx(advantage - advantage[0], abs=1e-5)
    assert made.best(view, torch.tensor([0])).item() == int(np.argmax(advantage))


def test_rows_that_may_not_be_taken_are_not_in_the_mean_and_never_the_best() -> None:
    made = duel()
    rows = signs([1.0, 2.0], [0.0, -1.0], [3.0])
    some, all_of = (
        batch_of([by_hand([rows[:count]], [0], [0.0], score=[np.array([0.0, -0.5, NEVER][:count])])])
        for count in (2, 3)
    )
    worth = [
        made.of(made.view(batch), torch.zeros(2, dtype=torch.int64), torch.arange(2)).detach().numpy()
        - made.value(made.view(batch).pooled).detach().numpy()
        for batch in (some, all_of)
    ]
    assert worth[0] == pytest.approx(worth[1], abs=1e-5)
    assert made.best(made.view(all_of), torch.tensor([0])).item() < 2


def test_the_policy_takes_the_row_of_largest_q() -> None:
    learner = dqn(SMALL, 1)
    learner.online.load_state_dict(duel(3).state_dict())
    generator = np.random.default_rng(1)
    for _ in range(20):
        rows, score = generator.normal(size=(4, signs([0]).shape[1])), generator.normal(size=4)
        batch = batch_of([by_hand([rows], [0], [0.0], score=[score])])
        view = learner.online.view(batch)
        worth = learner.online.of(view, torch.zeros(4, dtype=torch.int64), torch.arange(4))
        position = learner.heads().position
        assert position is not None
        assert int(worth.argmax()) == int(np.argmax(position(rows) + score))
