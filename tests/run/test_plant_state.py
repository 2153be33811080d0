"""What the critic sees besides features: the plant as it is now, whatever news there is."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from simoffload.decision import Decision
from simoffload.decision.features import POSITION_COLUMNS, position_features
from simoffload.run.plant_state import FRESH_COLUMNS, STATE_COLUMNS, fresh_rows, plant_state
from simoffload.run.recorder import Recorder
from simoffload.run.world import World
from simoffload.testing import falsified
from tests.agents.learning.episodes import busy
from tests.decision.by_hand import ONE, PRESS, Told, plant, task, world_of

WAIT, QUEUE, FINISH, FINISH_GAP = range(FRESH_COLUMNS)


class Critic:
    """Goes where it is least expensive, and has the critic's view of every decision before and under falsehoods."""

    order = "fifo"

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.world: World | None = None

    def reset(self, setting: Any, generator: np.random.Generator) -> None:
        """Nothing to remember."""

    def decide(self, seen: Any) -> Decision:
        assert self.world is not None
        features = position_features(seen)
        view = self._view(seen)
        with falsified(self.world, seen.home):
            false = self._view(seen)
        jobs = [job for course in self.world.dispatcher.courses.values() for job in course.jobs if job is not None]
        on_their_way = sum(math.isnan(job.entered_s) for job in jobs)
        self.seen.append(
            {"features": features, "true": view, "false": false, "home": seen.is_home, "on_their_way": on_their_way}
        )
        return Decision(int(np.argmin(seen.score)))

    def _view(self, seen: Any) -> tuple[Any, Any]:
        world = self.world
        assert world is not None
        reports = [world.telemetry.node(number) for number in range(len(world.servers))]
        return fresh_rows(seen, world, reports), plant_state(world, 1.5, reports)


def views(*settings: str) -> list[dict[str, Any]]:
    scenario, critic = busy("horizon={tasks: 20}", *settings), Critic()
    world = critic.world = World(scenario, critic, Recorder(scenario.objective, 3, 0.0, None, 0, lambda _: None))
    world.begin()
    world.kernel.advance(float("inf"))
    return critic.seen


def test_both_views_have_the_columns_they_announce_and_are_of_size_about_1() -> None:
    for each in views():
        rows, state = each["true"]
        assert rows.shape == (len(each["features"]), FRESH_COLUMNS)
        assert state.shape == (STATE_COLUMNS,)
        assert np.isfinite(rows).all()
        assert np.isfinite(state).all()
        assert max(rows.max(), np.abs(state).max()) < 8
        assert rows[:, FINISH_GAP].min() == 0.0


def test_with_fresh_news_and_nothing_on_its_way_the_critic_sees_the_finish_times_of_the_features() -> None:
    finish = POSITION_COLUMNS.index("finish")
    seen = [each for each in views("telemetry_interval=0 s") if not each["on_their_way"]]
    assert len(seen) > 15
    for each in seen:
        assert each["true"][0][:, FINISH] == pytest.approx(each["features"][:, finish], abs=1e-9)


def test_the_critic_sees_what_the_home_cannot_know() -> None:
    seen = views()
    assert all(not np.array_equal(each["true"][1], each["false"][1]) for each in seen)
    others = [(each["true"][0][~each["home"]], each["false"][0][~each["home"]]) for each in seen]
    assert all((true[:, WAIT] != false[:, WAIT]).any() for true, false in others)


def test_the_plant_by_hand() -> None:
    # two jobs of 10 s at `press`, one in service and one waiting, after 4 s; L_ref is 10 s
    agent = Told(PRESS, PRESS)
    world = world_of(plant(), agent)
    for _ in range(2):
        world.dispatcher.arrive(task(ONE, demand_s=10.0))
    world.kernel.advance(4.0)
    reports = [world.telemetry.node(number) for number in range(3)]
    state = np.expm1(plant_state(world, 2.5, reports))
    now = world.kernel.now
    wait = (20.0 - now) / 10.0
    edges = [wait / 2, wait, 0.0, wait / 2, 1.0, 0.5]
    assert state == pytest.approx([*edges, 0.0, 0.0, 0.0, 0.0, 2.0, 2.5, 0.0, 0.0], abs=1e-9)
