"""The decision process: the episodes of runs, decision by decision, with rewards that add up to their objective."""

from __future__ import annotations

import gc
import json
import math
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from greenlet import error as GreenletError
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simoffload.decision import Agent
from simoffload.environments.process import DecisionProcess, Stretch
from simoffload.random_streams import Streams
from simoffload.run.agents import load_agent
from simoffload.run.plant_state import STATE_COLUMNS
from simoffload.run.recorder import statistics_of
from simoffload.run.simulation import simulate
from simoffload.run.world import World
from simoffload.schema import Scenario, ScenarioError, load_scenario, load_scenario_text
from tests.environments.plants import BUSY, ShortestFirst
from tests.strategies import scenarios

few = settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])


def played_by(process: DecisionProcess, agent: Agent, seed: int | None = None) -> list[Stretch]:
    """An episode with the choices of an agent of runs."""
    process.reset(seed)
    assert process.observation is not None
    assert process.seed is not None
    assert process.observation.kind == "position"
    agent.reset(process.observation.setting, Streams(process.seed).generator("agent", "decisions"))
    stretches = []
    while process.observation is not None and not process.truncated:
        stretches.append(process.step(agent.decide(process.observation).choice))
    return stretches


def objective_of(stretches: list[Stretch]) -> float:
    return -math.fsum(each.reward for each in stretches)


def drawn(written: dict[str, Any]) -> Scenario:
    return load_scenario_text(json.dumps(written)).model_copy(update={"warm_up": 0.0})


RULES = ["eft", "heft", "eft-wspt", "peft", "weighted-greedy", "critical-path", "join-shortest-queue", "random"]


@pytest.mark.parametrize("name", RULES)
def test_an_episode_with_the_choices_of_a_rule_is_the_run_of_that_rule(name: str) -> None:
    scenario, agent = load_scenario("smart-factory", (*BUSY, "horizon={tasks: 25}")), load_agent(name)
    process = DecisionProcess(scenario, order=agent.order)
    stretches = played_by(process, agent)
    summary = simulate(scenario, name)
    assert process.fingerprint == summary["fingerprint"]
    assert objective_of(stretches) == pytest.approx(25 * summary["objective"]["mean"], abs=1e-9)
    assert len(stretches) == sum(stage["count"] for stage in summary["stages"].values())


@few
@given(written=scenarios(horizons=("tasks", "time")), name=st.sampled_from(RULES))
def test_so_it_is_in_any_plant(written: dict[str, Any], name: str) -> None:
    scenario, agent = drawn(written), load_agent(name)
    summary = simulate(scenario, name)
    assume(summary["tasks"]["arrived"] > 0)
    process = DecisionProcess(scenario, order=agent.order)
    played_by(process, agent)
    assert process.fingerprint == summary["fingerprint"]
    assert process.mark.time_s == summary["simulated_s"]
    assert process.tasks_in_system == summary["tasks"]["in_system"]


@few
@given(written=scenarios())
def test_choices_of_waiting_jobs_come_as_in_a_run(written: dict[str, Any]) -> None:
    scenario = drawn(written)
    world = World(scenario, ShortestFirst(), statistics_of(scenario))
    world.begin()
    world.kernel.advance(math.inf)
    world.wind_up()
    process = DecisionProcess(scenario, order="decide")
    stretches = played_by(process, ShortestFirst())
    assert process.fingerprint == world.recorder.close()
    assert objective_of(stretches) == pytest.approx(world.recorder.objective.sum, abs=1e-9)


def test_a_busy_plant_has_choices_of_waiting_jobs_among_its_decisions() -> None:
    process = DecisionProcess("tiny", BUSY, order="decide")
    process.reset()
    kinds = set()
    while process.observation is not None:
        kinds.add(process.observation.kind)
        process.step(len(process.observation.candidates) - 1)
    assert kinds == {"position", "order"}


