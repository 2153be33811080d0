"""A file is written whole or not at all, and an error names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from simoffload.record.durable import RecordError, contents, held, read_json, write_durably, write_json

needs_full_device = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_durably(path, b"one")
    write_durably(path, memoryview(b"two, longer"))
    assert path.read_bytes() == b"two, longer"
    assert os.listdir(tmp_path) == ["summary.json"]


@needs_full_device
def test_a_full_disk_leaves_the_earlier_file_and_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_durably(path, b"one")
    (tmp_path / "summary.json.tmp").symlink_to("/dev/full")
    with pytest.raises(RecordError, match=r"cannot write .*summary\.json: No space left on device"):
        write_durably(path, b"two")
    assert path.read_bytes() == b"one"
    assert os.listdir(tmp_path) == ["summary.json"]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot write .*gone/file: No such file or directory"):
        write_durably(tmp_path / "gone" / "file", b"")


def test_a_directory_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RecordError, match=r"cannot write .*taken"):
        write_durably(tmp_path / "taken", b"")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_file_is_read_whole_if_it_is_one_and_not_too_large(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    assert contents(path) == contents(path, 7) == b"content"
    with pytest.raises(OSError, match="it has more than 6 bytes"):
        contents(path, 6)
    with pytest.raises(FileNotFoundError):
        contents(tmp_path / "gone")
    with pytest.raises(IsADirectoryError):
        contents(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is not a regular file"):
        contents(tmp_path / "pipe")


@pytest.mark.skipif(os.name == "nt", reason="no locks of directories here")
def test_json_is_read_as_it_was_written(tmp_path: Path) -> None:
    said = {"name": "Fabrik Süd", "rates": [0.1, 1e-300], "end": None}
    write_json(tmp_path / "card.json", said)
    assert read_json(tmp_path / "card.json") == said


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"card\.json is not JSON: "):
        read_json(path)


def test_a_file_that_cannot_be_read_is_named_with_what_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot read the policy .*card\.json: No such file"):
        read_json(tmp_path / "card.json", what="the policy")
    (tmp_path / "card.json").write_bytes(b"[1, 2, 3]")
    with pytest.raises(RecordError, match=r"cannot read .*card\.json: it has more than 8 bytes"):
        read_json(tmp_path / "card.json", 8)


def test_a_directory_is_held_by_one_at_a_time_and_let_go_of_in_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "runs" / "one"
    with held(directory):
        with pytest.raises(RecordError, match="one is in use: another simoffload is at work there"), held(directory):
            raise AssertionError("two hold it")
        with held(tmp_path / "runs" / "two"):
            pass
    with pytest.raises(ValueError, match="it went wrong"), held(directory):
        raise ValueError("it went wrong")
    with held(directory):
        assert os.listdir(directory) == []
