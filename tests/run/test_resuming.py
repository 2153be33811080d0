"""A run that was interrupted, however and how often, ends with the bytes of one that never was."""

from __future__ import annotations

import errno
import json
import os
import random
import resource
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.runs import open_run
from simoffload.record import durable
from simoffload.record.durable import RecordError
from simoffload.record.manifest import MANIFEST_FILE, read_manifest, write_manifest
from simoffload.record.parts import read_table
from simoffload.run import resuming, simulation
from simoffload.run.checkpoint import CheckpointError
from simoffload.run.progress import Progress
from simoffload.run.resuming import resume
from simoffload.run.saving import Rhythm
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario

from .test_checkpoint import Generating, Remembering

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
OFTEN = Rhythm(0.0, 0.0)
ROWS = 400


def scenario(*overrides: str) -> Scenario:
    return load_scenario("tiny", [REFERENCES, "horizon={tasks: 300}", "records.level=full", *overrides])


class Looks:
    """Lets a run go on for so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def __call__(self, progress: Progress) -> bool:
        self.left -= 1
        return self.left > 0


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """And do not wait for the disk, which only a loss of power asks for."""
    monkeypatch.setattr(durable.os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 100)


def content(directory: Path) -> dict[str, Any]:
    """All files of a run, without what tells of wall time."""
    found: dict[str, Any] = {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }
    for name, times in (("manifest.json", ("started", "finished")), ("summary.json", ("wall_s",))):
        found[name] = {key: value for key, value in json.loads(found[name]).items() if key not in times}
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The files of the run that nothing interrupted."""
    directory = tmp_path_factory.mktemp("whole")
    simulate(scenario(), "eft", directory, rows_per_part=ROWS)
    assert len(read_manifest(directory).parts) > 16
    return content(directory)


def stopped(directory: Path, looks: int, agent: str = "eft", rhythm: Rhythm = OFTEN) -> None:
    summary = simulate(scenario(), agent, directory, Looks(looks), rows_per_part=ROWS, rhythm=rhythm)
    assert summary["status"] == "incomplete"


# ------------------------------------------------------------------------------------------------ stopped in order


@pytest.mark.parametrize("looks", [1, 7, 30])
def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(looks: int, tmp_path: Path, whole: dict[str, Any]) -> None:
    stopped(tmp_path, looks)
    assert open_run(tmp_path).manifest.status == "incomplete"
    said: list[str] = []
    summary = resume(tmp_path, say=said.append)
    assert summary["status"] == "complete"
    assert said[0].startswith("going on at ")
    assert content(tmp_path) == whole


def test_a_run_may_be_stopped_again_and_again(tmp_path: Path, whole: dict[str, Any]) -> None:
    stopped(tmp_path, 5)
    while resume(tmp_path, Looks(9), rhythm=OFTEN)["status"] == "incomplete":
        tasks = json.loads((tmp_path / "summary.json").read_text())["tasks"]
        rows = read_table(tmp_path, "tasks", ["task"])["task"].to_pylist()
        assert sorted(rows) == list(range(tasks["arrived"]))
    assert content(tmp_path) == whole


def test_wall_time_adds_up_over_interruptions(tmp_path: Path) -> None:
    looks: list[float] = []

    def watch(progress: Progress) -> bool:
        looks.append(progress.wall_s)
        return len(looks) != 10

    simulate(scenario(), "eft", tmp_path, watch, rhythm=OFTEN)
    summary = resume(tmp_path, watch)
    assert looks == sorted(looks)
    assert len(looks) > 20
    assert summary["wall_s"] > looks[-1]


def test_a_directory_may_be_moved_before_it_is_gone_on_with(tmp_path: Path, whole: dict[str, Any]) -> None:
    stopped(tmp_path / "here", 20)
    (tmp_path / "here").rename(tmp_path / "there")
    resume(tmp_path / "there")
    assert content(tmp_path / "there") == whole


