"""The life of a subtask, and what becomes of an agent's answers, right and wrong ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simoffload.decision import Decision, Observation, Setting
from simoffload.decision.agent import AgentError
from simoffload.tasks import build_graph
from tests.decision.by_hand import (
    CHAIN,
    CLOUD,
    ONE,
    PAINT,
    PRESS,
    TEXT,
    TWO,
    Blind,
    Told,
    listen,
    plant,
    play,
    task,
    world_of,
)


class Answers:
    """Answers whatever it is told to."""

    order = "fifo"

    def __init__(self, answer: Callable[[Observation], Any]) -> None:
        self.decide = answer

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to do."""


# ---------------------------------------------------------------------------------------------------- wrong answers


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Decision(3), "chose row 3; the observation has rows 0 to 2"),
        (Decision(-1), "chose row -1; the observation has rows 0 to 2"),
        (Decision(1.0), "chose row 1.0; the observation has rows 0 to 2"),  # type: ignore[arg-type]
        (Decision("1"), "chose row '1'; the observation has rows 0 to 2"),  # type: ignore[arg-type]
        (Decision(math.nan), "chose row nan; the observation has rows 0 to 2"),  # type: ignore[arg-type]
        (Decision(None), "chose row None; the observation has rows 0 to 2"),  # type: ignore[arg-type]
        (Decision(np.arange(2)), r"chose row array\(\[0, 1\]\); the observation has rows 0 to 2"),  # type: ignore[arg-type]
        (2, "answered 2; it must be a Decision"),
        (None, "answered None; it must be a Decision"),
        (Decision(0, math.nan), "gave a subtask the priority nan; it must be a finite number"),
        (Decision(0, -math.inf), "gave a subtask the priority -inf; it must be a finite number"),
        (Decision(0, "high"), "gave a subtask the priority 'high'; it must be a finite number"),  # type: ignore[arg-type]
    ],
)
def test_an_answer_that_is_none_ends_the_run_and_says_why(answer: Any, message: str) -> None:
    world = world_of(plant(), Answers(lambda observation: answer))
    with pytest.raises(AgentError, match=f"^agent Answers {message}"):
        play(world, task(ONE))


@pytest.mark.parametrize("choice", [1, np.int64(1), np.array(1), True])
def test_a_row_may_be_a_whole_number_of_any_kind(choice: Any) -> None:
    world = world_of(plant(), Answers(lambda observation: Decision(choice)))
    jobs = listen(world).jobs
    world.dispatcher.arrive(task(ONE))
    while world.dispatcher.courses:
        world.kernel.step()
    assert [job.node for job in jobs] == [PAINT]


# ------------------------------------------------------------------------------------------------ the way of a job


def test_a_job_enters_when_the_last_of_its_inputs_is_there() -> None:
    # from 2 s on: 8 kB from press and 4 MB from paint to the cloud
    join = build_graph([0, 0, 1], [TEXT] * 3, [(), (), (0, 1)])
    work = task(join, expected_output=[2.0, 1000.0, 1.0], demand_s=[1.0, 0.0, 0.0])
    world = world_of(plant("bytes_per_token=4000 B/tok"), Told(PRESS, PRESS, CLOUD))
    jobs = listen(world).jobs
    play(world, work)
    assert jobs[2].ready_s == jobs[1].finish_s
    assert jobs[2].entered_s == pytest.approx(jobs[2].ready_s + 8e-3 + 4.0 + 0.03)


def test_a_subtask_is_ready_when_the_last_of_its_predecessors_is_done() -> None:
    join = build_graph([0, 0, 1], [TEXT] * 3, [(), (), (0, 1)])
    world = world_of(plant(), Told(PRESS, PAINT, PRESS))
    jobs = listen(world).jobs
    seen = play(world, task(join, demand_s=[1.0, 4.0, 1.0]))
    assert [each.now_s for each in seen] == [0.0, 0.0, 8.0]
    assert [job.subtask for job in jobs] == [0, 1, 2]


def test_a_task_is_complete_when_its_answers_are_home() -> None:
    world = world_of(plant(), Told(PRESS, CLOUD))
    heard = listen(world)
    play(world, task(TWO, 1.0, demand_s=1.0, expected_output=[0.0, 250.0]))
    assert [course.task.number for course, _ in heard.tasks] == [0]
    assert heard.tasks[0][1] == pytest.approx(heard.jobs[1].finish_s + 0.02 + 1e-3 + 0.01)
    assert (world.dispatcher.arrived, world.dispatcher.completed) == (1, 1)


def test_a_course_adds_up_cost_and_energy_of_its_subtasks() -> None:
    world = world_of(plant("edges.press.tariff=1e-6 USD/J"), Told(PRESS, CLOUD, PRESS))
    heard = listen(world)
    play(world, task(CHAIN, demand_s=1.0, prompt=50, expected_output=1.0))
    course, _ = heard.tasks[0]
    assert course.cost_usd == pytest.approx(sum(job.cost_usd for job in heard.jobs))
    assert course.energy_j == pytest.approx(20 * (1.1 + 1.101 / 4 + 1.101))
    assert heard.jobs[1].cost_usd == pytest.approx(51e-6 + 2e-6)


