"""Directories are read for what they hold; what is wrong with them is said with file and place."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simoffload.analysis.runs import (
    Comparison,
    Run,
    open_comparison,
    open_run,
    read_columns,
    run_directory,
)
from simoffload.record.durable import RecordError

from .results import results_of
from .synthetic import WARM_UP_S, Behaviour, Setup, edit_json, write_comparison, write_run

HEAVY = {"matplotlib", "seaborn", "pandas", "scipy", "pyarrow", "torch", "jinja2"}
SMALL = Setup(tasks=30)


def small_run(tmp_path: Path) -> Path:
    write_run(tmp_path / "run", setup=SMALL)
    return tmp_path / "run"


def small_comparison(tmp_path: Path, setup: Setup = SMALL) -> Path:
    return write_comparison(tmp_path, {"a": Behaviour(), "b": Behaviour(2.0)}, setup=setup)


@pytest.mark.parametrize("module", ["", ".runs", ".intervals", ".ranking", ".report", ".run_report"])
def test_importing_the_analysis_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, simoffload.analysis{module}; print(*sorted(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(found.stdout.split())


def test_a_run_is_opened_with_what_its_scenario_says(run: Run) -> None:
    assert (run.summary.agent, run.summary.seed, run.manifest.scenario) == ("ucb-coma", 7, "made-up")
    assert (run.description, run.warm_up_s) == ("Boxes & one <cloud>", WARM_UP_S)
    assert run.scenario_text.startswith("schema_version: 1\n")
    assert run.has_rows
    assert run.is_complete


def test_a_summary_is_read_as_it_stands(tmp_path: Path) -> None:
    written = write_run(tmp_path / "run", setup=SMALL)
    summary = open_run(tmp_path / "run").summary
    assert summary.latency_s.p95 == written["latency_s"]["p95"]
    assert summary.nodes["cloud"].queue_length.max == written["nodes"]["cloud"]["queue_length"]["max"]
    assert list(summary.nodes) == list(written["nodes"])
    assert summary.tasks.measured == written["tasks"]["measured"]


def test_what_could_not_be_measured_is_nan(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    edit_json(run / "summary.json", "latency_s", "p99", value=None)
    assert math.isnan(open_run(run).summary.latency_s.p99)


def test_an_unknown_width_is_infinite(tmp_path: Path) -> None:
    results = open_comparison(write_comparison(tmp_path, {"a": Behaviour()}, seeds=[7], setup=SMALL)).results
    assert results.agents["a"].objective.half_width == math.inf
    assert results.agents["a"].latency_s.p95_half_width == math.inf


def test_keys_of_later_versions_are_passed_over(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    edit_json(run / "summary.json", "of_a_later_version", value=[1, 2])
    assert open_run(run).summary.agent == "ucb-coma"


def test_a_scenario_without_warm_up_has_none(tmp_path: Path) -> None:
    run = small_run(tmp_path)
    (run / "scenario.yaml").write_text("name: plain\n")
    assert open_run(run).warm_up_s == 0
    assert open_run(run).description == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("- a list", "is not a scenario"),
        ("warm_up: 5 parsecs", "warm_up"),
        ("warm_up: 20", "warm_up"),
    ],
)
def test_a_scenario_that_is_none_is_named(tmp_path: Path, text: str, message: str) -> None:
    run = small_run(tmp_path)
    (run / "scenario.yaml").write_text(text)
    with pytest.raises(RecordError, match=rf"scenario\.yaml.*{message}") as caught:
        open_run(run)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["manifest.json", "summary.json", "scenario.yaml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    run = small_run(tmp_path)
    (run / name).unlink()
    with pytest.raises(RecordError, match=f"cannot read .*{name}"):
        open_run(run)


def test_a_run_that_was_stopped_before_its_summary_is_called_so(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=30, status="incomplete"))
    (tmp_path / "run" / "summary.json").unlink()
    with pytest.raises(RecordError, match=r"has no summary\.json: its run is incomplete"):
        open_run(tmp_path / "run")


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("latency_s", "p99"), "slow", r"summary\.json: latency_s\.p99: "),
        (("nodes", "cloud", "queue_length"), {"mean": 1.0}, r"nodes\.cloud\.queue_length\.max: "),
        (("tasks", "arrived"), 1.5, r"tasks\.arrived: "),
    ],
)
def test_a_wrong_value_is_named_with_its_place(
    tmp_path: Path, where: tuple[str, ...], value: object, message: str
) -> None:
    run = small_run(tmp_path)
    edit_json(run / "summary.json", *where, value=value)
    with pytest.raises(RecordError, match=message):
        open_run(run)


def test_what_is_not_json_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text("{half a")
    with pytest.raises(RecordError, match=r"comparison\.json is not JSON"):
        open_comparison(tmp_path)


def test_a_comparison_of_nothing_is_refused(tmp_path: Path) -> None:
    directory = small_comparison(tmp_path)
    edit_json(directory / "comparison.json", "agents", "a", "replications", value=[])
    with pytest.raises(RecordError, match=r"agents\.a has no replications"):
        open_comparison(directory)
    edit_json(directory / "comparison.json", "agents", value={})
    with pytest.raises(RecordError, match="compares no agents"):
        open_comparison(directory)


def test_a_comparison_holds_a_run_with_rows_of_each_agent(comparison: Comparison) -> None:
    assert list(comparison.runs) == list(comparison.results.agents)
    for name, run in comparison.runs.items():
        assert (run.summary.agent, run.summary.seed) == (name, 7)
        assert run.has_rows
    assert comparison.unfinished == ()


def test_the_run_with_rows_need_not_be_the_first(tmp_path: Path) -> None:
    directory = small_comparison(tmp_path)
    for seed, rows in ((7, False), (8, True)):
        run = run_directory(directory, "a", seed)
        for file in sorted(run.rglob("*"), reverse=True):
            file.unlink() if file.is_file() else file.rmdir()
        run.rmdir()
        write_run(run, "a", seed=seed, setup=SMALL, rows=rows)
    assert open_comparison(directory).runs["a"].summary.seed == 8


def test_a_comparison_does_without_run_directories(tmp_path: Path) -> None:
    directory = small_comparison(tmp_path)
    os.rename(directory / "runs", directory / "elsewhere")
    comparison = open_comparison(directory)
    assert comparison.runs == {}
    assert comparison.unfinished == ()


def test_runs_that_did_not_end_well_are_listed(tmp_path: Path) -> None:
    directory = small_comparison(tmp_path)
    edit_json(run_directory(directory, "b", 8) / "manifest.json", "status", value="failed")
    assert open_comparison(directory).unfinished == (("b", 8),)


def test_replications_that_are_missing_are_listed(tmp_path: Path) -> None:
    directory = small_comparison(tmp_path)
    path = directory / "comparison.json"
    kept = json.loads(path.read_bytes())["agents"]["a"]["replications"][:2]
    edit_json(path, "agents", "a", "replications", value=kept)
    assert open_comparison(directory).unfinished == (("a", 9),)


def test_columns_come_as_arrays_in_the_order_of_the_record(run: Run) -> None:
    columns = read_columns(run, "tasks", ["finish_s", "task"])
    assert list(columns) == ["finish_s", "task"]
    assert columns["task"].dtype == np.int64
    assert len(columns["task"]) == 200
    assert (np.diff(columns["finish_s"]) >= 0).all()


def test_the_share_of_completed_tasks_is_over_all_replications() -> None:
    results = results_of({"a": [1.0, 2.0], "b": [1.0, 2.0]}, completed={"a": 25})
    assert (results.agents["a"].completed_share, results.agents["b"].completed_share) == (0.25, 1.0)
