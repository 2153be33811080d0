"""A run directory in which something is damaged, missing or of another kind is refused by name, or it can be read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record import durable
from simoffload.record.durable import RecordError
from simoffload.record.manifest import CHECKPOINT_FILE, MANIFEST_FILE, SCENARIO_FILE, read_manifest, versions
from simoffload.record.parts import read_table
from simoffload.run import checkpoint, simulation
from simoffload.run.agents import load_agent
from simoffload.run.checkpoint import CheckpointError, origin, packed, unpacked
from simoffload.run.resuming import resume
from simoffload.run.saving import Rhythm
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from .inputs import NASTY, QUICK, answered, damaged, paths, replaced

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
EFT = load_agent("eft")
OF = origin(versions(), "ab" * 32, "eft", EFT)
SAVED = packed(OF, {"a": [1.5, 2], "b": "c"})


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted, with parts and a checkpoint."""
    directory = tmp_path_factory.mktemp("run") / "interrupted"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(durable.os, "fsync", lambda descriptor: None)
        patched.setattr(simulation, "_LOOK_S", 0.0)
        patched.setattr(simulation, "_EVENTS_PER_LOOK", 100)
        scenario = load_scenario("tiny", [REFERENCES, "horizon={tasks: 30}", "records.level=full"])
        looks = iter([True, True, False])
        simulate(scenario, "eft", directory, lambda progress: next(looks), rows_per_part=100, rhythm=Rhythm(0.0, 0.0))
    assert {MANIFEST_FILE, SCENARIO_FILE, CHECKPOINT_FILE} <= set(os.listdir(directory))
    return directory


@pytest.fixture
def run(interrupted: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(interrupted, tmp_path / "run"))


def refused_or_read(read: Callable[[], object]) -> None:
    try:
        read()
    except RecordError as error:
        assert str(error)
        assert "\n" not in str(error)


@QUICK
@given(data=st.data())
def test_a_manifest_that_is_damaged_is_read_or_refused(run: Path, interrupted: Path, data: st.DataObject) -> None:
    content = data.draw(damaged((interrupted / MANIFEST_FILE).read_bytes()))
    (run / MANIFEST_FILE).write_bytes(content)
    refused_or_read(lambda: read_manifest(run))
    refused_or_read(lambda: read_table(run, "tasks"))


