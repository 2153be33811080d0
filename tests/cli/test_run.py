"""`simoffload run` leaves a run directory, says what came out, and runs nothing when anything is wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from simoffload.analysis.runs import open_run
from simoffload.record.durable import RecordError

from .program import COMMAND, invoke


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_leaves_its_directory_and_a_summary_in_words() -> None:
    done = invoke("run", "tiny", "--agent", "random", "--seed", "5", "--tasks", "20")
    assert done.exit_code == 0
    run = open_run(Path("runs/tiny-random-5"))
    assert (run.manifest.status, run.summary.seed, run.summary.tasks.completed) == ("complete", 5, 20)
    assert f"fingerprint  {run.summary.fingerprint}\n" in done.stdout
    assert "random on tiny, seed 5: complete\n" in done.stdout
    assert "20 arrived, 20 completed, 0 dropped" in done.stdout
    assert "\nlaws         Little's law holds at " in done.stdout


def test_json_is_the_summary_and_nothing_else() -> None:
    done = invoke("run", "tiny", "--agent", "all-edge", "--tasks", "20", "--out", "here", "--json")
    assert json.loads(done.stdout) == json.loads(Path("here/summary.json").read_text(encoding="utf-8"))


def test_quiet_says_nothing() -> None:
    overload = ("--set", "workloads.request.arrivals.rate=1 /s")
    done = invoke("run", "tiny", "--agent", "all-edge", "--tasks", "20", "--quiet", *overload)
    assert (done.exit_code, done.output) == (0, "")
    assert Path("runs/tiny-all-edge-1/summary.json").is_file()


def test_a_run_that_measured_nothing_says_so() -> None:
    done = invoke("run", "tiny", "--agent", "eft", "--tasks", "5", "--set", "warm_up=1 d")
    assert done.exit_code == 0
    assert "warning: no task was measured: none was completed that arrived after the warm-up" in done.stderr


def test_records_are_kept_on_demand() -> None:
    done = invoke("run", "tiny", "--agent", "random", "--tasks", "20", "--records", "full", "--out", "full")
    assert "laws         Little's law, conservation, utilisation law and flow balance hold in all " in done.stdout
    invoke("run", "tiny", "--agent", "random", "--tasks", "20", "--records", "off", "--out", "off")
    assert open_run(Path("full")).has_rows
    assert not open_run(Path("off")).has_rows
    assert open_run(Path("full")).summary.fingerprint == open_run(Path("off")).summary.fingerprint


def test_a_second_run_gets_a_directory_of_its_own() -> None:
    for _ in range(2):
        invoke("run", "tiny", "--agent", "random", "--tasks", "5", "--quiet")
    assert {path.name for path in Path("runs").iterdir()} == {"tiny-random-1", "tiny-random-1-2"}


def test_everything_wrong_is_told_at_once_and_nothing_is_left(elsewhere: Path) -> None:
    (elsewhere / "full").mkdir()
    (elsewhere / "full" / "x").touch()
    refused = invoke(
        "run", "tiny", "--agent", "randon", "--seed", "x", "--set", "edges.text.sped=1", "--out", "full"
    )  # fmt: skip
    assert (refused.exit_code, refused.stdout) == (2, "")
    lines = refused.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--seed x", "--set 'edges.text.sped=1'", "--agent", "--out"]
    assert lines[2].endswith("did you mean 'random'?")
    assert [path.name for path in elsewhere.rglob("*")] == ["full", "x"]


def test_an_agent_must_be_named() -> None:
    refused = invoke("run", "tiny")
    assert refused.exit_code == 2
    assert "--agent" in refused.stderr


def test_a_full_disk_is_an_error_in_a_line(monkeypatch: pytest.MonkeyPatch, elsewhere: Path) -> None:
    def full(*_: object, **__: object) -> None:
        raise RecordError("cannot write runs/x: No space left on device")

    monkeypatch.setattr("simoffload.run.simulation.simulate", full)
    failed = invoke("run", "tiny", "--agent", "random")
    assert failed.exit_code == 1
    assert failed.stderr == "Error: cannot write runs/x: No space left on device\n"
    assert list((elsewhere / "runs").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_with_what_there_is(number: signal.Signals) -> None:
    arguments = [*COMMAND, "run", "tiny", "--agent", "random", "--tasks", "10000000", "--out", "here", "--json"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _wait_for(Path("here/manifest.json"), process)
        time.sleep(0.5)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("interrupted; what there is is in here; go on with: simoffload resume here\n")
    summary = json.loads(out)
    assert summary["status"] == "incomplete"
    assert summary["tasks"]["arrived"] > 0
    assert open_run(Path("here")).manifest.status == "incomplete"
    assert json.loads(Path("here/summary.json").read_text(encoding="utf-8")) == summary


def _wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, "the program ended early"
        assert time.monotonic() < end, f"no {path} after {seconds} s"
        time.sleep(0.05)
