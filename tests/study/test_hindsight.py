"""Policies against the best of the rules listed at each place: which that is, what counts once, and what is told."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from simoffload.analysis.scheme_intervals import Measured
from simoffload.schema import load_scenario
from simoffload.study import tables
from simoffload.study.comparing import Verdict, compared
from simoffload.study.hindsight import contests, tally_by_policy
from simoffload.study.lines import Line, best_rule
from simoffload.study.reading import Place, Study, Survey, read_study

from .examples import lines_at, write

AGENTS = ("learner", "ucb-coma-generalist", "eft", "all-cloud")
USUAL, FAST = load_scenario("tiny"), load_scenario("tiny", ["telemetry_interval=1 s"])
QUIET, BUSY = [1.0, 2.0, 3.0], [5.0, 4.0, 7.0]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return read_study(write(tmp_path))


def survey(study: Study, title: str, *places: tuple[str, object]) -> Survey:
    return replace(study.main, title=title, agents=AGENTS, places=tuple(Place(*each) for each in places))  # type: ignore[arg-type]


def lines(at: str, learner: list[float], generalist: list[float], eft: list[float], cloud: list[float]) -> list[Line]:
    return lines_at(at, "learner", dict(zip(AGENTS, (learner, generalist, eft, cloud), strict=True)))


def shares(values: list[float], factor: float) -> list[float]:
    return [factor * value for value in values]


def test_a_policy_is_no_rule_whoever_trained_it_but_fitted_prices_are_one(study: Study) -> None:
    assert [study.is_rule(each) for each in (*AGENTS, "tuned-index", "threshold-router-tuned")] == [
        False, False, True, True, True, True,
    ]  # fmt: skip
    here = lines("", shares(QUIET, 0.9), shares(QUIET, 0.8), QUIET, shares(QUIET, 1.1))
    best = best_rule(study, here)
    assert here[0].agent == "ucb-coma-generalist"
    assert best is not None
    assert best.agent == "eft"
    assert best_rule(study, here[:2]) is None


def test_each_place_has_its_own_best_rule_and_counts_once(study: Study) -> None:
    slow = lines("slow", [1.0, 2.5, 3.0], [0.5, 1.0, 1.5], QUIET, shares(QUIET, 2.0))
    fast = lines("fast", [4.0, 2.0, 5.0], [6.0, 5.0, 8.0], shares(BUSY, 2.0), BUSY)
    found = contests(
        study,
        [
            (survey(study, "pace", ("slow", USUAL), ("fast", FAST)), [*slow, *fast]),
            (survey(study, "else", ("again", USUAL)), lines("again", QUIET, QUIET, QUIET, QUIET)),
        ],
    )
    assert [(each.what, each.at, each.policy.agent, each.rule.agent) for each in found] == [
        ("pace", "slow", "learner", "eft"),
        ("pace", "slow", "ucb-coma-generalist", "eft"),
        ("pace", "fast", "learner", "all-cloud"),
        ("pace", "fast", "ucb-coma-generalist", "all-cloud"),
    ]
    pairs = [([1.0, 2.5, 3.0], QUIET), ([0.5, 1.0, 1.5], QUIET), ([4.0, 2.0, 5.0], BUSY), ([6.0, 5.0, 8.0], BUSY)]
    assert [each.behind for each in found] == compared([(Measured(a), Measured(b)) for a, b in pairs], 0.95)
    assert found[1].behind.percent.mean == pytest.approx(-50.0)
    assert found[3].behind.percent.mean == pytest.approx(100 * 3 / 16)


def test_a_policy_that_one_table_alone_lists_counts_there(study: Study) -> None:
    slow = lines("slow", QUIET, QUIET, QUIET, QUIET)
    first = replace(survey(study, "pace", ("slow", USUAL)), agents=("learner", "eft"))
    found = contests(
        study,
        [
            (first, [line for line in slow if line.agent in first.agents]),
            (survey(study, "else", ("slow", USUAL)), slow),
        ],
    )
    assert [(each.what, each.policy.agent) for each in found] == [("pace", "learner"), ("else", "ucb-coma-generalist")]


def test_what_is_told_names_the_worst_place_of_each_policy(study: Study) -> None:
    slow = lines("slow", shares(QUIET, 0.5), [0.9, 1.1, 1.0], QUIET, shares(QUIET, 2.0))
    fast = lines("fast", shares(BUSY, 1.5), BUSY, BUSY, shares(BUSY, 2.0))
    found = contests(study, [(survey(study, "pace", ("slow", USUAL), ("fast", FAST)), [*slow, *fast])])
    tallies = tally_by_policy(found)
    assert {policy: worst.at for policy, (_, worst) in tallies.items()} == {
        "learner": "fast",
        "ucb-coma-generalist": "fast",
    }
    assert "- Of 2 places learner is better than the best of the rules listed in" in tables.contests_counts(found)
    assert "At worst it is at 50.0 ± " in tables.contests_counts(found)
    heads, _, first, second = tables.contests_table(found).splitlines()
    assert [each.strip() for each in heads.strip("|").split("|")] == [
        "what", "at", "best rule listed", "its objective", "learner", "ucb-coma-generalist",
    ]  # fmt: skip
    assert [each.strip() for each in first.split("|")[2:4]] == ["slow", "eft"]
    assert second.split("|")[2].strip() == "fast"
    rows = list(csv.DictReader(io.StringIO(tables.contests_csv(found))))
    assert [(row["policy"], row["rule"]) for row in rows] == [(each.policy.agent, each.rule.agent) for each in found]
    assert [float(row["difference"]) for row in rows] == [each.behind.mean for each in found]


def test_a_contest_knows_of_the_trainings_of_a_policy_and_takes_one_that_comes_trained_as_it_is(study: Study) -> None:
    values = [[0.8, 0.81, 0.79], [0.8, 0.81, 0.79], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]
    trainings = {"learner": [0.3, 0.7, 1.4]}
    here = lines_at("", "learner", dict(zip(AGENTS, values, strict=True)), trainings=trainings)
    learner, generalist = contests(study, [(survey(study, "pace", ("", USUAL)), here)])
    assert learner.behind.here.p_value == generalist.behind.here.p_value
    assert learner.behind.verdict is Verdict.BETTER_HERE
    assert generalist.behind.verdict is Verdict.BETTER
    assert "listed in 0 and worse in 0, with these trainings alone better in 1 and worse in 0;" in (
        tables.contests_counts([learner, generalist])
    )
