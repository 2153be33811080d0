"""What becomes of subtasks that a fault or a timeout meets, to the instant, on plants worked out by hand.

Subtasks have no tokens but a demand: `press` serves it in that time, `paint` in twice, `cloud` in a quarter of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simoffload.decision import Decision
from simoffload.run.world import World
from simoffload.tasks import build_graph
from simoffload.world.kernel import ARRIVAL, Call

from .by_hand import CLOUD, ONE, ONE_AUDIO, PAINT, PRESS, TEXT, TWO, Served, Told, plant, play, task, world_of

FORK = build_graph([0, 0, 2], [TEXT, TEXT, TEXT], [(), (), (0, 1)])


class Losing(Served):
    """Hears of losses and dropped tasks, too."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: list[tuple[str, int, int, float]] = []
        self.dropped: list[tuple[int, float]] = []

    def attempt_lost(self, job: Any, cause: str, now_s: float) -> None:
        self.lost.append((cause, job.task.number, job.node, job.energy_j))

    def task_dropped(self, course: Any, now_s: float) -> None:
        self.dropped.append((course.task.number, now_s))


def spells(node: str, *times: tuple[float, float]) -> str:
    written = ", ".join(f"[{begin} s, {end} s]" for begin, end in times)
    where = "clouds" if node == "cloud" else "edges"
    return f"{where}.{node}.crashes={{kind: timetable, spells: [{written}]}}"


def plays(agent: Any, *tasks: Any, settings: tuple[str, ...]) -> tuple[World, Losing]:
    """A plant with these settings, and what was heard of these tasks."""
    world = world_of(plant(*settings), agent)
    for fault in world._crashes.values():
        fault.start()
    heard = Losing()
    world.dispatcher._witness = world.dispatcher.losses._witness = heard
    play(world, *tasks)
    dispatcher = world.dispatcher
    assert dispatcher.arrived == len(tasks) == dispatcher.completed + dispatcher.dropped
    return world, heard


def one(demand_s: float, arrival_s: float = 0.0, **fields: Any) -> Any:
    return task(ONE, arrival_s, demand_s=demand_s, **fields)


CRASH = spells("press", (2.0, 5.0))


# ----------------------------------------------------------------------------------------------------- work in progress


def test_lost_work_is_decided_anew_after_a_wait_and_begins_from_the_beginning() -> None:
    _, heard = plays(Told(PRESS, PRESS), one(4.0, 1.0), settings=(CRASH,))
    (job,) = heard.jobs
    assert (job.ready_s, job.entered_s, job.start_s, job.finish_s) == (3.0, 3.0, 5.0, 9.0)
    assert heard.lost == [("crash", 0, PRESS, 20.0)]
    ((course, end_s),) = heard.tasks
    assert (end_s, course.energy_j) == (9.0, 20.0 * (1.0 + 4.0))


def test_migrated_work_is_decided_anew_at_once() -> None:
    _, heard = plays(Told(PRESS, PAINT), one(4.0, 1.0), settings=(CRASH, "faults.in_service=migrate"))
    (job,) = heard.jobs
    assert (job.node, job.ready_s, job.start_s, job.finish_s) == (PAINT, 2.0, 2.0, 10.0)
    assert heard.tasks[0][1] == pytest.approx(10.01)


def test_a_migrated_subtask_takes_its_payload_from_home_again() -> None:
    work = one(4.0, 0.0, payload_bytes=1e6)
    _, heard = plays(Told(PRESS, PAINT), work, settings=(CRASH, "faults.in_service=migrate"))
    assert heard.jobs[0].entered_s == pytest.approx(2.0 + 1.0 + 0.01)


def test_a_task_is_dropped_with_what_was_in_progress() -> None:
    world, heard = plays(Told(PRESS), one(4.0, 1.0), settings=(CRASH, "faults.in_service=drop"))
    assert (heard.dropped, heard.jobs, heard.tasks) == ([(0, 2.0)], [], [])
    assert not world.dispatcher.courses


def test_what_follows_from_a_lost_subtask_waits_for_its_next_attempt() -> None:
    _, heard = plays(Told(PRESS, PRESS, PAINT), task(TWO, 0.0, demand_s=[4.0, 1.0]), settings=(CRASH,))
    assert [(job.subtask, job.node, job.ready_s, job.finish_s) for job in heard.jobs] == [
        (0, PRESS, 3.0, 9.0), (1, PAINT, 9.0, pytest.approx(11.01)),
    ]  # fmt: skip


MANY = spells("press", (1.0, 2.0), (3.0, 4.0), (6.0, 7.0), (9.0, 10.0))