@few
@given(written=scenarios(), orders=st.sampled_from(["fifo", "wspt", "decide"]), seed=st.integers(0, 2**32))
def test_rewards_add_up_to_the_objective_whoever_plays(written: dict[str, Any], orders: str, seed: int) -> None:
    process = DecisionProcess(drawn(written), order=orders)
    generator, rewards = np.random.default_rng(seed), []
    process.reset(seed)
    while process.observation is not None:
        rewards.append(process.step(int(generator.integers(len(process.observation.candidates)))).reward)
    assert process.terminated
    assert not process.truncated
    assert math.fsum(rewards) == pytest.approx(-process.world.recorder.objective.sum, abs=1e-9)


@few
@given(written=scenarios(horizons=("time",)), name=st.sampled_from(["eft", "all-edge"]))
def test_at_a_time_the_rewards_hold_what_tasks_in_the_system_have_cost_so_far(
    written: dict[str, Any], name: str
) -> None:
    scenario, agent = drawn(written), load_agent(name)
    assume(simulate(scenario, name)["tasks"]["arrived"] > 0)
    process = DecisionProcess(scenario, order=agent.order)
    stretches = played_by(process, agent)
    world, objective = process.world, scenario.objective
    assert world.kernel.now == scenario.horizon.time
    under_way = sum(
        objective.latency_weight * each.task.weight * (world.kernel.now - each.task.arrival_s) / 2.0
        + (1 - objective.latency_weight) * each.cost_usd / 1e-3
        for each in world.dispatcher.courses.values()
    )
    assert (objective.latency_reference, objective.cost_reference) == (2.0, 1e-3)
    assert objective_of(stretches) == pytest.approx(world.recorder.objective.sum + under_way, abs=1e-9)
    assert process.truncated
    assert not process.terminated


def test_an_episode_is_truncated_after_so_many_decisions_with_the_next_one_open() -> None:
    whole = played_by(DecisionProcess("tiny", BUSY), load_agent("eft"))
    process = DecisionProcess("tiny", BUSY, most_decisions=5)
    assert played_by(process, load_agent("eft")) == whole[:5]
    assert process.truncated
    assert not process.terminated
    assert process.observation is not None
    assert process.tasks_in_system > 0
    assert process.mark.potential > 0
    assert process.fingerprint is None
    with pytest.raises(RuntimeError, match="no decision is open"):
        process.step(0)


def test_at_a_time_limit_an_episode_is_truncated_and_a_critic_has_a_state_to_bootstrap_from() -> None:
    process = DecisionProcess("tiny", (*BUSY, "horizon={time: 20 s}"))
    played_by(process, load_agent("eft"))
    assert (process.truncated, process.terminated) == (True, False)
    state = process.state()
    assert process.world.kernel.now == 20.0
    assert np.expm1(state[10]) == pytest.approx(process.tasks_in_system, rel=1e-5)
    assert np.expm1(state[11]) == pytest.approx(process.mark.potential, rel=1e-5)
    assert min(process.tasks_in_system, process.mark.potential) > 0
    ended = DecisionProcess("tiny", BUSY)
    played_by(ended, load_agent("eft"))
    assert (ended.truncated, ended.terminated) == (False, True)
    assert ended.state()[10] == ended.state()[11] == 0.0


def test_the_limit_does_not_truncate_an_episode_that_ends_with_it() -> None:
    decisions = len(played_by(DecisionProcess("tiny", BUSY), load_agent("eft")))
    process = DecisionProcess("tiny", BUSY, most_decisions=decisions)
    played_by(process, load_agent("eft"))
    assert process.terminated
    assert not process.truncated


