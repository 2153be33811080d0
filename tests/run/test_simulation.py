"""A run: what it leaves, when it ends, and what becomes of it when something goes wrong."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.runs import open_run, read_columns
from simoffload.record import durable
from simoffload.record.durable import RecordError
from simoffload.record.manifest import read_manifest
from simoffload.run import simulation
from simoffload.run.agents import AgentError
from simoffload.run.progress import Progress
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"


def tiny(*overrides: str) -> Scenario:
    return load_scenario("tiny", ["horizon={tasks: 20}", REFERENCES, *overrides])


def test_a_run_leaves_a_directory_that_tells_all(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "run"
    summary = simulate(tiny("records.level=full", "seed=7"), "random", directory)
    found = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    assert found == {
        "scenario.yaml", "manifest.json", "summary.json",
        *(f"{name}/part-00000.parquet" for name in ("tasks", "subtasks", "links", "nodes")),
    }  # fmt: skip
    assert json.loads((directory / "summary.json").read_text()) == summary
    run = open_run(directory)
    assert (run.manifest.status, run.manifest.seed, run.manifest.agent) == ("complete", 7, "random")
    assert run.manifest.fingerprint == summary["fingerprint"] == run.summary.fingerprint
    assert run.manifest.scenario_sha256 == sha256((directory / "scenario.yaml").read_bytes()).hexdigest()
    assert run.manifest.finished is not None
    assert run.is_complete
    assert run.has_rows
    assert len(read_columns(run, "tasks", ["task"])["task"]) == 20


def test_the_scenario_of_a_run_is_resolved_and_gives_the_same_run_again(tmp_path: Path) -> None:
    first = simulate(load_scenario("tiny", ["horizon={tasks: 10}"]), "random", tmp_path)
    again = load_scenario(tmp_path / "scenario.yaml")
    assert again.objective.latency_reference == first["objective"]["latency_reference_s"]
    assert simulate(again, "random")["fingerprint"] == first["fingerprint"]


def test_without_a_directory_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert simulate(tiny("records.level=full"), "random")["status"] == "complete"
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_gives_the_same_run_and_another_another() -> None:
    one, two, other = (simulate(tiny(f"seed={seed}"), "random") for seed in (1, 1, 2))
    for summary in (one, two, other):
        del summary["wall_s"]
    assert one == two
    assert one["fingerprint"] != other["fingerprint"]


def test_a_run_over_a_number_of_tasks_ends_with_the_last_of_them(tmp_path: Path) -> None:
    summary = simulate(tiny("records.level=full"), "random", tmp_path)
    finishes = read_columns(open_run(tmp_path), "tasks", ["finish_s"])["finish_s"]
    assert summary["simulated_s"] == finishes.max()
    assert summary["tasks"] == {"arrived": 20, "completed": 20, "dropped": 0, "in_system": 0, "measured": 20}


def test_a_run_over_a_time_ends_then_whatever_is_left() -> None:
    summary = simulate(tiny("horizon={time: 100 s}", "workloads.request.arrivals.rate=0.3 /s"), "all-edge")
    tasks = summary["tasks"]
    assert summary["simulated_s"] == 100.0
    assert summary["status"] == "complete"
    assert tasks["arrived"] == tasks["completed"] + tasks["in_system"]
    assert tasks["in_system"] > 0


def test_a_time_before_the_first_arrival_is_an_empty_run(tmp_path: Path) -> None:
    summary = simulate(tiny("horizon={time: 1 ms}", "records.level=full"), "random", tmp_path)
    assert summary["simulated_s"] == 1e-3
    assert summary["tasks"]["arrived"] == 0
    assert summary["latency_s"]["mean"] is summary["objective"]["mean"] is None
    assert open_run(tmp_path).is_complete


# ------------------------------------------------------------------------------------------------------- watch, stop


class Watcher:
    """Lets a run go on for so many looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.seen: list[Progress] = []

    def __call__(self, progress: Progress) -> bool:
        self.seen.append(progress)
        return len(self.seen) < self.looks


@pytest.fixture
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 20)


