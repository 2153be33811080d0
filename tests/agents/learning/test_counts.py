"""Trials and the bonus of what was tried little: the formula, when counts change, and what they count."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.learning.counts import (
    ACTIONS,
    ANOTHER,
    CLOUD,
    FIRST_COME,
    KEYS,
    LOAD_BOUNDS,
    OTHER_EDGE,
    OWN,
    SHORTEST,
    Counts,
    situation,
)
from simoffload.agents.learning.rollout import play
from simoffload.agents.learning.schemes import SCHEMES
from simoffload.agents.scoring import chances
from tests.agents.learning.episodes import busy, exploring, softened_rule
from tests.agents.observations import SETTING, sight

# ------------------------------------------------------------------------------------------------------------ the bonus


def test_the_bonus_by_hand() -> None:
    counts = Counts()
    counts.trials[5] = [3.0, 0.0, 1.0]
    top = math.log(1 + 4)
    kinds = np.array([OWN, OTHER_EDGE, CLOUD, CLOUD])
    expected = [2 * math.sqrt(top / 4), 2 * math.sqrt(top), 2 * math.sqrt(top / 2), 2 * math.sqrt(top / 2)]
    assert counts.bonus(5, kinds, 2.0) == pytest.approx(expected)


def test_where_nothing_was_tried_nothing_is_favoured() -> None:
    assert Counts().bonus(0, np.array([OWN, CLOUD]), 10.0).tolist() == [0.0, 0.0]


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), st.floats(0.01, 10))
def test_what_was_tried_less_has_the_larger_bonus(trials: list[float], c: float) -> None:
    counts = Counts()
    counts.trials[0] = trials
    bonus = counts.bonus(0, np.arange(ACTIONS), c)
    assert (bonus >= 0).all()
    for one in range(ACTIONS):
        for other in range(ACTIONS):
            if trials[one] < trials[other]:
                assert bonus[one] >= bonus[other]


@given(st.lists(st.floats(-5, 5), min_size=ACTIONS, max_size=ACTIONS))
def test_with_a_large_c_every_kind_of_action_is_tried_once_before_any_is_a_third_time(logits: list[float]) -> None:
    counts, tried = Counts(), Counter[int]()
    while len(tried) < ACTIONS:
        bonus = counts.bonus(0, np.arange(ACTIONS), 1e3)
        taken = int(np.argmax(np.array(logits) + bonus))
        tried[taken] += 1
        assert tried[taken] < 3
        counts.add(np.array([0]), np.array([taken]), 1.0)


def test_a_batch_is_added_once_to_what_is_left_of_those_before() -> None:
    counts = Counts()
    counts.add(np.array([4, 4, 4, 9]), np.array([OWN, OWN, CLOUD, OTHER_EDGE]), 0.5)
    assert counts.trials[4].tolist() == [2.0, 0.0, 1.0]
    counts.add(np.array([4]), np.array([CLOUD]), 0.5)
    assert counts.trials[4].tolist() == [1.0, 0.0, 1.5]
    assert counts.trials[9].tolist() == [0.0, 0.5, 0.0]
    assert counts.trials.sum() == 3.0


# --------------------------------------------------------------------------------------------------------- situations


def position(wait_s: float, stage: int, modality: int) -> int:
    seen = sight([0, 1], at={"stage": stage, "modality": modality}, wait_s=[wait_s, wait_s])
    seen.setting = SETTING
    return situation(seen)[0]


def order(stage: int, services_s: list[float]) -> tuple[int, list[int]]:
    count = len(services_s)
    seen = SimpleNamespace(
        kind="order",
        candidates=np.arange(count),
        expected_service_s=np.array(services_s),
        stage=np.array([stage] * count),
    )
    key, kinds = situation(seen)
    return key, kinds.tolist()


def test_every_situation_has_a_key_of_its_own() -> None:
    waits_s = [10.0 * load for load in (0.0, *(bound + 0.01 for bound in LOAD_BOUNDS))]
    keys = [position(wait, stage, modality) for wait in waits_s for stage in range(3) for modality in range(4)]
    lines = [order(stage, [1.0] * count)[0] for stage in range(3) for count in (2, 4, 8, 16)]
    assert sorted(keys + lines) == list(range(KEYS))


def test_a_load_on_a_bound_belongs_to_the_bin_below() -> None:
    assert position(10.0 * LOAD_BOUNDS[0], 0, 0) == position(0.0, 0, 0)
    assert position(10.0 * LOAD_BOUNDS[0] + 1e-6, 0, 0) == position(0.0, 0, 0) + 1


@pytest.mark.parametrize(("few", "many"), [(2, 3), (4, 7), (8, 15), (16, 500)])
def test_lines_of_about_the_same_length_share_a_key(few: int, many: int) -> None:
    assert order(1, [1.0] * few)[0] == order(1, [1.0] * many)[0] != order(1, [1.0] * (few - 1 or 1))[0]


def test_positions_are_counted_by_kind_and_never_by_number() -> None:
    seen = sight([0, 1, 3, 4, 5], at={"home": 1}, wait_s=[0.0] * 5)
    seen.setting = SETTING
    assert situation(seen)[1].tolist() == [OTHER_EDGE, OWN, OTHER_EDGE, CLOUD, CLOUD]


def test_orders_are_counted_as_first_come_shortest_or_another() -> None:
    assert order(0, [3.0, 2.0, 1.0, 1.0])[1] == [FIRST_COME, ANOTHER, SHORTEST, ANOTHER]
    assert order(0, [1.0, 2.0])[1] == [FIRST_COME, ANOTHER]


# -------------------------------------------------------------------------------------------------------- at play


def test_counts_are_frozen_in_an_episode_and_its_visits_are_added_afterwards() -> None:
    counts = Counts()
    counts.add(np.arange(KEYS).repeat(2), np.tile([OWN, CLOUD], KEYS), 1.0)
    before = counts.trials.copy()
    episode = play(busy(), exploring(softened_rule(), 1.0, counts))
    assert counts.trials.tolist() == before.tolist()
    counts.add(episode.key, episode.action_kind, 1.0)
    visits = Counter(zip(episode.key.tolist(), episode.action_kind.tolist(), strict=True))
    added = counts.trials - before
    assert {cell: added[cell] for cell in visits} == visits
    assert added.sum() == len(episode.sizes)


def test_a_kind_that_is_not_among_the_candidates_is_never_counted() -> None:
    # without a cloud, and images read at one node alone
    scenario = busy("clouds=[]", "workloads.request.arrivals.rate=0.1 /s")
    counts = Counts(np.full((KEYS, ACTIONS), 5.0) * [1.0, 1.0, 0.0])
    episode = play(scenario, exploring(softened_rule(orders=False), 5.0, counts))
    counts.add(episode.key, episode.action_kind, 1.0)
    assert CLOUD not in episode.action_kind
    assert counts.trials[:, CLOUD].sum() == 0.0
    assert {OWN, OTHER_EDGE} == set(episode.action_kind.tolist())
    assert 1 in episode.sizes


# --------------------------------------------------------------------------------------------------- what it is for


def first_success(c: float, seed: int, most: int = 60, *, epsilon: float = 0.0, others: int = 1) -> int:
    """Batches of 8 until the cloud, at 1 % and free, has been tried; it stands beside the home and `others`."""
    generator, counts = np.random.default_rng(seed), Counts()
    preference, kinds = np.array([4.0] + [3.0] * others), np.array([OWN] + [OTHER_EDGE] * others + [CLOUD])
    preference = np.append(preference, math.log(np.exp(preference).sum() / 99))
    for batch in range(1, most):
        share = chances(preference + counts.bonus(0, kinds, c))
        drawn = kinds[generator.choice(len(kinds), 8, p=(1 - epsilon) * share + epsilon / len(kinds))]
        if (drawn == CLOUD).any():
            return batch
        counts.add(np.zeros(8, dtype=np.int64), drawn, 0.9)
    return most


def test_a_good_arm_that_is_rarely_chosen_is_found_sooner_with_the_bonus() -> None:
    seeds = range(100)
    without, with_bonus = (np.mean([first_success(c, seed) for seed in seeds]) for c in (0.0, 2.0))
    assert with_bonus < without / 3
    assert with_bonus < 4


@pytest.mark.parametrize(("others", "is_sooner"), [(1, False), (40, True)])
def test_the_bonus_finds_it_sooner_than_the_floor_where_nodes_are_many_and_later_where_they_are_few(
    others: int, is_sooner: bool
) -> None:
    """At the strength that the schemes have: a floor is shared by all rows, a bonus is per kind."""
    c, epsilon = SCHEMES["ucb-coma"].settings.c, SCHEMES["coma-epsilon"].settings.epsilon
    seeds = range(100)
    bonus = np.mean([first_success(c, seed, others=others) for seed in seeds])
    floor = np.mean([first_success(0.0, seed, epsilon=epsilon, others=others) for seed in seeds])
    assert (bonus < floor / 1.5) if is_sooner else (floor < bonus / 1.5)
