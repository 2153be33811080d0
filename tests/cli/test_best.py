"""`simoffload compare --best` finds the best agent and says who was dropped when, and what that saved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simoffload.analysis.selection import Selection
from simoffload.cli.best import race_rows, verdict
from simoffload.run.selection import Outcome

from .program import invoke

RACE = ("compare", "tiny", "--agents", "weighted-greedy,random,all-cloud", "--tasks", "30", "--no-report")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_best_is_found_and_told_how_surely() -> None:
    done = invoke(*RACE, "--best", "90%", "--indifference", "5%", "--replications", "4", "--workers", "1", "--out", "x")
    assert done.exit_code == 0
    kept = json.loads(Path("x/selection.json").read_text(encoding="utf-8"))
    assert (kept["reason"], kept["best"], kept["first_stage"]) == ("reached", "weighted-greedy", 4)
    assert {drop["agent"] for drop in kept["dropped"]} == {"random", "all-cloud"}
    assert kept["replications"] + kept["saved"] == 3 * kept["seeds"]
    assert "it is weighted-greedy with a probability" in " ".join(done.stdout.split())
    assert json.loads(Path("x/comparison.json").read_text(encoding="utf-8"))["seeds"][:4] == [1, 2, 3, 4]


def test_json_is_the_selection_and_nothing_else() -> None:
    done = invoke(*RACE, "--best", "90%", "--indifference", "9%", "--replications", "3", "--out", "x", "--json")
    assert json.loads(done.stdout) == json.loads(Path("x/selection.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--best", "95"), "--best: '95' is no probability, as in '95%'"),
        (("--best", "20%"), "--best: a guess is right with probability 1/3"),
        (("--best", "95%", "--indifference", "x"), "--indifference: 'x' is neither"),
        (("--best", "95%", "--budget", "5 tasks"), "a budget of tasks limits nothing here"),
        (("--best", "95%", "--seeds", "1,2"), "--best takes seeds in a row"),
        (("--indifference", "1%"), "--indifference and --budget are of --best"),
    ],
)
def test_what_cannot_be_raced_for_is_refused(options: tuple[str, ...], fault: str) -> None:
    refused = invoke(*RACE, *options)
    assert refused.exit_code == 2
    assert fault in refused.stderr


def test_a_run_without_a_measured_task_is_told_in_a_line() -> None:
    failed = invoke(*RACE, "--best", "95%", "--replications", "2", "--set", "warm_up=299.9 s")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr.endswith(
        "no task was measured, so the run has no result; is the warm-up longer than the run?\n"
    )


def race(first_stage: int = 2) -> Selection:
    race = Selection(["a", "b", "c"], 0.95, 0.5, first_stage=first_stage)
    race.take({"a": 1.0, "b": 1.1, "c": 9.0})
    race.take({"a": 1.2, "b": 2.0, "c": 9.1})
    return race


def test_who_is_left_comes_first_then_who_dropped_out_last() -> None:
    rows = race_rows(race())
    assert [(row[0], row[1], row[2]) for row in rows][-1] == ("c", "a", "2")
    assert rows[0][0] == "a"
    assert rows[-1][-1] == "7.95"


def test_without_an_end_no_best_is_named() -> None:
    text = " ".join(verdict(race(), Outcome("budget", 6)))
    assert text.startswith("No best agent is known: the budget was spent with a and b left; ")
    assert "seeds at the latest" in text


def test_runs_in_vain_are_owned_up_to() -> None:
    ended = race()
    while ended.best is None:
        ended.take({"a": 1.0, "b": 3.0})
    text = " ".join(verdict(ended, Outcome("reached", ended.replications + 3)))
    assert "a is left." in text
    assert f"{ended.saved} (" in text
    assert "3 replications in vain" in text