def test_waits_grow_from_one_attempt_to_the_next_until_the_limit() -> None:
    retry = "faults.retry={limit: 2, first: 500 ms, factor: 3, most: 1 h}"
    agent = Told(*[PRESS] * 3)
    _, heard = plays(agent, one(9.0), settings=(MANY, retry))
    assert [seen.now_s for seen in agent.seen] == [0.0, 1.5, 4.5]
    assert [cause for cause, *_ in heard.lost] == ["crash"] * 3
    assert heard.dropped == [(0, 6.0)]


def test_no_wait_is_longer_than_the_longest() -> None:
    retry = "faults.retry={limit: 9, first: 500 ms, factor: 100, most: 1.25 s}"
    agent = Told(*[PRESS] * 5)
    plays(agent, one(5.0), settings=(MANY, retry))
    assert [seen.now_s for seen in agent.seen] == [0.0, 1.5, 4.25, 7.25, 10.25]


def test_without_attempts_left_the_first_loss_drops_the_task() -> None:
    _, heard = plays(Told(PRESS), one(4.0, 1.0), settings=(CRASH, "faults.retry.limit=0"))
    assert heard.dropped == [(0, 2.0)]


def test_a_dropped_task_leaves_every_station_it_was_at() -> None:
    """The other half of the first task is in service at paint, where the second task waits for it to go."""
    fork = task(FORK, 0.0, demand_s=[9.0, 9.0, 1.0])
    settings = (CRASH, "faults.in_service=drop")
    _, heard = plays(Told(PRESS, PAINT, PAINT), fork, one(1.0, 1.0), settings=settings)
    assert heard.dropped == [(0, 2.0)]
    assert [(cause, node) for cause, _, node, _ in heard.lost] == [("crash", PRESS), ("dropped", PAINT)]
    (job,) = heard.jobs
    assert (job.task.number, job.start_s, job.finish_s) == (1, 2.0, 4.0)


def test_nothing_more_comes_of_a_dropped_task_whose_data_are_on_their_way() -> None:
    fork = task(FORK, 0.0, demand_s=[9.0, 1.0, 1.0], payload_bytes=[0.0, 4e6, 0.0])
    world, heard = plays(Told(PRESS, PAINT), fork, settings=(CRASH, "faults.in_service=drop"))
    world.kernel.advance(20.0)
    assert (heard.jobs, heard.tasks, heard.dropped) == ([], [], [(0, 2.0)])
    assert world.servers[PAINT].occupancy.arrivals == 0


# ------------------------------------------------------------------------------------------------- waiting and arriving


@pytest.mark.parametrize(
    ("waiting", "nodes", "start_s"),
    [("stay", [CLOUD], 5.0), ("lose", [CLOUD, PAINT], 3.0), ("migrate", [PAINT, CLOUD], 2.0)],
)
def test_those_that_wait_at_a_crash_stay_or_are_decided_anew(waiting: str, nodes: list[int], start_s: float) -> None:
    """What is decided anew of the task that waited goes to paint, of the one in service to the cloud, after 1 s."""
    agent = Told(PRESS, PRESS, *nodes)
    settings = (CRASH, f"faults.waiting={waiting}", "faults.retry={limit: 3, first: 1 s}")
    _, heard = plays(agent, one(4.0, 1.0), one(1.0, 1.5), settings=settings)
    (job,) = [job for job in heard.jobs if job.task.number == 1]
    assert (job.node, job.start_s) == (PRESS if waiting == "stay" else PAINT, start_s)


def test_those_that_wait_at_a_crash_may_be_dropped() -> None:
    _, heard = plays(
        Told(PRESS, PRESS, PAINT), one(4.0, 1.0), one(1.0, 1.5), settings=(CRASH, "faults.waiting=drop")
    )  # fmt: skip
    assert heard.dropped == [(1, 2.0)]
    assert [job.task.number for job in heard.jobs] == [0]


def test_what_comes_to_a_node_that_is_down_waits_for_its_repair() -> None:
    _, heard = plays(Told(PRESS), one(4.0, 3.0), settings=(CRASH,))
    assert (heard.jobs[0].entered_s, heard.jobs[0].start_s) == (3.0, 5.0)
    assert not heard.lost


def test_what_comes_to_a_node_that_is_down_may_be_turned_away() -> None:
    agent = Told(PRESS, PAINT)
    _, heard = plays(agent, one(1.0, 3.0), settings=(CRASH, "faults.arriving=lose"))
    assert heard.lost == [("turned_away", 0, PRESS, 0.0)]
    assert (heard.jobs[0].node, heard.jobs[0].start_s) == (PAINT, 4.0)


