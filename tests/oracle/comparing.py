"""A world and the oracle side by side: given the same tasks, rates, faults and decisions, what came of them."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import Any

import numpy as np

from simoffload.decision import Decision, Setting
from simoffload.decision.course import Course
from simoffload.run.world import World
from simoffload.schema import Scenario
from simoffload.world.job import Job
from tests.oracle.drawn import almost, brownouts_of, checks_of, crashes_of, paces_of, paths_of, tasks_of, until_of
from tests.oracle.faults import OracleWithFaults
from tests.oracle.verification import OracleWithChecks
from tests.world.worlds import Keeper, run

SERVED = ("node", "ready_s", "entered_s", "start_s", "first_token_s", "finish_s", "swap_s", "cost_usd", "energy_j")
LOST = ("task", "subtask", "node", "ready_s", "entered_s", "start_s", "lost_s", "cost_usd", "energy_j")
CARRIED = ("task", "subtask", "link", "bytes", "queued_s", "start_s", "end_s", "delivered_s")


class Witness(Keeper):
    """Keeps what was lost and dropped, too, each with the instant."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.lost: list[tuple[Job, str, float]] = []
        self.dropped: list[tuple[Course, float]] = []

    def attempt_lost(self, job: Job, cause: str, now_s: float) -> None:
        super().attempt_lost(job, cause, now_s)
        self.lost.append((job, cause, now_s))

    def task_dropped(self, course: Course, now_s: float) -> None:
        super().task_dropped(course, now_s)
        self.dropped.append((course, now_s))


class ScriptedAgain:
    """Picks by a hash of the task's number, the subtask's, and how often it has been decided before."""

    order = "fifo"

    def __init__(self, scenario: Scenario) -> None:
        ruled = ("wspt", "srt")
        self.has_priorities = [node.discipline in ruled for node in (*scenario.edges, *scenario.clouds)]
        """Whether each node gives priorities of its own."""

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.asked: Counter[tuple[int, int]] = Counter()
        self.decisions: dict[tuple[int, int, int], tuple[int, float]] = {}

    def decide(self, observation: Any) -> Decision:
        of = observation._course.task.number, observation.subtask
        key = (*of, self.asked[of])
        self.asked[of] += 1
        digest = blake2b(repr(key).encode(), digest_size=8).digest()
        choice = int.from_bytes(digest[:4], "little") % len(observation.candidates)
        node, priority = int(observation.candidates[choice]), float(digest[4] % 3)
        given = float(observation.priority[choice]) if self.has_priorities[node] else priority
        self.decisions[key] = node, given
        return Decision(choice, priority)


def world_at_its_end(scenario: Scenario, agent: ScriptedAgain) -> World:
    """A world that has run to its horizon, with a `Witness`."""
    world = World(scenario, agent, Witness(scenario))
    world.begin()
    return run(world)


def chance_of(world: World) -> dict[str, Any]:
    """All that chance has made of a world's scenario, drawn anew, as the oracle takes it."""
    tasks = tasks_of(world.scenario)
    return {
        "tasks": tasks,
        "paths": paths_of(world),
        "paces": paces_of(world),
        "crashes": crashes_of(world),
        "brownouts": brownouts_of(world),
        "checks": checks_of(world.scenario, tasks),
        "until_s": until_of(world.scenario),
    }


def both(data: dict[str, Any]) -> tuple[World, OracleWithChecks]:
    """A world and the oracle at the end of their runs."""
    scenario = Scenario.model_validate(data)
    agent = ScriptedAgain(scenario)
    world = world_at_its_end(scenario, agent)
    oracle = OracleWithChecks(scenario, decide=lambda *key: agent.decisions[key], **chance_of(world))
    oracle.run()
    return world, oracle


def assert_agree(world: World, oracle: OracleWithFaults) -> None:
    assert_attempts_agree(world, oracle)
    keeper: Any = world.recorder
    assert world.dispatcher.arrived == len(oracle.tasks)
    carried = sorted(
        (t.job.task.number, t.job.subtask, t.link, t.item.size_bytes, t.queued_s, t.start_s, t.end_s, t.delivered_s)
        for t in keeper.transfers
    )
    assert carried == [almost(row) for row in sorted(tuple(row[name] for name in CARRIED) for row in oracle.transfers)]
    tasks = [("finish_s", course, at_s) for course, at_s in keeper.courses]
    tasks += [("dropped_s", course, at_s) for course, at_s in keeper.dropped]
    assert len(tasks) == len([row for row in oracle.tasks.values() if "finish_s" in row or "dropped_s" in row])
    for ended, course, at_s in tasks:
        row = oracle.tasks[course.task.number]
        assert ended in row, course.task.number
        seen = at_s, course.cost_usd, course.energy_j
        assert seen == almost((row[ended], row["cost_usd"], row["energy_j"])), course.task.number


def assert_attempts_agree(world: World, oracle: OracleWithFaults) -> None:
    keeper: Any = world.recorder
    served = {key: row for key, row in oracle.subtasks.items() if "finish_s" in row}
    lost = sorted(((*(row[name] for name in LOST), row["cause"]) for row in oracle.lost), key=by_subtask)
    seen = sorted((row_of(*kept) for kept in keeper.lost), key=by_subtask)
    for mine, other in zip(seen, lost, strict=False):
        assert mine[-1] == other[-1] and mine[:-1] == almost(other[:-1], nan_ok=True), (mine, other)
    assert len(seen) == len(lost)
    assert {(job.task.number, job.subtask) for job in keeper.jobs} == set(served)
    for job in keeper.jobs:
        row = served[job.task.number, job.subtask]
        values = [getattr(job, name) for name in SERVED]
        assert values == almost([row[name] for name in SERVED]), (job.task.number, job.subtask)


def row_of(job: Job, cause: str, at_s: float) -> tuple[Any, ...]:
    """Of a lost attempt, as `LOST` says, and its cause."""
    instants = job.ready_s, job.entered_s, job.start_s, at_s
    return job.task.number, job.subtask, job.node, *instants, job.cost_usd, job.energy_j, cause


def by_subtask(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Task, subtask, lost_s, ready_s: what rows of lost attempts are put in order by."""
    return row[0], row[1], row[6], row[3]
