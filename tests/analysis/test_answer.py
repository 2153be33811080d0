"""The answer claims what the replications support and says what it does not know."""

from __future__ import annotations

import math

from simoffload.analysis.answer import answer
from simoffload.analysis.intervals import paired_difference
from simoffload.analysis.ranking import standings
from simoffload.analysis.runs import Results

from .results import results_of

CLOSE = [1.0, 1.2, 0.9, 1.1]
CLOSE_TOO = [1.1, 1.0, 1.05, 1.0]
FAR = [2.0, 2.3, 1.9, 2.2]
FARTHER = [4.0, 4.2, 3.9, 4.0]


def paragraphs(results: Results, growing: list[str] | None = None) -> list[str]:
    return [str(paragraph) for paragraph in answer(results, standings(results), growing or [])]


def test_a_clear_winner_is_named_with_its_lead() -> None:
    lead = paragraphs(results_of({"slow": FARTHER, "fast": CLOSE, "middling": FAR}))[0]
    assert lead.startswith(
        "<strong>fast</strong> has the lowest objective: 1.05 ± 0.21. All others are distinguishably"
    )
    assert lead.endswith("the next, middling, by 1.050 ± 0.092 (100.0 %).")


def test_a_tie_is_called_not_distinguishable() -> None:
    lead = paragraphs(results_of({"a": CLOSE, "b": CLOSE_TOO, "c": FARTHER}))[0]
    assert lead.startswith(
        "<strong>b</strong> has the lowest objective, 1.038 ± 0.076, but is not distinguishable from a."
    )
    assert "The first that is: c, by " in lead


def test_ties_all_round_leave_no_winner() -> None:
    lead = paragraphs(results_of({"a": CLOSE, "b": CLOSE_TOO}))[0]
    assert lead.endswith("but is not distinguishable from any other agent.")


def test_many_ties_are_counted_rather_than_named() -> None:
    tied = {f"tied-{k}": [value + 0.01 * ((k * s) % 7 - 3) for s, value in enumerate(CLOSE)] for k in range(8)}
    lead = paragraphs(results_of({**tied, "far": [100.0, 100.1, 100.2, 100.3]}))[0]
    assert "not distinguishable from 7 other agents" in lead
    assert "far, by 99" in lead


def test_the_method_is_said() -> None:
    method = paragraphs(results_of({"a": CLOSE, "b": FAR, "c": FARTHER}))[1]
    assert "4 replications" in method
    assert "Student-t" in method
    assert "adjusted by Holm for all 3 pairs" in method


def test_two_agents_need_no_adjustment() -> None:
    assert "Holm" not in paragraphs(results_of({"a": CLOSE, "b": FAR}))[1]


def test_what_pairing_brings_is_said_also_where_it_brings_nothing() -> None:
    near_copy = [value + 1 + 0.01 * (k % 2) for k, value in enumerate(CLOSE)]
    gain = paired_difference(near_copy, CLOSE).variance_reduction
    assert gain > 100
    said = paragraphs(results_of({"a": CLOSE, "b": near_copy}))[1]
    assert f"Pairing the first two is worth {gain:.1f} times as many replications" in said
    apart = paragraphs(results_of({"a": [1.0, 2.0] * 2, "b": [9.0, 9.0, 8.0, 8.0]}))[1]
    assert "Pairing the first two is worth 1.0 times as many replications" in apart


def test_few_replications_that_leave_a_tie_are_called_few() -> None:
    assert "more seeds" in paragraphs(results_of({"a": CLOSE, "b": CLOSE_TOO}))[1]
    assert "more seeds" not in paragraphs(results_of({"a": CLOSE, "b": FAR}))[1]
    assert "more seeds" not in paragraphs(results_of({"a": [*CLOSE, 1.0], "b": [*CLOSE_TOO, 1.05]}))[1]


def test_one_replication_decides_nothing() -> None:
    found = paragraphs(results_of({"a": [1.0], "b": [50.0]}))
    assert found[0] == "<strong>a</strong> has the lowest objective: 1.00 ± ?."
    assert "no two agents are distinguishable" in found[1]


def test_an_agent_alone_is_compared_with_nobody() -> None:
    found = paragraphs(results_of({"a": CLOSE}))
    assert found == ["<strong>a</strong> has an objective of 1.05 ± 0.21, and no other to compare it with."]


def test_agents_without_results_are_named() -> None:
    found = paragraphs(results_of({"a": CLOSE, "b": FAR, "gap": [math.nan, 1.0, 1.0, 1.0]}))
    assert "Not compared, for want of a result on every seed: gap." in found


def test_nothing_measured_is_no_comparison() -> None:
    assert "nothing to compare" in paragraphs(results_of({"a": [math.nan], "b": [math.nan]}))[0]


def test_latencies_of_survivors_are_marked_as_such() -> None:
    found = paragraphs(results_of({"a": CLOSE, "b": FAR}, completed={"b": 61}))
    assert any(paragraph.startswith("Not all tasks were completed under b (61 %)") for paragraph in found)


def test_a_handful_of_tasks_left_is_no_matter() -> None:
    assert not any("Not all" in each for each in paragraphs(results_of({"a": CLOSE, "b": FAR}, completed={"b": 99})))


def test_a_growing_backlog_is_told() -> None:
    results = results_of({"a": CLOSE, "b": FAR})
    assert "Under b the backlog grew all through the run: it did" in paragraphs(results, ["b"])[-1]
    assert "Under a and b the backlog grew all through the run: they did" in paragraphs(results, ["a", "b"])[-1]


def test_an_objective_of_zero_has_no_percentage_above_it() -> None:
    lead = paragraphs(results_of({"a": [0.0, 0.0, 0.0], "b": [1.0, 1.1, 1.2]}))[0]
    assert "%" not in lead


def test_names_are_text_and_not_markup() -> None:
    assert paragraphs(results_of({"<b>&": [1.0, 2.0]}))[0].startswith("<strong>&lt;b&gt;&amp;</strong>")
