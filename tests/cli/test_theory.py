"""`simoffload theory` tells the nearest closed form of every station, beside what a run measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .program import HEAVY, imported_by, invoke


def test_a_single_queue_is_told_in_a_line() -> None:
    done = invoke("theory", "theory/mm1")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "mm1: every subtask goes to the one node that can serve it"
    row = next(line for line in lines if line.startswith("station  M/M/1"))
    assert row.split() == ["station", "M/M/1", "0.800", "80.0", "%", "80.0", "%", "4.00", "5.00", "3.20"]
    assert lines[-1] == "station: nothing was found that the form does not assume"


def test_settings_are_heard_and_overload_is_said_plainly() -> None:
    done = invoke("theory", "theory/mm1", "--set", "workloads.customers.arrivals.rate=1.2 /s")
    assert done.exit_code == 0
    assert "station: no steady state, its load is 1.2: the queue grows without end" in done.stdout
    assert "∞" in done.stdout


def test_json_has_what_the_tables_have() -> None:
    document = json.loads(invoke("theory", "theory/priority", "--json").stdout)
    station = document["stations"]["station"]
    assert station["form"] == "M/M/1, priorities"
    assert station["theory"]["wait_s"] == pytest.approx(4.0)
    assert station["by_class"]["1. urgent"]["wait_s"] == pytest.approx(0.8 / 0.7)
    assert station["not_met"] == []


def test_a_jackson_network_is_called_one() -> None:
    assert "a Jackson network" in invoke("theory", "theory/tandem").stdout


def test_stations_with_the_same_remark_share_a_line() -> None:
    done = invoke("theory", "tiny")
    assert "text, image and cloud: arrivals from other stations are taken for Poisson" in done.stdout
    assert "nothing comes to" in done.stdout


def test_a_run_is_compared_with_what_it_measured(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    settings = ["--set", "telemetry_interval=1 h", "--tasks", "4000", "--records", "full", "--quiet"]
    assert invoke("run", "theory/mm1", "--agent", "all-edge", "--out", out, *settings).exit_code == 0
    done = invoke("theory", out)
    assert done.stdout.startswith("mm1 with all-edge, seed 1909: theory from what came")
    assert "measured over theory" in done.stdout
    station = json.loads(invoke("theory", out, "--json").stdout)["stations"]["station"]
    assert station["measured"]["utilisation"] == pytest.approx(station["theory"]["utilisation"], rel=0.05)


def test_an_agent_is_simulated_and_compared() -> None:
    done = invoke("theory", "tiny", "--agent", "eft", "--set", "horizon.tasks=150", "--json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["agent"] == "eft"
    assert document["stations"]["cloud"]["measured"]["sojourn_s"] > 0


def test_a_simulation_that_measured_nothing_is_named_by_its_scenario() -> None:
    failed = invoke("theory", "theory/priority", "--set", "horizon.tasks=20", "--agent", "all-edge")
    assert failed.exit_code == 1
    assert "the run of all-edge on priority has nothing to measure after its warm-up of 1000 s" in failed.stderr


def test_a_run_takes_neither_settings_nor_an_agent(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    refused = invoke("theory", str(tmp_path), "--set", "seed=1", "--agent", "eft")
    assert refused.exit_code == 2
    assert "--set: " in refused.stderr and "--agent: " in refused.stderr


def test_an_unknown_agent_is_answered_before_anything_runs() -> None:
    refused = invoke("theory", "tiny", "--agent", "etf")
    assert refused.exit_code == 2
    assert "--agent: unknown agent 'etf'" in refused.stderr


def test_a_broken_run_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    failed = invoke("theory", str(tmp_path))
    assert failed.exit_code == 1
    assert "manifest.json" in failed.stderr


def test_nothing_heavy_is_loaded() -> None:
    assert not HEAVY & imported_by("theory", "theory/mm1")
