"""The Gymnasium environment: passes its checker, plays the runs of rules, and says what cannot be done."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import simoffload.environments  # noqa: F401 - makes the name known
from simoffload.environments.controller import Controller
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
from tests.environments.plants import BUSY, earliest_finish

NAME = "simoffload/Controller-v0"
REFUSALS = "ignore:.*is not legal and is refused"
"""The checker draws actions without looking at masks."""


def episode(env: Any, seed: int | None = None) -> list[tuple[Any, ...]]:
    """All that is seen in an episode of the rule of earliest finish."""
    rows, info = env.reset(seed=seed)
    seen: list[tuple[Any, ...]] = [(rows, 0.0, False, False, info)]
    while not (seen[-1][2] or seen[-1][3]):
        seen.append(env.step(earliest_finish(seen[-1][0], seen[-1][-1]["action_mask"])))
    return seen


@pytest.mark.filterwarnings(REFUSALS)
@pytest.mark.parametrize("order", ["fifo", "decide"])
@pytest.mark.parametrize("scenario", ["tiny", "smart-factory", "theory/tandem"])
def test_it_passes_gymnasiums_checker(scenario: str, order: str) -> None:
    env = gymnasium.make(NAME, scenario=scenario, order=order)
    check_env(env.unwrapped)
    env.close()


def test_an_episode_of_earliest_finishes_read_off_its_rows_is_the_run_of_that_rule() -> None:
    env = gymnasium.make(NAME, scenario="smart-factory", settings=BUSY)
    seen = episode(env, seed=3)
    summary = simulate(load_scenario("smart-factory", (*BUSY, "seed=3")), "eft")
    assert env.unwrapped.process.fingerprint == summary["fingerprint"]  # type: ignore[attr-defined]
    total = -math.fsum(reward for _, reward, *_ in seen)
    assert total == pytest.approx(12 * summary["objective"]["mean"], abs=1e-9)


def test_every_step_is_in_the_spaces_and_tells_what_it_is_about() -> None:
    env = Controller("tiny", BUSY, order="decide", discount_rate_per_s=0.02)
    seen = episode(env)
    assert {info["kind"] for *_, info in seen} == {"position", "order", "none"}
    time_s = 0.0
    for rows, _, terminated, truncated, info in seen:
        assert rows in env.observation_space
        assert info["action_mask"].any() != terminated
        assert not truncated
        if rows is not seen[0][0]:
            assert info["time_s"] == pytest.approx(time_s + info["elapsed_s"])
            assert info["discount"] == pytest.approx(math.exp(-0.02 * info["elapsed_s"]))
        time_s = info["time_s"]
    last = seen[-1][-1]
    assert (last["tasks_in_system"], last["potential"], last["decisions"]) == (0, 0.0, len(seen) - 1)
    assert not seen[-1][0].any()


def test_masks_stand_in_info_and_behind_a_method() -> None:
    env = Controller("tiny", BUSY)
    _, info = env.reset()
    legal = set()
    terminated = False
    while not terminated:
        assert env.action_masks().tolist() == info["action_mask"].astype(bool).tolist()
        legal.add(int(info["action_mask"].sum()))
        assert len(info["nodes"]) == info["action_mask"].sum()
        _, _, terminated, _, info = env.step(env.action_space.sample(info["action_mask"]))
    assert legal == {2, 3}


def test_a_masked_row_is_refused_with_a_warning_and_changes_nothing() -> None:
    env = Controller("tiny", BUSY)
    rows, info = env.reset()
    while info["action_mask"].all():
        rows, *_, info = env.step(0)
    with pytest.warns(UserWarning, match="row 2 is not legal and is refused: legal are rows 0 to 1"):
        again, reward, terminated, truncated, told = env.step(2)
    np.testing.assert_array_equal(again, rows)
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert (told["elapsed_s"], told["shaping"], told["time_s"]) == (0.0, 0.0, info["time_s"])
    assert told["decisions"] == info["decisions"]
    assert told["refused"]
    assert not env.step(0)[-1]["refused"]


@pytest.mark.parametrize("action", [-1, 3, 0.5, None])
def test_what_is_no_action_is_told_with_the_legal_rows(action: Any) -> None:
    env = Controller("tiny", BUSY)
    _, info = env.reset()
    last = info["action_mask"].sum() - 1
    with pytest.raises(ValueError, match=rf"action {action} is not in Discrete\(3\); legal are rows 0 to {last}"):
        env.step(action)


def test_termination_and_truncation_are_told_apart() -> None:
    *_, terminated, truncated, info = episode(Controller("tiny", BUSY))[-1]
    assert (terminated, truncated, info["tasks_in_system"]) == (True, False, 0)
    rows, _, terminated, truncated, info = episode(Controller("tiny", BUSY, most_decisions=9))[-1]
    assert (terminated, truncated, info["decisions"]) == (False, True, 9)
    assert rows.any()
    assert info["action_mask"].any()
    rows, _, terminated, truncated, info = episode(Controller("tiny", (*BUSY, "horizon={time: 20 s}")))[-1]
    assert (terminated, truncated, info["time_s"]) == (False, True, 20.0)
    assert info["tasks_in_system"] > 0
    assert info["potential"] > 0
    assert not info["action_mask"].any()


def test_the_same_seed_gives_the_same_episode() -> None:
    env = Controller("tiny", BUSY)
    first, second, other = (episode(env, seed) for seed in (4, 4, 5))
    assert len(first) == len(second)
    for (rows, reward, *_), (same, equal, *_) in zip(first, second, strict=True):
        np.testing.assert_array_equal(rows, same)
        assert reward == equal
    assert first[-1][-1]["time_s"] != other[-1][-1]["time_s"]


def test_several_play_side_by_side_as_a_vector() -> None:
    envs = gymnasium.make_vec(NAME, num_envs=2, vectorization_mode="sync", scenario="tiny", settings=BUSY)
    rows, info = envs.reset(seed=1)
    assert rows.shape == (2, *envs.single_observation_space.shape)
    for _ in range(5):
        actions = [earliest_finish(*each) for each in zip(rows, info["action_mask"], strict=True)]
        rows, reward, *_, info = envs.step(np.array(actions))
    assert reward.shape == (2,)
    assert info["seed"].tolist() == [1, 2]
    envs.close()


def test_there_is_nothing_to_draw() -> None:
    assert gymnasium.make(NAME, render_mode=None).render_mode is None
    with pytest.raises(ValueError, match="there is nothing to draw"):
        Controller(render_mode="human")  # type: ignore[arg-type]
