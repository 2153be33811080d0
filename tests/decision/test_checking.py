"""A sink whose answer does not pass its check is done again in the cloud, and paid for again."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from simoffload.run.simulation import simulate
from simoffload.run.world import World
from simoffload.schema import load_scenario

from ..world.worlds import Scripted, fingerprint, run, world_of
from .by_hand import CLOUD, ONE, ONE_AUDIO, PRESS, TWO, Told, plant, task
from .test_losses import Losing, plays

SURE = "quality.verify={detection: 100 %}"
WRONG, RIGHT = {"difficulty": 9.0, "luck": 0.9}, {"difficulty": -9.0, "luck": 0.1}


def checked(agent: Any, *tasks: Any, settings: tuple[str, ...] = (SURE,)) -> tuple[World, Losing]:
    return plays(agent, *tasks, settings=settings)


def test_a_wrong_answer_is_done_again_in_the_cloud_and_stands() -> None:
    agent = Told(PRESS, CLOUD)
    _, heard = checked(agent, task(ONE, 0.0, demand_s=2.0, **WRONG))
    assert [list(seen.candidates) for seen in agent.seen] == [[0, 1, 2], [CLOUD]]
    assert heard.lost == [("rejected", 0, PRESS, 40.0)]
    (job,) = heard.jobs
    assert (job.node, job.ready_s, job.finish_s, job.is_correct) == (CLOUD, 2.0, 2.5, False)
    ((course, end_s),) = heard.tasks
    assert (end_s, course.energy_j) == (pytest.approx(2.5 + 0.03), 40.0 + 20.0 * 0.5)


def test_a_right_answer_passes() -> None:
    _, heard = checked(Told(PRESS), task(ONE, 0.0, demand_s=2.0, **RIGHT))
    assert not heard.lost
    assert heard.jobs[0].is_correct


def test_a_false_alarm_sends_a_right_one_back() -> None:
    alarms = ("quality.verify={false_alarm: 100 %, limit: 3}",)
    _, heard = checked(Told(PRESS, CLOUD, CLOUD, CLOUD), task(ONE, 0.0, demand_s=2.0, **RIGHT), settings=alarms)
    assert [node for _, _, node, _ in heard.lost] == [PRESS, CLOUD, CLOUD]
    assert heard.jobs[0].is_correct


def test_only_sinks_are_checked() -> None:
    work = task(TWO, 0.0, demand_s=[1.0, 1.0], difficulty=9.0, luck=0.9)
    _, heard = checked(Told(PRESS, PRESS, CLOUD), work)
    assert [(cause, node) for cause, _, node, _ in heard.lost] == [("rejected", PRESS)]
    assert [(job.subtask, job.node) for job in heard.jobs] == [(0, PRESS), (1, CLOUD)]


def test_what_no_cloud_can_do_is_done_again_where_it_can_be() -> None:
    hosts = "edges.press.models=[wide, ear]"
    agent = Told(PRESS, PRESS)
    _, heard = checked(agent, task(ONE_AUDIO, 0.0, demand_s=1.0, **WRONG), settings=(SURE, hosts))
    assert [job.node for job in heard.jobs] == [PRESS]


def test_a_check_that_finds_nothing_out_leaves_a_run_as_it_was() -> None:
    def print_of(*settings: str) -> str:
        references = "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"
        return str(simulate(load_scenario("tiny", [references, *settings]), "eft")["fingerprint"])

    assert print_of("quality.verify={detection: 0 %}") == print_of()
    assert print_of(SURE) != print_of()


def test_checks_make_more_tasks_right_and_all_of_them_longer_or_as_long() -> None:
    right = []
    for settings in ((), (SURE,)):
        summary = simulate(load_scenario("tiny", ["horizon={tasks: 150}", *settings]), "all-edge")
        right.append(summary["correct"]["mean"])
        rejected = summary["faults"]["attempts_lost"]["rejected"]
        assert (rejected > 0) == bool(settings)
    assert right[1] > right[0]


def test_a_world_with_checks_pickles() -> None:
    references = "objective={latency_reference: 20 s, cost_reference: 0.001 USD}"
    world = world_of(load_scenario("tiny", [references, SURE]), Scripted())
    world.kernel.advance(1e9, most=300)
    copy = pickle.loads(pickle.dumps(world))
    assert fingerprint(run(copy)) == fingerprint(run(world))


def test_without_a_cloud_there_is_no_rework() -> None:
    from simoffload.schema import ScenarioError

    with pytest.raises(ScenarioError, match="no cloud in which what fails could be done again"):
        plant(SURE, "clouds=[]")
