"""The oracle with checks of answers, on cases worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.oracle.test_by_hand import MODELS, Graph, task
from tests.oracle.test_faults_by_hand import ONE, edge, lost, scene
from tests.oracle.verification import OracleWithChecks

TWO = Graph([0, 1], [0, 0], [(), (0,)])
SKILL = SimpleNamespace(explain=1.0, analyze=0.0, generate=0.0)


def give_skills(scenario: Any) -> None:
    """All models there are as able, in every stage, as a subtask of difficulty 0 is hard."""
    verify = SimpleNamespace(detection=0.8, false_alarm=0.1, limit=2)
    scenario.quality = SimpleNamespace(slope=1.0, carry=0.5, verify=verify)
    able = {"skill": SKILL, "modality_skill": {"text": -1.0, "audio": -1.0}}
    scenario.catalogue.models = {name: SimpleNamespace(**vars(model), **able) for name, model in MODELS.items()}


def play(work: Any, places: Any, checks: Any, **changes: Any) -> OracleWithChecks:
    """Runs one task on two edges; a wrong answer fails with chance 0.8, a right one with 0.1."""
    given = scene([edge("a"), edge("b")], [work], places, **changes)
    give_skills(given["scenario"])
    oracle = OracleWithChecks(**given, checks=checks)
    oracle.run()
    return oracle


def asked(graph: Graph, luck: list[float]) -> Any:
    """A task that the models here get right with chance 1/2 per subtask, and 1/4 after a wrong answer."""
    return task(graph, luck=luck, difficulty=[0.0] * len(graph), demand_s=[1.0] * len(graph))


def test_a_wrong_answer_is_done_again_at_once_and_both_are_paid_for_even_if_lost_work_is_free() -> None:
    oracle = play(asked(ONE, [0.6]), {(0, 0): [0, 1]}, {(0, 0): [0.7, 0.9]}, lost_work="free")
    assert lost(oracle) == [(0, 0, 0, 1.0, "rejected")]
    row = oracle.subtasks[0, 0]
    assert (row["ready_s"], row["start_s"], row["finish_s"], row["is_right"]) == (1.0, 1.0, 2.0, False)
    assert oracle.tasks[0]["energy_j"] == 20.0
    assert oracle.tasks[0]["cost_usd"] == pytest.approx(20 * 1e-6 + 2 * 1e-5)


def test_a_right_answer_fails_by_a_false_alarm_and_after_the_last_check_an_answer_stands() -> None:
    for draws, times in (([0.2, 0.0], 0), ([0.05, 0.2], 1), ([0.0, 0.0], 2)):
        oracle = play(asked(ONE, [0.4]), {(0, 0): [0, 1, 0]}, {(0, 0): draws})
        assert len(oracle.lost) == times
        assert oracle.subtasks[0, 0]["is_right"]


def test_only_sinks_are_checked_and_a_wrong_answer_before_makes_one_wrong() -> None:
    for luck, first_is_right, rejected in ((0.6, False, 1), (0.4, True, 0)):
        oracle = play(asked(TWO, [luck, 0.3]), {(0, 0): [0], (0, 1): [0, 0]}, {(0, 1): [0.5, 0.9]})
        assert oracle.subtasks[0, 0]["is_right"] == oracle.subtasks[0, 1]["is_right"] == first_is_right
        assert [row["subtask"] for row in oracle.lost] == [1] * rejected


def test_a_rejected_answer_is_no_failed_attempt() -> None:
    """Its second attempt crashes; the third comes after the first wait, not the second."""
    crashes = {1: [(1.5, 1.6)]}
    oracle = play(asked(ONE, [0.6]), {(0, 0): [0, 1, 0]}, {(0, 0): [0.0, 0.9]}, crashes=crashes)
    assert lost(oracle) == [(0, 0, 0, 1.0, "rejected"), (0, 0, 1, 1.5, "crash")]
    assert oracle.subtasks[0, 0]["ready_s"] == 2.5