@pytest.mark.usefixtures("look_often")
def test_who_watches_sees_the_run_come_forward() -> None:
    watcher = Watcher(10**9)
    summary = simulate(tiny(), "random", watch=watcher)
    last = watcher.seen[-1]
    assert len(watcher.seen) > 10
    for name in ("simulated_s", "arrived", "finished", "share", "events", "wall_s"):
        values = [getattr(progress, name) for progress in watcher.seen]
        assert values == sorted(values)
    assert (last.share, last.finished, last.events) == (1.0, 20, summary["events"])


@pytest.mark.usefixtures("look_often")
def test_the_share_of_a_run_over_time_is_that_of_its_time() -> None:
    watcher = Watcher(10**9)
    simulate(tiny("horizon={time: 200 s}"), "random", watch=watcher)
    assert all(progress.share == pytest.approx(progress.simulated_s / 200) for progress in watcher.seen)
    assert watcher.seen[-1].share == 1.0


@pytest.mark.usefixtures("look_often")
def test_watching_changes_nothing() -> None:
    assert simulate(tiny(), "random", watch=Watcher(10**9))["fingerprint"] == simulate(tiny(), "random")["fingerprint"]


@pytest.mark.usefixtures("look_often")
def test_a_run_that_is_stopped_is_incomplete_and_can_be_read(tmp_path: Path) -> None:
    watcher = Watcher(12)
    summary = simulate(tiny("records.level=full"), "random", tmp_path, watcher)
    assert len(watcher.seen) == 12
    run = open_run(tmp_path)
    assert summary["status"] == run.summary.status == run.manifest.status == "incomplete"
    assert not run.is_complete
    tasks = run.summary.tasks
    assert tasks.arrived == tasks.completed + tasks.in_system
    assert 0 < tasks.arrived < 20
    rows = read_columns(run, "tasks", ["task", "status"])
    assert sorted(rows["task"]) == list(range(tasks.arrived))
    assert (rows["status"] == 0).sum() == tasks.completed
    assert run.summary.simulated_s == watcher.seen[-1].simulated_s


# ------------------------------------------------------------------------------------------------------------ faults


def test_an_unknown_agent_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"unknown agent 'randon'.* did you mean 'random'"):
        simulate(tiny(), "randon", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordError, match=f"cannot make {tmp_path}/file/run: Not a directory"):
        simulate(tiny(), "random", tmp_path / "file" / "run")


def test_rows_that_cannot_be_written_leave_the_run_incomplete(tmp_path: Path) -> None:
    (tmp_path / "tasks").write_text("in the way")
    with pytest.raises(RecordError, match=f"cannot write {tmp_path}/tasks/part-00000.parquet"):
        simulate(tiny("records.level=full"), "random", tmp_path)
    assert read_manifest(tmp_path).status == "incomplete"
    assert not (tmp_path / "summary.json").exists()


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(RecordError, match=f"cannot write {tmp_path}/manifest.json: No space left on device"):
        simulate(tiny(), "random", tmp_path)
    assert list(tmp_path.iterdir()) == []


class Failing:
    """Fails at its third decision."""

    order = "fifo"

    def reset(self, setting: Any, generator: Any) -> None:
        self.left = 3

    def decide(self, observation: Any) -> Any:
        self.left -= 1
        if not self.left:
            raise ZeroDivisionError("of its own making")
        return simulation.load_agent("all-cloud").decide(observation)


def test_a_run_whose_agent_fails_is_marked_as_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        failing, load = Failing(), simulation.load_agent
        patch.setattr(simulation, "load_agent", lambda name: failing if name == "failing" else load(name))
        with pytest.raises(ZeroDivisionError, match="of its own making"):
            simulate(tiny("records.level=full"), "failing", tmp_path)
    manifest = read_manifest(tmp_path)
    assert (manifest.status, manifest.fingerprint, manifest.parts) == ("failed", None, ())
    assert manifest.finished is not None
    assert not (tmp_path / "summary.json").exists()
    with pytest.raises(RecordError, match="its run is failed"):
        open_run(tmp_path)
