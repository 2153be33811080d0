"""`simoffload analyze` tells means and quantiles with intervals, or what is in their way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from ..analysis.synthetic import Behaviour, Setup, write_run
from .program import invoke


@pytest.fixture
def two_seeds(tmp_path: Path) -> list[str]:
    for seed in (7, 8):
        write_run(tmp_path / str(seed), "eft", Behaviour(), seed, Setup(tasks=300))
    return [str(tmp_path / "7"), str(tmp_path / "8")]


def test_a_table_has_a_line_for_every_quantity(two_seeds: list[str]) -> None:
    done = invoke("analyze", two_seeds[0])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "eft on made-up, seed 7; 95% intervals"
    assert lines[1].startswith("warm-up: 20.0 s by the scenario; beyond that, by MSER-5,")
    assert lines[2].split()[:4] == ["quantity", "mean", "p50", "p90"]
    assert [line.split(",")[0].split()[0] for line in lines[4:8]] == ["latency", "objective", "cost", "waiting"]


def test_several_seeds_are_replications(two_seeds: list[str]) -> None:
    done = invoke("analyze", *two_seeds, "--of", "latency", "--json")
    (group,) = json.loads(done.stdout)
    assert group["seeds"] == [7, 8]
    assert list(group["quantities"]) == ["latency"]
    mean = group["quantities"]["latency"]["mean"]
    assert (mean["method"], mean["level"]) == ("pooled batches", 0.95)
    assert set(group["quantities"]["latency"]["quantiles"]) == {"p50", "p90", "p95", "p99", "p99.9"}


def test_an_unknown_quantity_is_answered_with_the_nearest(two_seeds: list[str]) -> None:
    refused = invoke("analyze", two_seeds[0], "--of", "latancy")
    assert refused.exit_code == 2
    assert "--of: unknown quantity 'latancy'" in refused.stderr
    assert "'latency'" in refused.stderr


@pytest.mark.parametrize("option", ["--level", "--within"])
def test_nan_is_no_share(option: str, two_seeds: list[str]) -> None:
    refused = invoke("analyze", two_seeds[0], option, "nan")
    assert refused.exit_code == 2
    assert f"Invalid value for '{option}': nan is no number" in refused.stderr


def test_a_directory_without_results_is_named(tmp_path: Path) -> None:
    failed = invoke("analyze", str(tmp_path))
    assert failed.exit_code == 1
    assert "is no result" in failed.stderr


def test_a_column_of_a_file_is_accounted_for(tmp_path: Path) -> None:
    rows = "\n".join(f"{number},{1 + number % 7}" for number in range(5000))
    (tmp_path / "waits.csv").write_text(f"number,wait_s\n{rows}\n", encoding="utf-8")
    done = invoke("analyze", str(tmp_path / "waits.csv"), "--of", "wait_s", "--order", "number")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[0].endswith("waits.csv; 95% intervals")
    assert "wait_s" in done.stdout
    assert " rows" in done.stdout.splitlines()[4]


def test_a_file_needs_a_column_and_runs_no_order(tmp_path: Path, two_seeds: list[str]) -> None:
    (tmp_path / "waits.csv").write_text("wait_s\n1\n", encoding="utf-8")
    assert "say which column of the file" in invoke("analyze", str(tmp_path / "waits.csv")).stderr
    assert "--order is for files" in invoke("analyze", *two_seeds, "--order", "task").stderr


def test_latency_is_known_without_rows(tmp_path: Path) -> None:
    simulate(load_scenario("tiny", ["records.level=off", "horizon={tasks: 300}"]), "eft", tmp_path / "run")
    (group,) = json.loads(invoke("analyze", str(tmp_path / "run"), "--json").stdout)
    assert list(group["quantities"]) == ["latency"]
    assert group["quantities"]["latency"]["mean"]["method"].startswith("few batches of a stream")
    refused = invoke("analyze", str(tmp_path / "run"), "--of", "cost")
    assert "has no rows, and without rows only latency is known: run it with --records full" in refused.stderr


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    refused = invoke("analyze", str(tmp_path / "waits.csv"), "--of", "wait_s")
    assert refused.exit_code == 2
    assert "waits.csv' does not exist" in refused.stderr


def test_the_laws_that_records_keep_are_told(tmp_path: Path) -> None:
    simulate(load_scenario("tiny", ["records.level=full", "horizon.tasks=200"]), "eft", tmp_path / "run")
    told = invoke("analyze", str(tmp_path / "run")).stdout.splitlines()[-1]
    assert told.startswith("Little's law, conservation, utilisation law and flow balance hold in all ")
    (group,) = json.loads(invoke("analyze", str(tmp_path / "run"), "--json").stdout)
    assert group["laws"]["hold"] is True
    assert group["laws"]["checks"] > 10
    assert 0 <= group["laws"]["largest_residual"] < 1e-9