def test_both_halves_of_a_task_that_are_turned_away_drop_it_once() -> None:
    fork = task(FORK, 3.0, demand_s=1.0)
    _, heard = plays(Told(PRESS, PRESS), fork, settings=(CRASH, "faults.arriving=drop"))
    assert heard.dropped == [(0, 3.0)]
    assert sorted(cause for cause, *_ in heard.lost) == ["dropped", "turned_away"]


def test_a_node_that_is_mended_takes_jobs_again() -> None:
    _, heard = plays(Told(PRESS), one(1.0, 5.0), settings=(CRASH, "faults.arriving=drop"))
    assert heard.jobs[0].start_s == 5.0


# ------------------------------------------------------------------------------------------------------------- timeouts


def test_a_service_that_lasts_too_long_is_broken_off_and_counts_as_lost() -> None:
    _, heard = plays(Told(PAINT, CLOUD), one(4.0, 1.0), settings=("edges.paint.timeout=3 s",))
    assert heard.lost == [("timeout", 0, PAINT, 60.0)]
    assert (heard.jobs[0].node, heard.jobs[0].ready_s, heard.jobs[0].finish_s) == (CLOUD, 5.0, 6.0)


def test_who_is_next_is_settled_once_all_that_are_due_are_gone() -> None:
    """Two texts are due at 3 s; the sound that came first could not be begun while one of them was left."""
    fork = build_graph([0, 0], [TEXT, TEXT], [(), ()])
    works = task(fork, demand_s=9.0), task(ONE_AUDIO, 1.0, demand_s=0.5), task(ONE, 2.0, demand_s=0.5)
    box = ("catalogue.hardware.box.load_rate=100 GB/s", "catalogue.hardware.box.load_overhead=0 s")
    press = ("edges.press.models=[wide, ear]", "edges.press.server={kind: slots, slots: 2}", "edges.press.timeout=3 s")
    _, heard = plays(Told(*[PRESS] * 4), *works, settings=(*box, *press, "faults.retry.limit=0"))
    assert [cause for cause, *_ in heard.lost] == ["timeout", "timeout"]
    starts = {job.task.number: job.start_s for job in heard.jobs}
    assert starts == {1: 3.0, 2: pytest.approx(3.56)}


def test_what_ends_at_its_timeout_has_ended() -> None:
    _, heard = plays(Told(PRESS), one(3.0, 1.0), settings=("workloads.none.timeout=3 s",))
    assert not heard.lost


def test_one_that_waits_too_long_leaves_the_line() -> None:
    settings = (CRASH, "workloads.none.timeout=3 s", "edges.press.timeout=2 s")
    world, heard = plays(Told(PRESS, PAINT), one(1.0, 2.5), settings=settings)
    assert heard.lost == [("timeout", 0, PRESS, 0.0)]
    assert [(job.node, job.start_s) for job in heard.jobs] == [(PAINT, 5.5)]
    assert world.servers[PRESS].occupancy.starts == 0


def test_one_whose_data_take_too_long_is_given_up_and_its_data_come_all_the_same() -> None:
    """4 MB take 4 s over the LAN, which the second attempt finds on their way."""
    agent = Told(PAINT, PAINT, PAINT)
    settings = ("workloads.none.timeout=3 s", "faults.retry={limit: 3, first: 500 ms, factor: 1}")
    world, heard = plays(agent, one(0.5, 0.0, payload_bytes=4e6), settings=settings)
    assert [cause for cause, *_ in heard.lost] == ["timeout"]
    assert heard.jobs[0].ready_s == 3.5
    assert heard.jobs[0].start_s == pytest.approx(4.01)
    assert world.links[2].occupancy.arrivals == 1


# ---------------------------------------------------------------------------------------------------------------- bills


def test_a_price_is_paid_for_the_prompt_and_for_what_was_written() -> None:
    """The cloud reads 100 tokens in (50 + 100) / 4 ms, at whose end it has written the first; others take some 3 ms."""
    talk = task(ONE, 0.0, prompt=100, expected_output=400)
    world, heard = plays(Told(CLOUD, PRESS), talk, settings=(spells("cloud", (0.5, 9.0)), "faults.retry.first=0 s"))
    law = world.plant.nodes[CLOUD].models[0].law
    written, now = 1, 0.0125 + 0.025
    assert heard.jobs[0].node == PRESS
    while now < 0.5:
        now += law.decode_s + law.decode_s_per_sequence + law.decode_s_per_context_token * (100 + written)
        written += 1
    ((course, _),) = heard.tasks
    assert course.cost_usd == pytest.approx(100e-6 + (written - 1) * 2e-6)


