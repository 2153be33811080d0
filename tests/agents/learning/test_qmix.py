"""Mixing utilities: monotone, whatever the state; by the latest actions of homes that have acted; for any number."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from simoffload.agents.learning.batch import batch_of
from simoffload.agents.learning.qmix import COLUMNS, Mixed, Mixer, qmix
from simoffload.agents.learning.rollout import Episode
from simoffload.agents.learning.settings import QmixSettings
from simoffload.run.plant_state import STATE_COLUMNS
from tests.agents.learning.episodes import by_hand, signs
from tests.agents.learning.games import logits

SMALL = QmixSettings(hidden=(8,), mixing=4, mixing_hidden=8, updates=60, minibatch=16, target_every=10, rate=0.01)


def mixer(seed: int = 1) -> Mixer:
    torch.manual_seed(seed)
    made = Mixer(SMALL)
    torch.nn.init.normal_(made.value[-1].weight)  # type: ignore[arg-type]
    return made


def inputs(homes: int, seed: int = 1, count: int = 6) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        "utility": torch.randn(count, homes, generator=generator),
        "acts": torch.rand(count, homes, generator=generator) < 0.7,
        "state": torch.randn(count, STATE_COLUMNS, generator=generator),
        "seen": torch.randn(count, homes, COLUMNS, generator=generator),
        "age": torch.rand(count, homes, generator=generator),
    }


@pytest.mark.parametrize("homes", [1, 3, 9])
def test_q_tot_never_falls_as_a_utility_rises(homes: int) -> None:
    made, given = mixer(), inputs(homes)
    given["utility"].requires_grad_()
    (slope,) = torch.autograd.grad(made(**given).sum(), given["utility"])
    assert (slope >= 0).all()
    assert (slope[given["acts"]] > 0).float().mean() > 0.9
    assert (slope[~given["acts"]] == 0).all()


def test_homes_stand_in_no_order() -> None:
    made, given = mixer(), inputs(4)
    mixed = torch.randperm(4, generator=torch.Generator().manual_seed(3))
    other = {name: each if name == "state" else each[:, mixed] for name, each in given.items()}
    torch.testing.assert_close(made(**given), made(**other))


def test_homes_that_have_not_acted_might_as_well_not_be_there() -> None:
    made, given = mixer(), inputs(3)
    more = {
        name: each if name == "state" else torch.cat([each, torch.full_like(each[:, :1], name == "utility")], dim=1)
        for name, each in given.items()
    }
    torch.testing.assert_close(made(**given), made(**more))


def test_utilities_are_those_of_the_latest_actions_and_the_acting_home_may_choose_anew() -> None:
    # homes 0 1 0: at the third decision home 1 still does what it did at the second
    rows = [signs([1.0], [2.0]), signs([3.0], [4.0]), signs([5.0], [6.0], [7.0])]
    score = [np.array([0.0, -1.0]), np.array([-2.0, -3.0]), np.array([-4.0, -5.0, -6.0])]
    torch.manual_seed(1)
    made = Mixed(SMALL)
    view = made.view(batch_of([by_hand(rows, [1, 0, 2], [0.0] * 3, home=[0, 1, 0], score=score)]))
    noted = {}
    made.mixer.forward = lambda utility, acts, *rest: noted.update(utility=utility, acts=acts) or utility.sum(1)  # type: ignore[assignment, func-returns-value]
    made.of(view, torch.tensor([0, 1, 2, 2]), torch.tensor([1, 2, 6, 4]))
    assert noted["acts"].tolist() == [[True, False], [True, True], [True, True], [True, True]]
    utility = torch.where(noted["acts"], noted["utility"], torch.nan)
    expected = [[-1.0, np.nan], [-1.0, -2.0], [-6.0, -2.0], [-4.0, -2.0]]
    assert utility.detach().numpy() == pytest.approx(np.array(expected), nan_ok=True)


def test_ages_are_the_times_since_the_latest_decisions() -> None:
    torch.manual_seed(1)
    made = Mixed(SMALL)
    rows = [signs([1.0], [2.0])] * 4
    view = made.view(batch_of([by_hand(rows, [0] * 4, [0.0] * 4, home=[1, 0, 0, 1])]))
    noted = {}
    made.mixer.forward = lambda utility, acts, state, seen, age: noted.update(age=age) or utility.sum(1)  # type: ignore[assignment, func-returns-value]
    made.of(view, torch.tensor([1, 2]), view.batch.taken[torch.tensor([1, 2])])
    assert torch.expm1(noted["age"]).numpy() * 10.0 == pytest.approx(np.array([[0.0, 1.0], [0.0, 2.0]]), abs=1e-5)


CHOICES = signs([1.0, 0.0], [0.0, 1.0])
PAYOFF = {(0, 0): 4.0, (0, 1): 2.0, (1, 0): 3.0, (1, 1): 0.0}
"""Cost of what two homes do, one after the other; each does better by 1 whatever the other does."""


def joint(first: int, second: int) -> Episode:
    """One home acts, then the other; what both did is paid at the end."""
    state = np.zeros((2, STATE_COLUMNS))
    state[1, 0] = 1.0
    return by_hand([CHOICES, CHOICES], [first, second], [0.0, PAYOFF[first, second]], home=[0, 1], state=state)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_homes_find_what_is_best_for_both_though_only_the_second_is_followed_by_the_cost(seed: int) -> None:
    learner = qmix(SMALL, seed)
    for _ in range(2):
        learner.learn([joint(*each) for each in itertools.product((0, 1), (0, 1))], 0.0)
    assert np.argmax(logits(learner, CHOICES)) == 1


def test_the_policy_takes_the_row_that_is_best_for_q_tot() -> None:
    learner = qmix(SMALL, 1)
    assert isinstance(learner.online, Mixed)
    torch.nn.init.normal_(learner.online.scorer.layers[-1].weight)  # type: ignore[arg-type]
    generator = np.random.default_rng(1)
    for _ in range(10):
        rows = [generator.normal(size=(4, COLUMNS)) for _ in range(3)]
        score = [generator.normal(size=4) for _ in range(3)]
        batch = batch_of([by_hand(rows, [0, 1, 2], [0.0] * 3, home=[0, 1, 2], score=score)])
        view = learner.online.view(batch)
        worth = learner.online.of(view, torch.full((4,), 2), torch.arange(8, 12))
        position = learner.heads().position
        assert position is not None
        assert int(worth.argmax()) == int(np.argmax(position(rows[2]) + score[2]))
