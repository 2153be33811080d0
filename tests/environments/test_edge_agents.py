"""The PettingZoo environment: passes its checkers, one agent per edge node, all with the same reward."""

from __future__ import annotations

import contextlib
import io
import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pettingzoo.test import api_test, seed_test

from simoffload.environments.edge_agents import EdgeAgents
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
from tests.environments.plants import BUSY, earliest_finish
from tests.environments.test_process import drawn
from tests.strategies import scenarios

as_checked = pytest.mark.filterwarnings(
    # PettingZoo has these remarks for all but its own games. An observation with a mask is a dictionary:
    "ignore:Observation is not a NumPy array",
    "ignore:Observation space for each agent probably should be",
    # two dimensions are rows and columns, no picture:
    "ignore:The observation contains negative numbers and is in the shape of a graphical observation",
    # who has nothing to decide, at the end, sees zeros:
    "ignore:Observation numpy array is all zeros",
    "ignore:Action mask numpy array is all zeros",
)


def episode(env: EdgeAgents, seed: int | None = None) -> dict[str, list[float]]:
    """The rewards that each agent is given, turn by turn, in an episode of the rule of earliest finish."""
    rewards = defaultdict(list)
    env.reset(seed=seed)
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, _ = env.last()
        rewards[agent].append(reward)
        done = terminated or truncated
        env.step(None if done else earliest_finish(seen["observation"], seen["action_mask"]))
    return rewards


@as_checked
@pytest.mark.parametrize("order", ["fifo", "decide"])
@pytest.mark.parametrize("scenario", ["tiny", "smart-factory"])
def test_it_passes_pettingzoos_checkers(scenario: str, order: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        api_test(EdgeAgents(scenario, BUSY, order=order), num_cycles=60)
        seed_test(lambda: EdgeAgents(scenario, BUSY, order=order), num_cycles=20)
    assert "Passed API test" in said.getvalue()


def test_agents_are_the_homes_of_tasks() -> None:
    env = EdgeAgents("tiny")
    assert env.possible_agents == ["edge_0", "edge_1"]
    assert env.node_ids == {"edge_0": "text", "edge_1": "image"}
    assert EdgeAgents("tiny", ["workloads.request.homes=[image]"]).possible_agents == ["edge_1"]
    assert EdgeAgents("tiny", order="decide").possible_agents == ["edge_0", "edge_1", "cloud_2"]


def test_who_acts_is_the_home_of_the_subtask_or_the_owner_of_the_line() -> None:
    env = EdgeAgents("tiny", (*BUSY, "clouds.cloud.server.max_batch=1"), order="decide")
    env.reset()
    acted = defaultdict(set)
    for agent in env.agent_iter():
        seen, _, terminated, _, info = env.last()
        if terminated:
            env.step(None)
            continue
        assert info["home"] == env.node_ids[agent]
        acted[agent].add(info["kind"])
        for other in set(env.agents) - {agent}:
            assert not env.observe(other)["action_mask"].any()
            assert not env.observe(other)["observation"].any()
            assert env.infos[other]["kind"] == "none"
        env.step(earliest_finish(seen["observation"], seen["action_mask"]))
    assert acted["edge_0"] == acted["edge_1"] == {"position", "order"}
    assert acted["cloud_2"] == {"order"}


def test_an_episode_of_earliest_finishes_is_the_run_of_that_rule_and_every_agent_is_given_its_objective() -> None:
    env = EdgeAgents("smart-factory", BUSY)
    rewards = episode(env, seed=3)
    summary = simulate(load_scenario("smart-factory", (*BUSY, "seed=3")), "eft")
    assert env.process.fingerprint == summary["fingerprint"]
    assert set(rewards) == set(env.possible_agents)
    for given_to_one in rewards.values():
        assert -math.fsum(given_to_one) == pytest.approx(12 * summary["objective"]["mean"], abs=1e-9)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(written=scenarios(), order=st.sampled_from(["fifo", "decide"]), seed=st.integers(0, 2**32))
def test_rewards_of_every_agent_add_up_to_the_objective_in_any_plant(
    written: dict[str, Any], order: str, seed: int
) -> None:
    env = EdgeAgents(drawn(written), order=order)
    rewards = episode(env, seed)
    total = env.process.world.recorder.objective.sum
    assert all(-math.fsum(each) == pytest.approx(total, abs=1e-9) for each in rewards.values())
    assert env.agents == []


def test_time_and_shaping_count_since_the_agents_own_last_step_as_rewards_do() -> None:
    env = EdgeAgents("tiny", BUSY, discount_rate_per_s=0.01)
    env.reset()
    acted = dict.fromkeys(env.possible_agents, env.process.mark)
    for agent in env.agent_iter():
        seen, reward, terminated, _, info = env.last()
        own = env.process.since(acted[agent])
        assert reward == pytest.approx(own.reward, abs=1e-9)
        assert (info["elapsed_s"], info["discount"], info["shaping"]) == (own.elapsed_s, own.discount, own.shaping)
        assert own.discount == pytest.approx(math.exp(-0.01 * own.elapsed_s))
        acted[agent] = env.process.mark
        env.step(None if terminated else earliest_finish(seen["observation"], seen["action_mask"]))


def test_a_masked_row_is_told_with_the_legal_ones() -> None:
    env = EdgeAgents("tiny", BUSY)
    env.reset()
    while env.last()[0]["action_mask"].all():
        env.step(0)
    with pytest.raises(ValueError, match="row 2 is not legal; legal are rows 0 to 1"):
        env.step(2)
    with pytest.raises(ValueError, match=r"action None of edge_\d is not in Discrete\(3\)"):
        env.step(None)
    env.step(1)


def test_a_truncated_episode_ends_for_all_with_the_open_decision_in_sight() -> None:
    env = EdgeAgents("tiny", BUSY, most_decisions=6)
    env.reset()
    for _ in range(6):
        env.step(0)
    decider = env.agent_selection
    assert all(env.truncations.values())
    assert not any(env.terminations.values())
    assert env.observe(decider)["action_mask"].any()
    assert env.infos[decider]["tasks_in_system"] > 0
    for _ in range(2):
        env.step(None)
    assert env.agents == []
    env.reset()
    assert env.agents == env.possible_agents


def test_at_a_time_limit_all_are_truncated_and_the_state_says_what_is_left() -> None:
    env = EdgeAgents("tiny", (*BUSY, "horizon={time: 20 s}"))
    env.reset()
    while not any(env.truncations.values()):
        env.step(0)
    assert all(env.truncations.values())
    assert not any(env.terminations.values())
    assert not env.observe(env.agent_selection)["action_mask"].any()
    left = env.infos[env.agent_selection]["tasks_in_system"]
    assert np.expm1(env.state()[10]) == pytest.approx(left, rel=1e-5)
    assert left > 0


def test_the_state_is_in_its_space() -> None:
    env = EdgeAgents("tiny", BUSY)
    env.reset(seed=1)
    while not env.terminations[env.agent_selection]:
        assert env.state() in env.state_space
        env.step(0)
    assert np.isfinite(env.state()).all()
    env.close()