def test_lost_work_is_free_if_the_policy_says_so_but_its_energy_is_spent() -> None:
    cost: list[float] = []
    for lost_work in ("paid", "free"):
        settings = (CRASH, f"faults.lost_work={lost_work}", "edges.press.tariff=1e-3 USD/J")
        _, heard = plays(Told(PRESS, PRESS), one(4.0, 1.0), settings=settings)
        ((course, _),) = heard.tasks
        assert course.energy_j == 100.0
        cost.append(course.cost_usd)
    assert cost == pytest.approx([0.1, 0.08])


# -------------------------------------------------------------------------------------------------------- what is known


class Watching(Told):
    """Keeps what it knows of who is up."""

    def __init__(self, *nodes: int) -> None:
        super().__init__(*nodes)
        self.ups: list[tuple[float, list[bool], Any, list[float], list[float]]] = []

    def decide(self, observation: Any) -> Decision:
        rows = None if observation.up_rows is None else observation.up_rows.tolist()
        up, queue = observation.is_up.tolist(), observation.queue_length + observation.in_service
        self.ups.append((observation.now_s, up, rows, observation.wait_s.tolist(), queue.tolist()))
        return super().decide(observation)


OLD_NEWS = "telemetry_interval=5 s"


def test_that_a_node_is_down_is_known_when_telemetry_says_so_and_at_home_at_once() -> None:
    agent = Watching(*[CLOUD] * 4)
    tasks = [one(0.1, at_s) for at_s in (4.0, 6.0, 12.0)] + [one(0.1, 4.0, home=PAINT)]
    plays(agent, *tasks, settings=(OLD_NEWS, spells("paint", (3.0, 8.0))))
    seen = sorted((now_s, up) for now_s, up, *_ in agent.ups)
    assert seen == [
        (4.0, [True, False, True]), (4.0, [True, True, True]), (6.0, [True, False, True]), (12.0, [True, True, True]),
    ]  # fmt: skip
    assert [rows for now_s, _, rows, *_ in agent.ups if now_s == 6.0] == [[PRESS, CLOUD]]


def test_nothing_starts_at_a_node_that_is_down_before_it_should_be_mended() -> None:
    agent = Watching(CLOUD, CLOUD)
    plays(agent, one(0.1, 4.0), one(0.1, 4.0, home=PAINT), settings=(OLD_NEWS, spells("press", (3.0, 8.5))))
    assert [wait_s[PRESS] for *_, wait_s, _ in agent.ups] == [4.5, 0.0]
    random = "edges.press.crashes={kind: exponential, mean_up: 1 ms, mean_down: 1 h}"
    agent = Watching(CLOUD)
    plays(agent, one(0.1, 4.0), settings=(random,))
    assert agent.ups[0][3][PRESS] == 3600.0


def test_whose_work_was_lost_knows_that_the_node_is_down_before_telemetry_tells() -> None:
    agent = Watching(PAINT, CLOUD, CLOUD, CLOUD)
    tasks = one(9.0, 1.0), one(0.1, 3.0), one(0.1, 5.5)
    settings = (OLD_NEWS, spells("paint", (2.0, 5.2)), "faults.in_service=migrate")
    plays(agent, *tasks, settings=settings)
    assert [(now_s, up[PAINT]) for now_s, up, *_ in agent.ups] == [
        (1.0, True), (2.0, False), (3.0, False), (5.5, False),
    ]  # fmt: skip
    assert [queue[PAINT] for *_, queue in agent.ups] == [0.0, 0.0, 0.0, 0.0]


def test_a_notice_from_before_the_loss_does_not_make_the_node_look_up_again() -> None:
    agent = Watching(PAINT, CLOUD, CLOUD, CLOUD)
    tasks = one(9.0, 1.0), one(0.1, 7.0), one(0.1, 11.0)
    plays(agent, *tasks, settings=(OLD_NEWS, spells("paint", (6.0, 9.0)), "faults.in_service=migrate"))
    assert [(now_s, up[PAINT]) for now_s, up, *_ in agent.ups] == [
        (1.0, True), (6.0, False), (7.0, False), (11.0, True),
    ]  # fmt: skip


def test_a_dispatch_that_was_given_up_counts_no_more() -> None:
    agent = Watching(PAINT, PAINT, CLOUD, CLOUD, CLOUD)
    tasks = one(9.0, 1.0, payload_bytes=9e6), one(9.0, 1.5), one(0.1, 4.6)
    settings = (OLD_NEWS, "edges.paint.timeout=3 s", "faults.retry.first=0 s")
    plays(agent, *tasks, settings=settings)
    counts = [(now_s, queue[PAINT]) for now_s, *_, queue in agent.ups]
    assert counts == [(1.0, 0.0), (1.5, 1.0), (4.0, 1.0), (4.5, 0.0), (4.6, 0.0)]