def test_the_answer_to_an_easy_question_is_right_and_that_to_a_hard_one_wrong() -> None:
    # skill 0: the chance is 1/(1 + e^difficulty), and half of that after a wrong answer
    world = world_of(plant(), Told(PRESS, PRESS, PRESS))
    jobs = listen(world).jobs
    play(world, task(CHAIN, difficulty=[-5.0, 5.0, -5.0], luck=[0.99, 0.01, 0.6]))
    assert [job.is_correct for job in jobs] == [True, False, False]


# --------------------------------------------------------------------------------------------------------- expected


def test_a_job_keeps_what_was_expected_of_it() -> None:
    world = world_of(plant(), Told(CLOUD))
    jobs = listen(world).jobs
    seen = play(world, task(ONE, 1.0, payload_bytes=1e6, demand_s=9.0, expected_demand_s=4.0, expected_output=9.0))
    assert jobs[0].expected_service_s == pytest.approx(seen[0].service_s[CLOUD])
    assert jobs[0].expected_finish_s == pytest.approx(1 + 1.03 + seen[0].service_s[CLOUD])
    assert seen[0].finish_s[CLOUD] == pytest.approx(1.03 + seen[0].service_s[CLOUD] + seen[0].way_home_s[CLOUD])


@pytest.mark.parametrize("server", ["{kind: slots}", "{kind: batching, max_batch: 4}", "{kind: api}"])
def test_on_an_idle_node_what_is_expected_of_a_job_does_not_depend_on_what_its_agent_looked_at(server: str) -> None:
    expected = []
    for agent in (Told(CLOUD), Blind(CLOUD)):
        world = world_of(plant(f"clouds.cloud.server={server}"), agent)
        jobs = listen(world).jobs
        play(world, task(ONE, prompt=100, expected_output=20.0, demand_s=1.0))
        expected.append(jobs[0].expected_service_s)
    assert expected[0] == pytest.approx(expected[1], rel=1e-12)


def test_nothing_is_expected_of_the_finish_where_the_agent_did_not_look() -> None:
    world = world_of(plant(), Blind(CLOUD))
    jobs = listen(world).jobs
    play(world, task(ONE))
    assert math.isnan(jobs[0].expected_finish_s)


# ------------------------------------------------------------------------------------------------------------ order


def test_the_agent_may_set_priorities_itself() -> None:
    work = [task(ONE, at, demand_s=1.0) for at in (0.0, 0.1, 0.2, 0.3)]
    world = world_of(plant(), Told(*[PRESS] * 4, priorities=[0.0, 3.0, -1.0, 2.0]))
    jobs = listen(world).jobs
    play(world, *work)
    assert [job.task.number for job in jobs] == [0, 2, 3, 1]
    assert [job.priority for job in jobs] == [0.0, -1.0, 2.0, 3.0]


def test_an_agent_that_decides_the_order_is_asked_where_two_or_more_wait() -> None:
    work = [task(ONE, at, demand_s=1.0) for at in (0.0, 0.1, 0.2, 0.3)]
    agent = Told(*[PRESS] * 4, order="decide")
    world = world_of(plant(), agent)
    jobs = listen(world).jobs
    play(world, *work)
    # it always takes the last one of those that wait: 3 of 1, 2, 3 at 1 s, then 2 of 1, 2
    assert [job.task.number for job in jobs] == [0, 3, 2, 1]
    assert [(seen.station, seen.now_s, len(seen.candidates)) for seen in agent.orders] == [
        ("press", 1.0, 3),
        ("press", 2.0, 2),
    ]


def test_an_agent_may_leave_short_lines_alone() -> None:
    work = [task(ONE, at, demand_s=1.0) for at in (0.0, 0.1, 0.2, 0.3)]
    agent = Told(*[PRESS] * 4, order="decide")
    agent.orders_from = 3  # type: ignore[attr-defined]
    world = world_of(plant(), agent)
    jobs = listen(world).jobs
    play(world, *work)
    # of the three that wait at 1 s it takes the last one, of the two at 2 s goes the first come
    assert [job.task.number for job in jobs] == [0, 3, 1, 2]
    assert [len(seen.candidates) for seen in agent.orders] == [3]


@pytest.mark.parametrize("orders_from", [1, 2.5, "3", None])
def test_how_many_must_wait_for_an_agent_to_be_asked_is_a_whole_number(orders_from: Any) -> None:
    agent = Told(order="decide")
    agent.orders_from = orders_from  # type: ignore[attr-defined]
    with pytest.raises(AgentError, match=r"Told wants to be asked who goes next where .* wait; it must be"):
        world_of(plant(), agent)


def test_an_agent_is_not_asked_for_an_order_where_it_is_decided_at_ready() -> None:
    work = [task(ONE, at, demand_s=1.0) for at in (0.0, 0.1, 0.2, 0.3)]
    agent = Told(*[PRESS] * 4, order="decide")
    world = world_of(plant("order=at_ready"), agent)
    jobs = listen(world).jobs
    play(world, *work)
    assert [job.task.number for job in jobs] == [0, 1, 2, 3]
    assert agent.orders == []


def test_a_wrong_answer_about_an_order_ends_the_run_too() -> None:
    class Late(Told):
        def decide(self, observation: Any) -> Decision:
            return Decision(7) if observation.kind == "order" else super().decide(observation)

    world = world_of(plant(), Late(*[PRESS] * 3, order="decide"))
    with pytest.raises(AgentError, match="agent Late chose row 7; the observation has rows 0 to 1"):
        play(world, *[task(ONE, demand_s=1.0) for _ in range(3)])
