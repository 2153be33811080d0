"""A manifest reads back as it was written; what is no manifest is refused with the file and the place."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import simoffload
from simoffload.record.durable import RecordError
from simoffload.record.manifest import (
    MANIFEST_FILE,
    Manifest,
    PartInfo,
    begin_manifest,
    read_manifest,
    versions,
    write_manifest,
)

PART = PartInfo(file="tasks/part-00000.parquet", rows=7, first_s=0.5, last_s=None, blake2b="ab" * 16)


@pytest.fixture
def manifest() -> Manifest:
    return begin_manifest("tiny", b"name: tiny\n", agent="random", seed=3)


def test_a_run_begins_incomplete_and_without_parts(manifest: Manifest) -> None:
    assert (manifest.status, manifest.parts, manifest.fingerprint, manifest.finished) == ("incomplete", (), None, None)
    assert manifest.scenario_sha256 == sha256(b"name: tiny\n").hexdigest()
    assert abs((datetime.now(UTC) - manifest.started).total_seconds()) < 60


def test_a_manifest_reads_back_as_it_was_written(manifest: Manifest, tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    ended = manifest.model_copy(update={"parts": (PART,)}).ended("complete", "0f" * 16)
    write_manifest(tmp_path, ended)
    assert read_manifest(tmp_path) == ended
    assert ended.finished is not None
    assert ended.finished >= ended.started
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST_FILE]


def test_a_run_is_over_when_it_is_complete_or_unstable(manifest: Manifest) -> None:
    assert not manifest.is_over
    assert not manifest.ended("incomplete", "0f" * 16).is_over
    assert not manifest.ended("failed", None).is_over
    assert manifest.ended("complete", "0f" * 16).is_over
    stopped = manifest.ended("unstable", "0f" * 16, "it grows")
    assert (stopped.is_over, stopped.reason) == (True, "it grows")


def test_a_run_that_goes_on_is_as_it_was_but_for_its_parts(manifest: Manifest) -> None:
    ended = manifest.ended("incomplete", "0f" * 16)
    assert ended.resumed((PART,)) == manifest.model_copy(update={"parts": (PART,)})


def test_a_manifest_tells_the_versions_that_ran(manifest: Manifest) -> None:
    assert manifest.versions == versions()
    assert manifest.versions["simoffload"] == simoffload.__version__
    assert manifest.versions["python"] == platform.python_version()
    for package in ("numpy", "simpy", "pyarrow"):
        assert manifest.versions[package] == version(package)


def test_a_directory_without_manifest_is_no_run_directory(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"is no run directory: cannot read .*manifest\.json: No such file"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "\x00\xff", '{"status": "complete"'])
def test_what_is_not_json_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_text(text, encoding="latin-1")
    with pytest.raises(RecordError, match=r"manifest\.json is not JSON"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("data", [[], 3, {}, {"schema_version": 2}, {"schema_version": "1"}])
def test_another_schema_version_is_refused(data: Any, tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(data))
    with pytest.raises(RecordError, match=r"manifest\.json has schema_version .*; this simoffload reads 1"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"status": "done"}, "status"),
        ({"seed": "three"}, "seed"),
        ({"started": "2026-01-01T00:00:00"}, "started"),
        ({"scenario_sha256": "?"}, "scenario_sha256"),
        ({"fingerprint": "0x12"}, "fingerprint"),
        ({"colour": "red"}, "colour"),
        ({"resolution_s": 1e308}, "resolution_s"),
        ({"resolution_s": float("inf")}, "resolution_s"),
        ({"resolution_s": float("nan")}, "resolution_s"),
        ({"kept_one_in": 10**30}, "kept_one_in"),
        ({"rows_per_part": 10**40}, "rows_per_part"),
        ({"parts": [{**PART.model_dump(), "rows": 0}]}, r"parts\.0\.rows"),
        ({"parts": [{**PART.model_dump(), "file": "../../part-00000.parquet"}]}, r"parts\.0\.file"),
        ({"parts": [PART.model_dump(), {}]}, r"parts\.1\.file"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named(
    change: dict[str, Any], where: str, manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / MANIFEST_FILE).write_text(json.dumps(json.loads(manifest.model_dump_json()) | change))
    with pytest.raises(RecordError, match=rf"manifest\.json: {where}: "):
        read_manifest(tmp_path)


def test_a_part_that_is_listed_twice_is_refused(manifest: Manifest, tmp_path: Path) -> None:
    write_manifest(tmp_path, manifest.model_copy(update={"parts": (PART, PART)}))
    with pytest.raises(
        RecordError, match=r"manifest\.json: parts: .*tasks/part-00000\.parquet is listed more than once"
    ):
        read_manifest(tmp_path)


def test_a_manifest_does_not_change(manifest: Manifest) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        manifest.seed = 4