def test_a_run_without_rows_goes_on_as_well(tmp_path: Path) -> None:
    few = scenario("records.level=off")
    plain = simulate(few, "eft", tmp_path / "plain")
    simulate(few, "eft", tmp_path / "cut", Looks(20), rhythm=OFTEN)
    assert resume(tmp_path / "cut")["fingerprint"] == plain["fingerprint"]
    assert content(tmp_path / "cut") == content(tmp_path / "plain")


def test_a_run_that_is_going_on_is_not_gone_on_with(tmp_path: Path, whole: dict[str, Any]) -> None:
    stopped(tmp_path / "run", 1)
    with durable.held(tmp_path / "run"), pytest.raises(RecordError, match="is in use"):
        resume(tmp_path / "run")
    resume(tmp_path / "run", rhythm=OFTEN)
    assert content(tmp_path / "run") == whole


def test_a_run_that_is_over_is_not_gone_on_with(tmp_path: Path) -> None:
    simulate(scenario("horizon={tasks: 5}"), "eft", tmp_path)
    assert not (tmp_path / "checkpoint").exists()
    with pytest.raises(RecordError, match="is over: its status is complete"):
        resume(tmp_path)


# ---------------------------------------------------------------------------------------------------------- killed

NURSERY = """
import os, signal, sys, time
import pyarrow.parquet
from pathlib import Path
from simoffload.record import durable
from simoffload.run import simulation
from simoffload.run.resuming import resume
from tests.run.test_resuming import OFTEN, ROWS, scenario

simulation._EVENTS_PER_LOOK = 100
durable.os.fsync = lambda descriptor: None
directory = Path(sys.argv[1])

def play():
    if (directory / "manifest.json").exists():
        resume(directory, rhythm=OFTEN)
    else:
        simulation.simulate(scenario(), "eft", directory, rows_per_part=ROWS, rhythm=OFTEN)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        try:
            play()
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    end, done = time.monotonic() + float(line), 0
    while not done and time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        time.sleep(0.001)
    if not done:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
"""Has a child per line that it reads, which runs or goes on for so many seconds and is then killed."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_run_that_is_killed_at_random_moments_ends_with_the_same_bytes(
    seed: int, tmp_path: Path, whole: dict[str, Any]
) -> None:
    draw = random.Random(seed)
    killed = 0
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as nursery:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        for attempt in count():
            print(draw.uniform(0.02, 0.15 * 1.1**attempt), file=nursery.stdin, flush=True)
            ended = int(nursery.stdout.readline())
            assert ended in (0, -signal.SIGKILL)
            if not (tmp_path / MANIFEST_FILE).exists():
                continue
            manifest = read_manifest(tmp_path)
            for name in ("tasks", "subtasks", "links", "nodes"):
                read_table(tmp_path, name)
            if manifest.status == "complete":
                break
            assert manifest.status == "incomplete"
            killed += 1
            assert killed < 50, "it does not come forward"
    assert killed > 1
    (tmp_path / "checkpoint").unlink(missing_ok=True)
    assert content(tmp_path) == whole


def test_parts_that_were_written_remain_listed_while_a_killed_run_comes_back_to_them(tmp_path: Path) -> None:
    stopped(tmp_path, 10, rhythm=Rhythm(1e9, 1e9))
    manifest = read_manifest(tmp_path)
    simulate(scenario(), "eft", tmp_path / "other", rows_per_part=ROWS)
    later = read_manifest(tmp_path / "other").parts
    for part in later:
        (tmp_path / part.file).write_bytes((tmp_path / "other" / part.file).read_bytes())
    as_killed = manifest.model_copy(update={"parts": later, "fingerprint": None, "finished": None})
    write_manifest(tmp_path, as_killed)
    seen: list[int] = []

    def watch(progress: Progress) -> bool:
        seen.append(len(read_manifest(tmp_path).parts))
        for name in ("tasks", "subtasks", "links", "nodes"):
            read_table(tmp_path, name)
        return len(seen) < 15

    resume(tmp_path, watch, rhythm=OFTEN)
    assert seen == [len(later)] * 15
    assert 0 < len(read_manifest(tmp_path).parts) < len(later)
    resume(tmp_path)
    assert read_manifest(tmp_path).parts == later


