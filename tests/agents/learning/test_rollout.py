"""Episodes: what is noted is what happened, and chances, costs and shaping are what the formulas say."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from simoffload.agents.learning.counts import ACTIONS, KEYS, Counts
from simoffload.agents.learning.rollout import ORDER, POSITION, Behaviour, Episode, Explorer, play
from simoffload.agents.scoring import Heads
from simoffload.decision import Decision
from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
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
    explorer.watch(world)
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


def test_what_a_subtask_itself_came_to_is_its_time_from_ready_to_finish_and_its_bill() -> None:
    # w = 0.6, L_ref = 20 s, C_ref = 0.001 USD in `busy`
    scenario = busy()
    explorer = Explorer(exploring(heads(kappa=1.0)))
    world = World(scenario, explorer, Recorder(scenario.objective, 3, 0.0, None, 0, lambda _: None))
    explorer.watch(world)
    done: list[Any] = []
    decide, task_done, subtask_done = explorer.decide, world.task_done, world.subtask_done
    jobs: list[Any] = []
    explorer.decide = lambda seen: (asked.append((seen.kind, getattr(seen, "home", -1))), decide(seen))[1]  # type: ignore[method-assign]
    world.task_done = lambda course, now_s: (done.append(course), task_done(course, now_s))[1]  # type: ignore[method-assign]
    world.subtask_done = lambda job: (jobs.append(job), subtask_done(job))[1]  # type: ignore[method-assign]
    asked: list[tuple[str, int]] = []
    world.begin()
    world.kernel.advance(float("inf"))
    episode = explorer.episode()
    expected = [
        0.6 * job.task.weight * (job.finish_s - job.ready_s) / 20.0 + 0.4 * job.cost_usd / 0.001 for job in jobs
    ]
    found = episode.own_cost[episode.kind == POSITION]
    assert sorted(found) == pytest.approx(sorted(expected), rel=1e-12)
    assert np.isnan(episode.own_cost[episode.kind == ORDER]).all()
    assert sum(job.cost_usd for job in jobs) == pytest.approx(sum(course.cost_usd for course in done), rel=1e-12)
    assert min(expected) > 0
    homes = [home if kind == "position" else -1 for kind, home in asked]
    assert episode.home.tolist() == homes
    assert set(homes) >= {-1, 0, 1}


LOSSES = (
    "faults={in_service: drop, waiting: drop, drop_penalty: 2}",
    "edges.image.crashes={kind: timetable, spells: [[8 s, 20 s]]}",
)


def test_an_attempt_that_was_lost_cost_what_it_took_until_then_and_its_dropped_task_s_penalty() -> None:
    scenario = busy(*LOSSES)
    explorer = Explorer(exploring(softened_rule(orders=False)))
    world = World(scenario, explorer, Recorder(scenario.objective, 3, 0.0, None, 0, lambda _: None, 2.0))
    lost: list[tuple[Any, str, float]] = []
    record = world.attempt_lost
    world.attempt_lost = lambda *told: (lost.append(told), record(*told))[1]  # type: ignore[func-returns-value]
    explorer.watch(world)
    world.begin()
    world.kernel.advance(float("inf"))
    episode = explorer.episode()
    assert world.dispatcher.dropped > 0
    expected = {
        0.6 * job.task.weight * (lost_s - job.ready_s) / 20.0 + 0.4 * job.cost_usd / 0.001 + 2.0
        for job, _, lost_s in lost
    }
    found = episode.own_cost[episode.kind == POSITION]
    assert np.isfinite(found).all()
    assert all(np.isclose(found, each, rtol=1e-12).any() for each in expected)


def test_of_a_subtask_that_is_decided_anew_each_decision_bears_its_own_attempt() -> None:
    lasting = play(busy(), exploring(softened_rule(orders=False)))
    retried = play(busy("faults.in_service=migrate", LOSSES[1]), exploring(softened_rule(orders=False)))
    assert len(retried.sizes) > len(lasting.sizes)
    assert np.isfinite(retried.own_cost[retried.kind == POSITION]).all()


def test_the_time_in_which_tasks_arrive_is_that_of_the_arrivals() -> None:
    spans = []
    for policy in (softened_rule(kappa=100.0), heads(0, kappa=0.0)):
        episode = play(busy(), exploring(policy))
        assert (episode.arriving_s <= episode.duration_s).all()
        spans.append((episode.arriving_s.sum(), episode.duration_s.sum()))
    assert spans[0][0] == pytest.approx(spans[1][0], rel=1e-12)
    assert spans[0][1] != pytest.approx(spans[1][1], rel=1e-3)