@few
@given(written=scenarios(), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_all_that_shaping_adds_is_what_arrivals_bring_and_no_choice_of_anybody(
    written: dict[str, Any], seeds: tuple[int, int]
) -> None:
    added = []
    for seed in seeds:
        process, generator, shaping = DecisionProcess(drawn(written)), np.random.default_rng(seed), []
        process.reset()
        while process.observation is not None:
            assert process.observation.completion_s.size
            shaping.append(process.step(int(generator.integers(len(process.observation.candidates)))).shaping)
        assert process.mark.potential == 0.0
        assert math.fsum(shaping) == pytest.approx(process.mark.brought, rel=1e-9)
        added.append(process.mark.brought)
    assert added[0] == pytest.approx(added[1], rel=1e-12)
    assert added[0] > 0


def test_a_discount_counts_elapsed_time_and_reaches_the_potential() -> None:
    process = DecisionProcess("tiny", BUSY, discount_rate_per_s=0.01)
    process.reset()
    waited = 0
    while process.observation is not None:
        before = process.mark
        stretch = process.step(0)
        after = process.mark
        assert stretch.elapsed_s == after.time_s - before.time_s
        assert stretch.discount == pytest.approx(math.exp(-0.01 * stretch.elapsed_s))
        left = after.potential - (after.brought - before.brought)
        assert stretch.shaping == pytest.approx(before.potential - stretch.discount * left)
        assert stretch.reward <= 0.0
        waited += stretch.elapsed_s > 0
    assert waited > 10
    assert all(each.discount == 1.0 for each in played_by(DecisionProcess("tiny", BUSY), load_agent("eft")))


def test_stretches_of_several_decisions_add_up() -> None:
    process = DecisionProcess("tiny", BUSY)
    process.reset()
    first, single = process.mark, []
    while process.observation is not None:
        single.append(process.step(0))
    together = process.since(first)
    assert together.elapsed_s == pytest.approx(math.fsum(each.elapsed_s for each in single))
    assert together.reward == pytest.approx(math.fsum(each.reward for each in single), abs=1e-9)
    assert together.shaping == pytest.approx(math.fsum(each.shaping for each in single), abs=1e-9)


def test_the_same_seed_gives_the_same_episode() -> None:
    process = DecisionProcess("tiny", BUSY)
    one = played_by(process, load_agent("eft"), 7)
    other = played_by(process, load_agent("eft"), 8)
    assert one != other
    assert played_by(process, load_agent("eft"), 7) == one
    assert process.fingerprint == simulate(load_scenario("tiny", (*BUSY, "seed=7")), "eft")["fingerprint"]


def test_without_a_seed_the_first_episode_has_the_scenarios_own_and_the_rest_follow_from_it() -> None:
    one, other = DecisionProcess("tiny", (*BUSY, "seed=5")), DecisionProcess("tiny", (*BUSY, "seed=5"))
    seeds = []
    for process in (one, other):
        for _ in range(3):
            process.reset()
            seeds.append(process.seed)
    assert seeds[0] == 5
    assert len(set(seeds[:3])) == 3
    assert seeds[:3] == seeds[3:]
    other.reset(5)
    other.reset()
    assert other.seed == seeds[1]


def test_a_warm_up_is_left_out_so_that_all_tasks_count() -> None:
    process = DecisionProcess("tiny", (*BUSY, "warm_up=10 s"))
    played_by(process, load_agent("eft"))
    assert process.world.recorder.objective.count == 12


def test_the_state_is_the_plant_as_it_is() -> None:
    process = DecisionProcess("tiny", BUSY)
    process.reset()
    states = []
    while process.observation is not None:
        state = process.state()
        assert state.shape == (STATE_COLUMNS,)
        assert state.dtype == np.float32
        assert np.expm1(state[10]) == pytest.approx(process.tasks_in_system, rel=1e-5)
        assert np.expm1(state[11]) == pytest.approx(process.mark.potential, rel=1e-5)
        states.append(state)
        process.step(0)
    assert len(np.unique(states, axis=0)) > 20
    assert np.expm1(process.state()[10]) == 0.0


def test_two_episodes_go_on_side_by_side() -> None:
    alone = [played_by(DecisionProcess("tiny", BUSY), load_agent("eft"), seed) for seed in (1, 2)]
    agent, pair = load_agent("eft"), [DecisionProcess("tiny", BUSY) for _ in range(2)]
    for process, seed in zip(pair, (1, 2), strict=True):
        process.reset(seed)
    together: list[list[Stretch]] = [[], []]
    while any(process.observation is not None for process in pair):
        for process, stretches in zip(pair, together, strict=True):
            if process.observation is not None:
                stretches.append(process.step(agent.decide(process.observation).choice))
    assert together == alone


# ------------------------------------------------------------------------------------------------------ what goes wrong


def test_a_row_that_is_none_is_refused_and_the_decision_stays_open() -> None:
    process = DecisionProcess("tiny", BUSY)
    process.reset()
    seen = process.observation
    assert seen is not None
    last = len(seen.candidates) - 1
    for row in (-1, last + 1):
        with pytest.raises(ValueError, match=f"row {row} is not legal; legal are rows 0 to {last}"):
            process.step(row)
    assert process.observation is seen
    assert process.step(last).reward <= 0.0


def test_nothing_can_be_decided_before_an_episode_or_after_it() -> None:
    process = DecisionProcess("tiny", BUSY)
    for act in (lambda: process.step(0), process.state):
        with pytest.raises(RuntimeError, match=r"begin .* with reset"):
            act()
    played_by(process, load_agent("eft"))
    with pytest.raises(RuntimeError, match="no decision is open"):
        process.step(0)


def test_what_cannot_be_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"unknown order 'wsp'; allowed: fifo, .*; did you mean 'wspt'"):
        DecisionProcess("tiny", order="wsp")
    with pytest.raises(ValueError, match="most_decisions is 0; it must be at least 1"):
        DecisionProcess("tiny", most_decisions=0)
    with pytest.raises(ValueError, match=r"discount_rate_per_s is -0\.1; it must be a finite number"):
        DecisionProcess("tiny", discount_rate_per_s=-0.1)
    with pytest.raises(ValueError, match="settings go with the name or the file"):
        DecisionProcess(load_scenario("tiny"), ["seed=2"])
    with pytest.raises(ScenarioError, match="did you mean 'tiny'"):
        DecisionProcess("tinny")
    with pytest.raises(ValueError, match="seed -1 is not allowed"):
        DecisionProcess("tiny", BUSY).reset(-1)
    with pytest.raises(ValueError, match="'tiny' asks for no decision within its horizon on seed 1"):
        DecisionProcess("tiny", (*BUSY, "horizon={time: 1 ms}")).reset()


