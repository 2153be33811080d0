"""`simoffload resume` finishes what was interrupted, leaves alone what is over, and says what it cannot do."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from simoffload.record.manifest import read_manifest
from simoffload.run import simulation

from .program import COMMAND, HEAVY, imported_by, invoke

RUN = ("run", "tiny", "--agent", "eft", "--tasks", "40", "--records", "full", "--out")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def interrupted(directory: str) -> None:
    """Leave a run that was stopped at its first look."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "_EVENTS_PER_LOOK", 100)
        patch.setattr(simulation, "_LOOK_S", 0.0)
        patch.setattr("simoffload.cli.run.watcher", lambda *_: lambda look: False)
        stopped = invoke(*RUN, directory, "--quiet")
    assert stopped.exit_code == 130
    assert stopped.stderr == (
        f"interrupted; what there is is in {directory}; go on with: simoffload resume {directory}\n"
    )


def test_an_interrupted_run_is_finished_as_if_nothing_had_happened() -> None:
    interrupted("cut")
    finished = invoke("resume", "cut", "--json")
    assert finished.exit_code == 0
    assert finished.stderr.startswith("going on at ")
    whole = json.loads(invoke(*RUN, "whole", "--json").stdout)
    assert json.loads(finished.stdout) | {"wall_s": 0} == whole | {"wall_s": 0}
    assert read_manifest(Path("cut")).parts == read_manifest(Path("whole")).parts


def test_a_summary_in_words_is_printed_as_by_run() -> None:
    interrupted("cut")
    finished = invoke("resume", "cut")
    assert "eft on tiny, seed 1: complete" in finished.stdout
    assert invoke("resume", "cut").stdout == "the run in cut is over: complete\n"
    assert json.loads(invoke("resume", "cut", "--json").stdout) == json.loads(Path("cut/summary.json").read_text())
    assert invoke("resume", "cut", "--quiet").output == ""


def test_a_run_can_be_made_anew() -> None:
    interrupted("cut")
    (Path("cut") / "checkpoint").write_bytes(b"damaged")
    refused = invoke("resume", "cut")
    assert refused.exit_code == 1
    assert refused.stderr == (
        "Error: cut/checkpoint is no checkpoint that this simoffload reads; "
        "to make the run anew: simoffload resume cut --from-start\n"
    )
    anew = invoke("resume", "cut", "--from-start")
    assert (anew.exit_code, anew.stderr) == (0, "the run is made anew\n")


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("x", "", "nowhere is no run directory: cannot read nowhere/manifest.json: No such file or directory"),
        ("manifest.json", "{", "nowhere/manifest.json is not JSON: "),
        ("manifest.json", "[]", "nowhere/manifest.json has schema_version None; this simoffload reads 1"),
    ],
)
def test_what_is_no_run_is_refused(file: str, text: str, message: str) -> None:
    Path("nowhere").mkdir()
    (Path("nowhere") / file).write_text(text, encoding="utf-8")
    refused = invoke("resume", "nowhere")
    assert refused.exit_code == 2
    assert refused.stderr.startswith(message)
    assert len(refused.stderr.splitlines()) == 1


def test_a_run_whose_files_are_gone_is_an_error_in_a_line() -> None:
    interrupted("cut")
    Path("cut/scenario.yaml").unlink()
    failed = invoke("resume", "cut")
    assert failed.exit_code == 1
    assert failed.stderr == (
        "Error: cut has no scenario.yaml: was the run interrupted as it began? There is nothing to go on with; "
        "remove the directory and run it again\n"
    )


OVERLOAD = (
    "theory/mm1", "--agent", "eft", "--tasks", "5000", "--set", "workloads.customers.arrivals.rate=1.5 /s", "--out",
    "grows",
)  # fmt: skip


def test_a_run_that_grows_without_bound_ends_with_a_code_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 20)
    ended = invoke("run", *OVERLOAD, "--stop-if-unstable", "--quiet")
    assert ended.exit_code == 3
    assert ended.stderr.startswith("stopped as unstable: the backlog grows without bound: ")
    manifest = read_manifest(Path("grows"))
    assert (manifest.status, manifest.stop_if_unstable) == ("unstable", True)
    assert manifest.reason is not None
    assert json.loads(Path("grows/summary.json").read_text(encoding="utf-8"))["reason"] == manifest.reason
    over = invoke("resume", "grows")
    assert (over.exit_code, over.stdout) == (3, f"the run in grows is over: unstable, {manifest.reason}\n")


def test_a_run_that_was_killed_is_finished() -> None:
    arguments = [*COMMAND, *RUN, "here", "--quiet"]
    arguments[arguments.index("40")] = "3000"
    with subprocess.Popen(arguments) as process:
        end = time.monotonic() + 60
        while not Path("here/manifest.json").exists():
            assert time.monotonic() < end
            time.sleep(0.02)
        time.sleep(0.3)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert read_manifest(Path("here")).status == "incomplete"
    asked = subprocess.Popen([*COMMAND, "resume", "here"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with asked:
        assert asked.stderr is not None
        said = asked.stderr.readline()
        asked.send_signal(signal.SIGINT)
        _, err = asked.communicate(timeout=60)
    assert said.startswith("there is no checkpoint, so the run is played again from its beginning: it was interrupted")
    if asked.returncode:
        assert asked.returncode == 130
        assert err.endswith("interrupted; what there is is in here; go on with: simoffload resume here\n")


def test_help_imports_nothing_large() -> None:
    assert not imported_by("resume", "--help") & (HEAVY | {"numpy", "pyarrow", "pydantic", "simpy"})
