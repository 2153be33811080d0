"""Lines of tables: paired by seed, adjusted over the table, and told as what they are."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.intervals import all_differences
from simoffload.study import tables
from simoffload.study.comparing import Tally
from simoffload.study.lines import tally

from .examples import lines_at

STEADY = [0.0, 0.01, -0.01, 0.02, -0.02]
OBJECTIVES = {
    "subject": [1.0 + each for each in STEADY],
    "worse": [1.5 + 1.1 * each for each in STEADY],
    "better": [0.8 + 0.9 * each for each in STEADY],
    "alike": [1.0 + each for each in (0.01, 0.0, 0.0, 0.0, 0.0)],
}


def test_a_difference_is_that_of_the_subject_in_per_cent_of_the_other() -> None:
    lines = {line.agent: line for line in lines_at("", "subject", OBJECTIVES)}
    assert lines["subject"].behind is None
    worse, better = lines["worse"].behind, lines["better"].behind
    assert worse is not None
    assert worse.percent.mean == pytest.approx(100 * (1.0 - 1.5) / 1.5)
    assert better is not None
    assert better.percent.mean == pytest.approx(25.0)


def test_comparisons_are_counted_as_won_lost_and_neither() -> None:
    lines = lines_at("", "subject", OBJECTIVES)
    assert tally(lines) == Tally(better=1, worse=1, better_here=0, worse_here=0, undecided=1)
    assert tables.count(lines, "subject") == (
        "Of 3 comparisons subject is better in 1 and worse in 1; in 1 the interval includes zero."
    )


def test_verdicts_are_in_words() -> None:
    words = {line.agent: tables.verdict(line) for line in lines_at("", "subject", OBJECTIVES)}
    assert words == {"subject": "–", "worse": "better", "better": "worse", "alike": "interval includes zero"}


TRAININGS = {"subject": [0.8, 1.0, 1.2], "better": [0.79, 0.8, 0.81]}


def test_what_holds_for_these_trainings_alone_is_told_as_such() -> None:
    """The subject's trainings differ by more than what tells it from `better` and by less than from `far`."""
    objectives = {**OBJECTIVES, "far": [5 * each for each in OBJECTIVES["subject"]]}
    lines = lines_at("", "subject", objectives, trainings=TRAININGS)
    assert {line.agent: tables.verdict(line) for line in lines} == {
        "subject": "–",
        "far": "better",
        "worse": "better with these trainings",
        "better": "worse with these trainings",
        "alike": "interval includes zero",
    }
    assert tables.count(lines, "subject") == (
        "Of 4 comparisons subject is better in 1 and worse in 0, with these trainings alone better in 1 and worse in "
        "1; in 1 the interval includes zero."
    )


def test_a_scheme_that_was_trained_once_is_told_apart_with_this_training_at_most() -> None:
    lines = {line.agent: line for line in lines_at("", "subject", OBJECTIVES, trainings={"better": [0.8]})}
    assert tables.verdict(lines["better"]) == "worse with these trainings"
    assert tables.verdict(lines["worse"]) == "better"
    table = tables.schemes_table([lines["better"]], "subject", {}).splitlines()[-1]
    assert [each.strip() for each in table.split("|")[-5:-2]] == ["25.0 %", "0.4 %", "–"]
    place = tables.places_table([lines["subject"], lines["better"]], "subject", "at", ["subject", "better"])
    assert "(25.0 ± ? %)" in place


def test_both_half_widths_have_a_column() -> None:
    lines = {line.agent: line for line in lines_at("", "subject", OBJECTIVES, trainings=TRAININGS)}
    heads, _, row = tables.schemes_table([lines["better"]], "subject", {}).splitlines()
    assert [each.strip() for each in heads.split("|")[-5:-1]] == [
        "subject against it", "± these trainings", "± any trainings", "in words",
    ]  # fmt: skip
    assert lines["better"].behind is not None
    share = lines["better"].behind.percent
    assert [each.strip() for each in row.split("|")[-5:-2]] == [
        "25.0 %",
        f"{share.here:.1f} %",
        f"{share.schemes:.1f} %",
    ]


@given(st.lists(st.lists(st.floats(0.1, 10), min_size=4, max_size=4), min_size=2, max_size=5))
def test_two_agents_are_told_apart_just_as_a_comparison_tells_them(values: list[list[float]]) -> None:
    lines = {line.agent: line for line in lines_at("", "0", {str(k): each for k, each in enumerate(values[:2])})}
    pair = all_differences([values[1], values[0]])[0, 1]
    assert lines["1"].behind is not None
    assert lines["1"].behind.here == pair


def test_a_csv_has_every_digit_and_a_row_a_line() -> None:
    lines = lines_at(0.25, "subject", {"subject": [1 / 3, 2 / 3], "other": [1.0, 2.0]}, grew=["other"])
    rows = list(csv.DictReader(io.StringIO(tables.as_csv(lines))))
    assert [row["agent"] for row in rows] == ["subject", "other"]
    assert [float(row["objective"]) for row in rows] == [line.objective.mean for line in lines]
    assert rows[0]["difference"] == ""
    behind = lines[1].behind
    assert behind is not None
    assert float(rows[1]["difference"]) == behind.mean
    assert float(rows[1]["difference_half_width"]) == behind.here.difference.half_width
    assert float(rows[1]["scheme_half_width"]) == behind.schemes.difference.half_width
    assert float(rows[1]["holm_p_value"]) == behind.here.p_value
    assert rows[1]["verdict"] == behind.verdict.value
    assert [row["grew"] for row in rows] == ["0", "2"]
    assert {row["at"] for row in rows} == {"0.25"}


def test_a_table_is_aligned_and_its_bars_are_escaped() -> None:
    text = tables.markdown(("name", "number", "word"), [["a|b", "1", "yes"], ["c", "−20", "no"]])
    assert text.splitlines() == [
        "| name | number | word |",
        "| ---- | -----: | ---- |",
        "| a\\|b |      1 | yes  |",
        "| c    |    −20 | no   |",
    ]


def test_a_place_is_a_row_with_a_dagger_where_the_backlog_grew() -> None:
    lines = [
        *lines_at(1.0, "subject", {"subject": [1.0, 1.1], "other": [2.0, 2.2]}, grew=["other"]),
        *lines_at("far", "subject", {"subject": [3.0, 3.3], "other": [2.0, 2.2]}),
    ]
    heads, _, one, far = tables.places_table(lines, "subject", "distance", ["subject", "other"]).splitlines()
    assert [each.strip() for each in heads.strip("|").split("|")] == ["distance", "subject", "other"]
    assert one.startswith("| 1 ")
    assert "2.10† (−50.0 ± 0.0 %)" in one
    assert far.startswith("| far ")
    assert "†" not in far
    assert "(50.0 ± 0.0 %)" in far