def test_what_the_world_raises_comes_out_and_the_next_episode_is_a_sound_one() -> None:
    process = DecisionProcess("tiny", BUSY)
    sound = played_by(process, load_agent("eft"), 1)
    process.reset(1)

    def fail(job: Any) -> None:
        raise OSError("disk full")

    process.world.subtask_done = fail
    with pytest.raises(OSError, match="disk full"):
        while True:
            process.step(0)
    with pytest.raises(RuntimeError, match="no decision is open"):
        process.step(0)
    assert played_by(process, load_agent("eft"), 1) == sound


def test_episodes_that_are_given_up_leave_nothing_behind() -> None:
    worlds, players = [], []
    process = DecisionProcess("tiny", BUSY)
    for ending in ("reset", "close", "drop"):
        process.reset()
        process.step(0)
        worlds.append(weakref.ref(process.world))
        players.append(weakref.ref(process._player))
        if ending == "close":
            process.close()
            process.close()
        elif ending == "drop":
            del process
        else:
            continue
        process = DecisionProcess("tiny", BUSY)
    gc.collect()
    assert [ref() for ref in (*worlds, *players)] == [None] * 6
    assert not gc.garbage


def test_closing_ends_the_episode() -> None:
    process = DecisionProcess("tiny", BUSY)
    process.reset()
    player = process._player
    assert player is not None
    process.close()
    assert player.dead
    assert process.observation is None
    with pytest.raises(RuntimeError, match="no decision is open"):
        process.step(0)


def test_an_episode_stays_in_its_thread() -> None:
    process = DecisionProcess("tiny", BUSY)
    process.reset()
    raised: list[BaseException] = []

    def elsewhere() -> None:
        try:
            process.step(0)
        except (GreenletError, ValueError, RuntimeError) as error:
            raised.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "thread" in str(raised[0])
    assert process.observation is not None
    assert process.step(0).reward <= 0.0