@QUICK
@given(data=st.data())
def test_a_manifest_with_a_nasty_value_anywhere_is_read_or_refused(
    run: Path, interrupted: Path, data: st.DataObject
) -> None:
    said: Any = json.loads((interrupted / MANIFEST_FILE).read_bytes())
    path = data.draw(st.sampled_from(paths(said)))
    changed = replaced(said, path, data.draw(st.sampled_from([value for value in NASTY if value != 10**400])))
    (run / MANIFEST_FILE).write_text(json.dumps(changed), encoding="utf-8")
    refused_or_read(lambda: read_manifest(run))
    refused_or_read(lambda: read_table(run, "tasks"))


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\x00" * 100, b'{"schema_version": 1' + b"0" * 5000 + b"}"])
def test_a_foreign_manifest_is_refused(run: Path, content: bytes) -> None:
    (run / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(RecordError, match=r"manifest\.json"):
        read_manifest(run)
    assert answered("resume", str(run)) == 2


@QUICK
@given(data=st.data())
def test_a_part_that_is_damaged_is_refused(run: Path, interrupted: Path, data: st.DataObject) -> None:
    parts = [part.file for part in read_manifest(interrupted).parts]
    file = data.draw(st.sampled_from(parts))
    content = (interrupted / file).read_bytes()
    (run / file).write_bytes(changed := data.draw(damaged(content)))
    if changed == content:
        return
    with pytest.raises(RecordError, match="is damaged or from another run"):
        read_table(run, file.partition("/")[0])
    (run / file).write_bytes(content)


@QUICK
@given(data=st.data())
def test_a_part_that_is_damaged_and_vouched_for_is_refused_or_read(
    run: Path, interrupted: Path, data: st.DataObject
) -> None:
    manifest = read_manifest(interrupted)
    part = data.draw(st.sampled_from(manifest.parts))
    content = data.draw(damaged((interrupted / part.file).read_bytes()))
    vouched = part.model_copy(update={"blake2b": blake2b(content, digest_size=16).hexdigest()})
    (run / part.file).write_bytes(content)
    (run / MANIFEST_FILE).write_text(manifest.model_copy(update={"parts": (vouched,)}).model_dump_json())
    refused_or_read(lambda: read_table(run, part.file.partition("/")[0]))


@QUICK
@given(data=st.data())
def test_a_checkpoint_that_is_damaged_is_refused(data: st.DataObject) -> None:
    content = data.draw(damaged(SAVED))
    if content != SAVED:
        with pytest.raises(CheckpointError):
            unpacked(content, OF, EFT)


@QUICK
@given(data=st.data())
def test_a_checkpoint_that_is_damaged_and_vouched_for_is_refused_or_read(data: st.DataObject) -> None:
    rest = data.draw(damaged(SAVED[len(checkpoint._MAGIC) + checkpoint._DIGEST :]))
    refused_or_read(lambda: unpacked(checkpoint._MAGIC + checkpoint._digest(rest) + rest, OF, EFT))


@pytest.mark.parametrize("size", [10**6, 10**10, 10**12, 2**63, -1, 0, "1", None, 1.5])
def test_a_checkpoint_that_would_fill_the_memory_is_refused(size: Any) -> None:
    line, _, body = SAVED[len(checkpoint._MAGIC) + checkpoint._DIGEST :].partition(b"\n")
    rest = json.dumps(json.loads(line) | {"raw_bytes": size}).encode() + b"\n" + body
    with pytest.raises(CheckpointError, match="cannot be read"):
        unpacked(checkpoint._MAGIC + checkpoint._digest(rest) + rest, OF, EFT)


@pytest.mark.parametrize("state", [None, [], (1, 2), (1, 2, 3), {"a": 1}])
def test_a_checkpoint_of_something_else_than_a_run_is_refused(run: Path, state: object) -> None:
    manifest = read_manifest(run)
    of = origin(versions(), manifest.scenario_sha256, manifest.agent, EFT)
    (run / CHECKPOINT_FILE).write_bytes(packed(of, state))
    with pytest.raises(CheckpointError, match="checkpoint holds no run"):
        resume(run)


@pytest.mark.parametrize("name", [MANIFEST_FILE, SCENARIO_FILE, CHECKPOINT_FILE])
@pytest.mark.parametrize("kind", ["directory", "pipe", "nothing", "empty"])
def test_a_run_whose_file_is_of_another_kind_is_refused(run: Path, name: str, kind: str) -> None:
    (run / name).unlink()
    if kind == "directory":
        (run / name).mkdir()
    elif kind == "pipe":
        os.mkfifo(run / name)
    elif kind == "empty":
        (run / name).touch()
    if (name, kind) != (CHECKPOINT_FILE, "nothing"):
        assert answered("resume", str(run)) in (1, 2)


def test_a_part_that_is_a_pipe_is_refused(run: Path) -> None:
    file = read_manifest(run).parts[0].file
    (run / file).unlink()
    os.mkfifo(run / file)
    with pytest.raises(RecordError, match="it is not a regular file"):
        read_table(run, file.partition("/")[0])


def test_a_run_directory_has_its_manifest_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: Any) -> None:
        raise RecordError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr("simoffload.run.journal.write_durably", full)
    with pytest.raises(RecordError, match="No space left"):
        simulate(load_scenario("tiny", [REFERENCES]), "eft", tmp_path)
    assert os.listdir(tmp_path) == [MANIFEST_FILE]
    assert answered("resume", str(tmp_path)) == 1
