"""The oracle that asks who goes next, on cases worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.asking import OracleThatAsks, Row
from tests.oracle.test_by_hand import Graph, task
from tests.oracle.test_faults_by_hand import ONE, edge, scene
from tests.oracle.test_verification_by_hand import give_skills

VOICE = Graph([0], [2], [()])


def last(station: str, rows: Sequence[Row]) -> int:
    return len(rows) - 1


def play(nodes: list[Any], tasks: list[Any], node: int = 0, **changes: Any) -> OracleThatAsks:
    """Runs tasks of one subtask, all on one node; the last that came goes next."""
    for one in tasks:
        one.weight, one.luck, one.difficulty = 1.0, [0.0], [0.0]
    given = scene(nodes, tasks, {(number, 0): [node, node] for number in range(len(tasks))}, **changes)
    give_skills(given["scenario"])
    oracle = OracleThatAsks(**given, pick=last, orders_from=2)
    oracle.run()
    return oracle


def starts(oracle: OracleThatAsks) -> list[float]:
    return [row["start_s"] for _, row in sorted(oracle.subtasks.items())]


def test_it_is_asked_when_a_server_falls_free_and_two_wait_and_once_more_after_a_repair() -> None:
    tasks = [task(ONE, when, demand_s=[2.0]) for when in (0.0, 0.1, 0.2, 0.3)]
    oracle = play([edge("a")], tasks, crashes={0: [(3.0, 5.0)]}, in_service="lose")
    assert oracle.asked == [("a", 2.0, 3), ("a", 5.0, 3), ("a", 7.0, 2)]
    assert starts(oracle) == [0.0, 9.0, 7.0, 5.0]


def test_nobody_is_asked_of_one_whose_model_cannot_be_brought_in() -> None:
    """Two slots, one for a service that keeps its model in memory: of the others only the text can be begun."""
    two = SimpleNamespace(kind="slots", slots=2)
    tasks = [task(ONE, 0.0, demand_s=[9.0]), task(ONE, 0.1, demand_s=[1.0])]
    tasks += [task(ONE, 0.2, demand_s=[1.0]), task(VOICE, 0.3, demand_s=[1.0])]
    oracle = play([edge("a", models=["wide", "ear"], server=two)], tasks)
    assert oracle.asked == []
    assert starts(oracle) == pytest.approx([0.0, 0.1, 1.1, 9.0])


def test_it_is_asked_who_is_carried_next() -> None:
    """The link carries a byte per second; the third of the payloads goes before the second."""
    tasks = [task(ONE, when, payload_bytes=[2.0], demand_s=[0.1]) for when in (0.0, 0.1, 0.2)]
    oracle = play([edge("a"), edge("b")], tasks, node=1)
    assert oracle.asked == [("a/lan", 2.0, 2)]
    carried = [(row["task"], row["start_s"]) for row in oracle.transfers if row["bytes"] == 2.0]
    assert carried == [(0, 0.0), (2, 2.0), (1, 4.0)]
