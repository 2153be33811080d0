"""The oracle with faults, on cases worked out by hand."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.batching import BatchServer, Request
from tests.oracle.faults import OracleWithFaults
from tests.oracle.paths import interrupted
from tests.oracle.test_by_hand import Graph, link, node, task, world

ONE = Graph([0], [0], [()])
PRICE = SimpleNamespace(input=1e-6, output=2e-6)
RETRY = SimpleNamespace(limit=3, first=1.0, factor=2.0, most=3.0)


def edge(name: str, **changes: Any) -> SimpleNamespace:
    lan = {"uplink": None, "downlink": None, "lan": link(0.0)}
    models = changes.pop("models", ["wide"])
    return node(name, models, **({"site": "plant", "timeout": None} | lan | changes))


def scene(nodes: list[Any], tasks: list[Any], places: Any, **changes: Any) -> dict[str, Any]:
    """What an oracle is given of tasks on edges.

    `places` says where each subtask's next attempt goes, by (task, subtask), and `priorities` with which priority.
    """
    given = {"crashes": changes.pop("crashes", {}), "brownouts": changes.pop("brownouts", {})}
    priorities = changes.pop("priorities", {})
    scenario = world(nodes, [])
    scenario.workloads = [SimpleNamespace(timeout=changes.pop("timeout", None))]
    policy = {"in_service": "lose", "waiting": "stay", "arriving": "wait", "retry": RETRY, "lost_work": "paid"}
    scenario.faults = SimpleNamespace(**(policy | changes))
    paths = {3 * number + 2: [(1e6, 8.0)] for number in range(len(nodes))}
    for one in tasks:
        one.workload = 0

    def decide(number: int, subtask: int, before: int) -> tuple[int, float]:
        return places[number, subtask][before], priorities.get((number, subtask), 0.0)

    return given | {"scenario": scenario, "tasks": tasks, "decide": decide, "paths": paths}


def play(nodes: list[Any], tasks: list[Any], places: Any, **changes: Any) -> OracleWithFaults:
    """The end of a `scene`."""
    oracle = OracleWithFaults(**scene(nodes, tasks, places, **changes))
    oracle.run()
    return oracle


def lost(oracle: OracleWithFaults) -> list[tuple[Any, ...]]:
    return [(row["task"], row["subtask"], row["node"], row["lost_s"], row["cause"]) for row in oracle.lost]


def test_lost_work_begins_again_after_a_wait_and_both_are_paid_for() -> None:
    one = task(ONE, demand_s=[4.0])
    oracle = play([edge("a"), edge("b", speed=2.0)], [one], {(0, 0): [0, 1]}, crashes={0: [(3.0, 9.0)]})
    assert lost(oracle) == [(0, 0, 0, 3.0, "crash")]
    row = oracle.subtasks[0, 0]
    assert (row["ready_s"], row["start_s"], row["finish_s"]) == (4.0, 4.0, 6.0)
    assert oracle.tasks[0]["energy_j"] == 10.0 * (3.0 + 2.0)


def test_waits_grow_up_to_the_longest_and_after_the_last_attempt_the_task_is_dropped() -> None:
    crashes = {0: [(k, k + 0.5) for k in (1.0, 3.0, 6.0, 10.0)]}
    oracle = play([edge("a")], [task(ONE, demand_s=[9.0])], {(0, 0): [0] * 4}, crashes=crashes)
    assert [(row["ready_s"], row["lost_s"]) for row in oracle.lost] == [(0, 1), (2, 3), (5, 6), (9, 10)]
    assert oracle.tasks[0]["dropped_s"] == 10.0
    assert oracle.tasks[0]["cost_usd"] == pytest.approx(4 * (10 * 1e-6 + 1e-5))


def test_those_that_wait_stay_and_go_on_after_the_repair_or_move_at_once() -> None:
    tasks = [task(ONE, 0.0, demand_s=[4.0]), task(ONE, 1.0, demand_s=[1.0])]
    places = {(0, 0): [0, 1], (1, 0): [0, 1]}
    nodes = [edge("a"), edge("b")]
    stays = play(nodes, tasks, places, crashes={0: [(2.0, 5.0)]}, in_service="migrate")
    assert stays.subtasks[0, 0]["start_s"] == 2.0
    assert stays.subtasks[1, 0]["start_s"] == 5.0
    moves = play(nodes, tasks, places, crashes={0: [(2.0, 5.0)]}, in_service="migrate", waiting="migrate")
    assert (moves.subtasks[1, 0]["entered_s"], moves.subtasks[1, 0]["start_s"]) == (2.0, 6.0)
    assert lost(moves) == [(0, 0, 0, 2.0, "crash"), (1, 0, 0, 2.0, "crash")]
    assert not moves.failed[1, 0]


def test_what_comes_to_a_node_that_is_down_waits_is_turned_away_or_dropped() -> None:
    places = {(0, 0): [0, 1]}
    for arriving, ended_s, causes in (
        ("wait", 6.0, []),
        ("lose", 3.0, ["turned_away"]),
        ("drop", 1.0, ["turned_away"]),
    ):
        one = task(ONE, 1.0, demand_s=[1.0])
        oracle = play([edge("a"), edge("b")], [one], places, crashes={0: [(0.5, 5.0)]}, arriving=arriving)
        state = oracle.tasks[0]
        assert [row["cause"] for row in oracle.lost] == causes
        assert all(math.isnan(row["entered_s"]) for row in oracle.lost)
        assert state.get("finish_s", state.get("dropped_s")) == ended_s


def test_a_timeout_ends_an_attempt_on_its_way_but_not_its_data() -> None:
    one = task(ONE, payload_bytes=[4.0], demand_s=[1.0])
    oracle = play([edge("a"), edge("b")], [one], {(0, 0): [1, 1]}, timeout=3.0)
    assert lost(oracle) == [(0, 0, 1, 3.0, "timeout")]
    assert (oracle.subtasks[0, 0]["ready_s"], oracle.subtasks[0, 0]["entered_s"]) == (4.0, 4.0)
    assert [row["delivered_s"] for row in oracle.transfers if row["bytes"]] == [4.0]


def test_nothing_of_a_dropped_task_is_begun_in_anothers_place() -> None:
    fork = Graph([0, 0, 0, 1], [0, 0, 0, 0], [(), (), (), (0, 1, 2)])
    tasks = [task(fork, demand_s=[9.0] * 4), task(ONE, 0.5, demand_s=[1.0])]
    places = {(0, 0): [1], (0, 1): [0], (0, 2): [0], (1, 0): [0]}
    oracle = play([edge("a"), edge("b")], tasks, places, crashes={1: [(3.0, 4.0)]}, in_service="drop")
    causes = {row["subtask"]: (row["cause"], row["start_s"], row["lost_s"]) for row in oracle.lost}
    assert causes[0] == ("crash", 0.0, 3.0)
    assert causes[1] == ("dropped", 0.0, 3.0)
    assert causes[2] == ("dropped", pytest.approx(math.nan, nan_ok=True), 3.0)
    assert oracle.subtasks[1, 0]["start_s"] == 3.0


def test_all_that_is_due_in_one_instant_is_taken_back_together() -> None:
    tasks = [task(ONE, 0.0, demand_s=[9.0]), task(ONE, 0.0, demand_s=[9.0]), task(ONE, 1.0, demand_s=[1.0])]
    retry = SimpleNamespace(**(vars(RETRY) | {"limit": 0}))
    oracle = play([edge("a", timeout=3.0)], tasks, {(k, 0): [0] for k in range(3)}, retry=retry)
    assert lost(oracle) == [(0, 0, 0, 3.0, "timeout"), (1, 0, 0, 3.0, "timeout")]
    assert math.isnan(oracle.lost[1]["start_s"])
    assert (oracle.subtasks[2, 0]["start_s"], oracle.tasks[2]["finish_s"]) == (3.0, 4.0)


def test_a_price_is_paid_for_the_prompt_and_the_tokens_written_and_nothing_if_lost_work_is_free() -> None:
    """The prompt is read by 0.15 s, tokens come then and 0.01201, 0.01202, 0.01203 s after one another."""
    talk = {"prompt": [100], "output": [9], "demand_s": [0.0]}
    for lost_work, cost in (("paid", 100e-6 + 3 * 2e-6), ("free", 0.0)):
        nodes = [edge("a", price=PRICE), edge("b", price=PRICE)]
        crashes = {0: [(0.15 + 0.0121 + 0.0122, 5.0)]}
        oracle = play(nodes, [task(ONE, **talk)], {(0, 0): [0, 1]}, crashes=crashes, lost_work=lost_work)
        assert oracle.lost[0]["cost_usd"] == pytest.approx(cost)
        assert oracle.lost[0]["energy_j"] == pytest.approx(10.0 * 0.1743)


def test_a_model_that_was_swapped_out_is_there_again_after_the_repair() -> None:
    voice = Graph([0], [2], [()])
    tasks = [task(voice, 0.0, demand_s=[1.0]), task(ONE, 5.0, demand_s=[1.0])]
    nodes = [edge("a", models=["wide", "ear"])]
    for crashes, swap_s in (({}, 0.8), ({0: [(3.0, 4.0)]}, 0.0)):
        oracle = play(nodes, tasks, {(0, 0): [0], (1, 0): [0]}, crashes=crashes)
        assert oracle.subtasks[1, 0]["swap_s"] == pytest.approx(swap_s)


def test_a_brown_out_lets_less_through_and_what_is_in_service_goes_on() -> None:
    limits = SimpleNamespace(streams=1, request_rate=None)
    fields = {"streams": 3, "request_rate": None, "overhead_median": 1.0, "overhead_sigma": 0.0}
    api = SimpleNamespace(kind="api", brownouts=limits, **fields)
    tasks = [task(ONE, when, demand_s=[2.0]) for when in (0.0, 0.5, 2.0, 2.1)]
    places = {(number, 0): [0] for number in range(4)}
    oracle = play([edge("a", server=api)], tasks, places, brownouts={0: [(1.0, 7.0)]})
    assert [oracle.subtasks[number, 0]["start_s"] for number in range(4)] == [0.0, 0.5, 3.5, 6.5]


def test_an_outage_holds_a_transfer_up_where_it_stands() -> None:
    assert interrupted([(3.0, 1.0), (5.0, 2.0)], [(1.0, 2.0), (4.0, 4.5)], 6.0) == [
        (1.0, 1.0),
        (1.0, 0.0),
        (1.0, 1.0),
        (1.0, 2.0),
        (0.5, 0.0),
        (1.5, 2.0),
    ]


def test_a_run_until_a_time_ends_with_what_happens_in_that_instant() -> None:
    tasks = [task(ONE, when, demand_s=[2.0]) for when in (0.0, 1.0, 4.5)]
    places = {(number, 0): [0] for number in range(3)}
    for until_s, finished, begun in ((4.0, [0, 1], [0, 1]), (3.9, [0], [0, 1]), (1.5, [], [0])):
        oracle = OracleWithFaults(**scene([edge("a")], tasks, places), until_s=until_s)
        oracle.run()
        assert [number for number, row in oracle.tasks.items() if "finish_s" in row] == finished
        assert [number for (number, _), row in oracle.subtasks.items() if "start_s" in row] == begun


def test_a_batch_breaks_off_the_iteration_of_a_member_that_is_taken_out_and_no_other() -> None:
    server = BatchServer(
        decode=1.0,
        per_sequence=0.1,
        per_context=0.0,
        prefill=10.0,
        speed=1.0,
        max_batch=4,
        kv_tokens=1000,
        chunk=None,
    )
    a, b = (Request(key=k, priority=0, order=k, prompt=10, output=5, reserve=20, fixed_s=0.0) for k in (0, 1))
    server.waiting += [a, b]
    assert server.begin(0.0) == 1.0
    server.end(1.0)
    assert server.begin(1.0) == 1.0
    server.end(2.0)
    assert server.begin(2.0) == pytest.approx(1.2)
    server.take_out(b, 2.5)
    assert server.running is None
    assert (server.written(a), a.share_s, b.share_s) == (1, 1.25, 1.25)
    c = Request(key=2, priority=0, order=2, prompt=10, output=5, reserve=20, fixed_s=0.0)
    server.waiting.append(c)
    assert server.begin(2.5) == 1.0
    server.take_out(a, 3.0)
    assert server.running == ("prefill", 1.0)