def test_where_nothing_ever_crashes_all_are_up() -> None:
    agent = Watching(CLOUD)
    plays(agent, one(0.1), settings=())
    assert agent.ups[0][1:3] == ([True, True, True], None)


def test_where_all_that_can_run_it_are_down_none_is_singled_out() -> None:
    down = [spells(node, (1.0, 3.0)) for node in ("press", "paint", "cloud")]
    agent = Watching(PRESS)
    plays(agent, one(0.1, 2.0), settings=tuple(down))
    assert agent.ups[0][1:3] == ([False, False, False], None)
    assert not np.isinf(agent.ups[0][3]).any()


# ------------------------------------------------------------------------------------------------------- what is left


def test_of_a_task_that_is_given_up_nothing_that_waits_is_begun_in_another_s_place() -> None:
    fork = build_graph([0, 0, 0, 2], [TEXT] * 4, [(), (), (), (0, 1, 2)])
    given_up = task(fork, 0.0, demand_s=9.0)
    settings = ("edges.press.timeout=3 s", "faults.retry.limit=0")
    _, heard = plays(Told(PRESS, PRESS, PRESS, CLOUD), given_up, one(1.0, 0.5), settings=settings)
    assert [(cause, energy_j > 0) for cause, _, _, energy_j in heard.lost] == [
        ("timeout", True), ("timeout", False), ("timeout", False),
    ]  # fmt: skip
    assert heard.dropped == [(0, 3.0)]


def test_what_is_tried_again_in_an_instant_comes_after_what_is_due_in_it() -> None:
    """At 3.5 s one half is tried again, after a second at `paint`, and the other, at `press` since 0.5 s, is due."""
    settings = ("edges.paint.timeout=1 s", "edges.press.timeout=3 s", "faults.retry={limit: 1, first: 2 s, factor: 1}")
    agent = Told(PRESS, PAINT, PRESS, CLOUD, CLOUD, CLOUD, CLOUD)
    plays(agent, one(9.0), task(FORK, 0.5, demand_s=9.0), settings=settings)
    again = agent.seen[3]
    assert again.now_s == 3.5
    assert again.wait_s[PRESS] == 0.0


def test_all_that_is_due_in_one_instant_is_taken_back_together() -> None:
    """Both halves have timed out, whichever node is looked at first: neither is dropped for the other's sake."""
    settings = ("edges.press.timeout=3 s", "edges.paint.timeout=3 s", "faults.retry.limit=0")
    _, heard = plays(Told(PAINT, PRESS), task(FORK, 0.0, demand_s=9.0), settings=settings)
    assert [(cause, node) for cause, _, node, _ in heard.lost] == [("timeout", PAINT), ("timeout", PRESS)]


def test_what_is_due_is_not_begun_in_the_place_of_another_workload_s_that_is_due_as_well() -> None:
    arrivals = "arrivals: {kind: poisson, rate: 1 /s}"
    two = f"workloads=[{{id: none, {arrivals}}}, {{id: other, {arrivals}}}]"
    settings = (two, "edges.press.timeout=3 s", "faults.retry.limit=0")
    world, heard = plays(Told(PRESS, PRESS), one(9.0), one(9.0, workload=1), settings=settings)
    assert [(cause, energy_j > 0) for cause, _, _, energy_j in heard.lost] == [("timeout", True), ("timeout", False)]
    assert world.servers[PRESS].occupancy.starts == 1


def test_attempts_that_end_in_time_leave_no_deadline_behind() -> None:
    tasks = [one(0.01, 0.1 * number) for number in range(200)]
    world, _ = plays(Told(*[PRESS] * 200), *tasks, settings=("edges.press.timeout=1 d",))
    assert len(world.kernel._queue) < 5


def test_transfers_that_nobody_waits_for_any_more_are_held_all_the_same() -> None:
    slow = ("edges.press.uplink={channel: 8 kbit/s}", "clouds.cloud.timeout=2 s", "faults.retry.limit=0")
    world = world_of(plant(*slow), Told(*[CLOUD] * 5))
    held: list[tuple[int, int]] = []
    look = Call(lambda item: held.append((len(world.dispatcher.courses), world.held())))
    for number in range(5):
        world.kernel.at(3.0 * number + 1.0, ARRIVAL, look)
    play(world, *[one(0.1, 3.0 * number, payload_bytes=1e5) for number in range(5)])
    assert held == [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5)]
