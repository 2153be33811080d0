"""The report of a run describes that run and claims nothing beyond it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.numbers import rounded
from simoffload.analysis.run_report import write_run_report
from simoffload.record.durable import RecordError

from .html_reading import Element, assert_stands_alone, assert_well_linked, parsed, pictures, warnings_of
from .synthetic import Behaviour, Setup, edit_json, write_run

STEADY = [f"steady-{name}" for name in ("latency", "objective", "cost", "waiting")]
PICTURES = ["latency", "split", *STEADY, "utilisation", "queues", "lines", "gantt-median", "gantt-p95"]


def page_of(directory: Path) -> Element:
    return parsed(write_run_report(directory).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Element, dict[str, Any], Path]:
    """A page, the summary it is about, its directory."""
    directory = tmp_path_factory.mktemp("reported") / "run"
    summary = write_run(directory, setup=Setup(tasks=150))
    return page_of(directory), summary, directory


def test_the_page_needs_nothing_but_itself(written: tuple[Element, dict[str, Any], Path]) -> None:
    page, _, directory = written
    assert_stands_alone(page)
    assert_well_linked(page)
    assert pictures(page) == PICTURES
    found = {path.name for path in (directory / "figures").iterdir()}
    assert found == {f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")}


def test_the_answer_has_the_numbers_of_the_summary(written: tuple[Element, dict[str, Any], Path]) -> None:
    page, summary, _ = written
    answer = page.by_id("answer").text
    latency = summary["latency_s"]
    assert f"a task takes {rounded(latency['mean'])} s in the mean" in answer
    assert f"one in twenty takes more than {rounded(latency['p95'])} s" in answer
    assert f"one in a hundred more than {rounded(latency['p99'])} s" in answer
    assert f"the objective is {rounded(summary['objective']['mean'])}" in answer
    assert "Of 150 tasks 150 were completed, 0 dropped, and 0 were still in the system" in answer
    assert f"{summary['tasks']['measured']} are in the statistics" in answer
    assert "Too short for an interval of the mean" in answer
    assert warnings_of(page) == []


def test_the_tables_have_the_numbers_of_the_summary(written: tuple[Element, dict[str, Any], Path]) -> None:
    page, summary, _ = written
    nodes = page.by_id("nodes").rows()
    assert [row[0].text for row in nodes] == list(summary["nodes"])
    assert [float(row[2].attributes["data-mean"]) for row in nodes] == [
        node["utilisation"] for node in summary["nodes"].values()
    ]
    stages = page.by_id("stages").rows()
    assert [float(row[3].attributes["data-mean"]) for row in stages] == [
        stage["waiting_s"]["mean"] for stage in summary["stages"].values()
    ]


def test_shares_of_the_critical_path_add_up(written: tuple[Element, dict[str, Any], Path]) -> None:
    page, _, _ = written
    (sentence,) = (p.text for p in page.all("p") if p.text.startswith("Along the critical path"))
    shares = [int(word) for word in sentence.split() if word.isdigit()]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=1)


def test_the_command_repeats_the_run(written: tuple[Element, dict[str, Any], Path]) -> None:
    page, summary, directory = written
    words = shlex.split(next(page.all("pre")).text)
    assert words == ["simoffload", "run", "scenario.yaml", "--agent", "ucb-coma", "--seed", "7"]
    assert (directory / words[2]).is_file()
    assert summary["fingerprint"] in page.by_id("making").text


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_a_run_that_did_not_end_well_is_marked_on_top(tmp_path: Path, status: Any) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=60, kept_one_in=0, status=status))
    (warning,) = warnings_of(page_of(tmp_path / "run"))
    assert f"marked {status}" in warning


def test_a_manifest_that_says_incomplete_is_believed(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=60, kept_one_in=0))
    edit_json(tmp_path / "run" / "manifest.json", "status", value="incomplete")
    assert len(warnings_of(page_of(tmp_path / "run"))) == 1


def test_without_rows_the_page_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=60), rows=False)
    page = page_of(tmp_path / "run")
    assert pictures(page) == ["split", "utilisation"]
    assert "No rows were kept" in page.by_id("latency-section").text


def test_a_growing_backlog_is_told(tmp_path: Path) -> None:
    write_run(tmp_path / "run", behaviour=Behaviour(30, growth=60), setup=Setup(tasks=150))
    assert "The backlog grew all through the run" in page_of(tmp_path / "run").by_id("answer").text


def test_a_run_that_measured_nothing_says_so(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=1))
    page = page_of(tmp_path / "run")
    assert page.by_id("answer").text.startswith("Under ucb-coma no task was completed that could be measured.")
    assert "Of 1 task 1 were completed" in page.by_id("answer").text
    assert "latency" not in pictures(page)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="is no run directory"):
        write_run_report(tmp_path)