def test_what_a_killed_run_left_half_written_goes(tmp_path: Path, whole: dict[str, Any]) -> None:
    stopped(tmp_path, 10)
    (tmp_path / "tasks" / "part-00000.parquet.tmp").write_bytes(b"half")
    (tmp_path / "tasks" / "part-00777.parquet").write_bytes(b"unlisted")
    (tmp_path / "manifest.json.tmp").write_bytes(b"{")
    resume(tmp_path)
    assert content(tmp_path) == whole


# ------------------------------------------------------------------------------------------------------ a full disk


class FullDisk:
    """A disk that takes so many more files."""

    def __init__(self, files: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = files
        self._replace = os.replace
        monkeypatch.setattr(durable.os, "replace", self)

    def __call__(self, source: Path, target: Path) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._replace(source, target)


@pytest.mark.parametrize("files", [2, 3, 5, 9, 20, 37])
def test_a_disk_that_fills_up_leaves_a_run_to_read_and_to_go_on_with(
    files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    with monkeypatch.context() as patch:
        FullDisk(files, patch)
        with pytest.raises(RecordError, match=r"cannot write .*: No space left on device"):
            simulate(scenario(), "eft", tmp_path, rows_per_part=ROWS, rhythm=OFTEN)
    manifest = read_manifest(tmp_path)
    assert manifest.status == "incomplete"
    for name in ("tasks", "subtasks", "links", "nodes"):
        table = read_table(tmp_path, name)
        assert table.num_rows == sum(part.rows for part in manifest.parts if part.file.startswith(f"{name}/"))
    resume(tmp_path)
    assert content(tmp_path) == whole


LIMITED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from simoffload.cli.main import main
main(["run", "tiny", "--agent", "eft", "--tasks", "300", "--records", "full", "--out", sys.argv[1], "--quiet"])
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit on files here")
def test_the_program_says_in_a_line_that_a_file_cannot_be_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: cannot write {tmp_path}/")
    assert done.stderr.endswith(": File too large\n")
    assert len(done.stderr.splitlines()) == 1
    assert read_manifest(tmp_path).status == "incomplete"


# ----------------------------------------------------------------------------------------------------- playing again


def with_agent(monkeypatch: pytest.MonkeyPatch, agent: Any) -> None:
    for module in (simulation, resuming):
        monkeypatch.setattr(module, "load_agent", lambda name: agent)


def test_a_run_whose_agent_cannot_be_saved_is_played_again_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_agent(monkeypatch, Generating())
    simulate(scenario(), "mine", tmp_path / "whole", rows_per_part=ROWS, rhythm=OFTEN)
    stopped(tmp_path / "cut", 30, "mine")
    assert not (tmp_path / "cut" / "checkpoint").exists()
    assert read_manifest(tmp_path / "cut").no_checkpoint == "cannot pickle 'generator' object"
    said: list[str] = []
    assert resume(tmp_path / "cut", say=said.append)["status"] == "complete"
    assert said == [
        "there is no checkpoint, so the run is played again from its beginning: cannot pickle 'generator' object"
    ]
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


def test_a_run_that_does_not_repeat_itself_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Moody(Generating):
        runs = 0

        def reset(self, setting: Any, generator: Any) -> None:
            super().reset(setting, generator)
            self.runs += 1
            self.asked = self.runs

    with_agent(monkeypatch, Moody())
    with monkeypatch.context() as patch:
        FullDisk(15, patch)
        with pytest.raises(RecordError, match="No space left"):
            simulate(scenario(), "moody", tmp_path, rows_per_part=ROWS, rhythm=OFTEN)
    assert read_manifest(tmp_path).parts
    with pytest.raises(RecordError, match=r"part-00000\.parquet does not come out as it was before"):
        for _ in range(20):
            resume(tmp_path, Looks(20))


def test_a_checkpoint_of_another_version_is_refused_and_the_run_can_be_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: dict[str, Any]
) -> None:
    stopped(tmp_path, 20)
    with monkeypatch.context() as patch:
        patch.setattr(resuming, "versions", lambda: {"simoffload": "9.9"})
        before = content(tmp_path)
        with pytest.raises(CheckpointError, match=r"checkpoint was written by simoffload .*; this is simoffload 9\.9"):
            resume(tmp_path)
        assert content(tmp_path) == before
    said: list[str] = []
    assert resume(tmp_path, say=said.append, from_start=True)["status"] == "complete"
    assert said == ["the run is made anew"]
    assert content(tmp_path) == whole


def test_rows_of_another_version_are_not_mixed_with_those_of_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_agent(monkeypatch, Generating())
    stopped(tmp_path, 30, "mine")
    monkeypatch.setattr(resuming, "versions", lambda: {"simoffload": "9.9"})
    with pytest.raises(CheckpointError, match="was written by other versions: simoffload"):
        resume(tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    stopped(tmp_path, 20)
    path = tmp_path / "checkpoint"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=f"{path} is damaged"):
        resume(tmp_path)


def test_another_scenario_in_the_directory_is_refused(tmp_path: Path) -> None:
    stopped(tmp_path, 20)
    with open(tmp_path / "scenario.yaml", "a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(RecordError, match=r"scenario\.yaml is not the scenario that the run was begun with"):
        resume(tmp_path)


def test_an_agent_of_another_package_goes_on_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_agent(monkeypatch, Remembering())
    simulate(scenario(), "mine", tmp_path / "whole", rows_per_part=ROWS)
    stopped(tmp_path / "cut", 20, "mine")
    said: list[str] = []
    resume(tmp_path / "cut", say=said.append)
    assert said[0].startswith("going on at")
    assert content(tmp_path / "cut") == content(tmp_path / "whole")


def test_a_run_that_failed_can_be_gone_on_with_once_its_agent_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Remembering):
        broken = True

        def decide(self, observation: Any) -> Any:
            if self.broken and self.asked == 500:
                raise ZeroDivisionError
            return super().decide(observation)

    with_agent(monkeypatch, Failing())
    monkeypatch.setattr(sys.modules[__name__], "Failing", Failing, raising=False)
    Failing.__qualname__ = "Failing"
    with pytest.raises(ZeroDivisionError):
        simulate(scenario(), "mine", tmp_path, rows_per_part=ROWS, rhythm=OFTEN)
    assert read_manifest(tmp_path).status == "failed"
    monkeypatch.setattr(Failing, "broken", False)
    assert resume(tmp_path)["tasks"]["completed"] == 300


def test_a_run_whose_trace_has_changed_is_another_run(tmp_path: Path) -> None:
    rates = tmp_path / "rates.csv"
    rates.write_text("0 1000000\n5 2000000\n9 500000\n")
    traced = scenario(f"links.radio.channel={{kind: trace, file: {rates}}}")
    simulate(traced, "eft", tmp_path / "run", Looks(2), rows_per_part=ROWS, rhythm=OFTEN)
    rates.write_text("0 1000000\n5 2000001\n9 500000\n")
    with pytest.raises(RecordError, match=r"rates\.csv is not what it was when the run began; put it back"):
        resume(tmp_path / "run")
    assert resume(tmp_path / "run", from_start=True)["status"] == "complete"


def test_which_rows_are_kept_is_said_by_the_scenario_and_not_by_an_edited_manifest(tmp_path: Path) -> None:
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    simulate(scenario("records.resolution=100 ns"), "eft", straight)
    simulate(scenario("records.resolution=100 ns"), "eft", stopped, lambda progress: False)
    (stopped / "checkpoint").unlink(missing_ok=True)
    manifest = json.loads((stopped / "manifest.json").read_text()) | {"kept_one_in": 0, "resolution_s": 0.0}
    (stopped / "manifest.json").write_text(json.dumps(manifest | {"parts": []}))
    resume(stopped)
    assert read_table(stopped, "subtasks").equals(read_table(straight, "subtasks"))
