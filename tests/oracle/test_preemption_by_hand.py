"""The oracle with interruptions, on cases worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.preemption import OracleWithInterruptions
from tests.oracle.test_by_hand import task
from tests.oracle.test_faults_by_hand import ONE, PRICE, edge, scene


def resume(slots: int) -> SimpleNamespace:
    return SimpleNamespace(kind="slots", slots=slots, preemption="resume")


def play(nodes: list[Any], visits: list[tuple[float, float, float]], places: Any = None, **changes: Any) -> Any:
    """Runs tasks of one subtask, each with its arrival, its service and its priority; all on node 0 unless told."""
    tasks = [task(ONE, arrival_s, demand_s=[service_s]) for arrival_s, service_s, _ in visits]
    priorities = {(number, 0): visit[2] for number, visit in enumerate(visits)}
    places = {(number, 0): [0, 0] for number in range(len(visits))} | (places or {})
    oracle = OracleWithInterruptions(**scene(nodes, tasks, places, priorities=priorities, **changes))
    oracle.run()
    return oracle


def spans(oracle: Any) -> list[tuple[float, float, float]]:
    """Start, end, and energy at 10 W of a node with one server."""
    return [(row["start_s"], row["finish_s"], row["energy_j"]) for _, row in sorted(oracle.subtasks.items())]


def test_the_interrupted_goes_on_where_it_was_and_pays_for_its_own_time() -> None:
    oracle = play([edge("a", server=resume(1))], [(0.0, 5.0, 2.0), (2.0, 1.0, 1.0), (2.5, 4.0, 0.0)])
    assert spans(oracle) == [(0.0, 10.0, 50.0), (2.0, 7.0, 10.0), (2.5, 6.5, 40.0)]
    assert oracle.interruptions == 2


def test_of_equals_the_last_is_interrupted_and_keeps_its_place_in_line() -> None:
    visits = [(0.0, 9.0, 1.0), (1.0, 9.0, 1.0), (2.0, 1.0, 1.0), (3.0, 2.0, 0.0)]
    oracle = play([edge("a", server=resume(2))], visits)
    assert [row["finish_s"] for _, row in sorted(oracle.subtasks.items())] == [9.0, 12.0, 10.0, 5.0]


def test_a_crash_ends_what_is_in_service_and_what_was_interrupted_before_keeps_its_work() -> None:
    nodes = [edge("a", server=resume(1)), edge("b")]
    changes: dict[str, Any] = {"crashes": {0: [(2.0, 5.0)]}, "in_service": "migrate"}
    oracle = play(nodes, [(0.0, 4.0, 2.0), (1.0, 2.0, 1.0)], {(1, 0): [0, 1]}, **changes)
    assert [(row["task"], row["lost_s"], row["energy_j"]) for row in oracle.lost] == [(1, 2.0, 10.0)]
    assert spans(oracle) == [(0.0, 8.0, 40.0), (2.0, 4.0, 20.0)]


def test_of_what_a_crash_ends_those_go_first_that_a_server_has_been_at_without_a_break_for_longest() -> None:
    """Task 0 began first, was interrupted from 2 s to 3 s, and went on beside task 1; both go to one server."""
    nodes, visits = [edge("a", server=resume(2)), edge("b")], [(0.0, 9.0, 2.0), (1.0, 9.0, 1.0), (2.0, 1.0, 0.0)]
    moved = {(0, 0): [0, 1], (1, 0): [0, 1]}
    oracle = play(nodes, visits, moved, crashes={0: [(4.0, 5.0)]}, in_service="migrate")
    assert [(row["task"], row["start_s"]) for row in oracle.lost] == [(1, 1.0), (0, 0.0)]
    assert [oracle.subtasks[number, 0]["start_s"] for number in (1, 0)] == [4.0, 13.0]


def test_work_that_is_lost_while_it_waits_is_paid_for_as_far_as_it_came() -> None:
    """The prompt is read by 0.15 s, tokens come then and 0.01201, 0.01202 s after one another."""
    talk = task(ONE, prompt=[100], output=[9])
    urgent = task(ONE, 0.15 + 0.0121 + 0.0122, demand_s=[3.4])
    places, priorities = {(0, 0): [0, 1], (1, 0): [0]}, {(0, 0): 1.0}
    nodes = [edge("a", server=resume(1), price=PRICE, timeout=None), edge("b")]
    oracle = OracleWithInterruptions(**scene(nodes, [talk, urgent], places, priorities=priorities, timeout=3.5))
    oracle.run()
    (row,) = oracle.lost
    assert (row["cause"], row["start_s"], row["lost_s"]) == ("timeout", 0.0, 3.5)
    assert row["cost_usd"] == pytest.approx(100e-6 + 3 * 2e-6)
    assert row["energy_j"] == pytest.approx(10.0 * 0.1743)
