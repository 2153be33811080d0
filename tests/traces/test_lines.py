"""Lines are read as they stand, up to sizes that memory can hold; what cannot be text is told by file and line."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from simoffload.traces import lines
from simoffload.traces.lines import FieldError, Place, TraceError, lines_of, meant, rows_of, shown, text_of

from .samples import written


def test_rows_come_with_the_line_on_which_they_end_without_blank_ones_and_comments(tmp_path: Path) -> None:
    path = written(tmp_path, '\ufeffa,b\r\n\r\n# 1,2\r\n"x\r\ny",2\r\n   \r\n,\r\nlast,row')
    assert list(rows_of(path)) == [(1, ["a", "b"]), (5, ["x\r\ny", "2"]), (7, ["", ""]), (8, ["last", "row"])]


def test_a_quote_in_the_wrong_place_is_reported_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,2\n"1"x,2\n')
    with pytest.raises(TraceError, match=r"trace:3: '?,'? expected after"):
        list(rows_of(path))


def test_bytes_that_are_no_text_do_not_matter_where_nobody_looks(tmp_path: Path) -> None:
    path = tmp_path / "latin"
    path.write_bytes(b"caf\xe9,1\n")
    assert list(rows_of(str(path))) == [(1, ["caf\ufffd", "1"])]


def test_a_line_that_is_too_long_is_reported_with_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 10)
    assert list(lines_of(written(tmp_path, "12345678\n12345678\n"))) == ["12345678\n"] * 2
    with pytest.raises(TraceError, match=r"trace:2: longer than 9 characters"):
        list(lines_of(written(tmp_path, "1\n1234567890\n")))


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "123456789")
    assert text_of(path, 9) == "123456789"
    with pytest.raises(TraceError, match=r"trace: has more than 8 bytes"):
        text_of(path, 8)
    monkeypatch.setattr(lines, "LARGEST_FILE", 8)
    with pytest.raises(TraceError, match=r"trace: has 9 bytes; at most 8 are read"):
        next(lines_of(path))


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packed.csv").write_bytes(gzip.compress(b"1 2\n"))
    os.mkfifo(tmp_path / "pipe")
    faults = {
        "packed.csv": "is compressed; unpack it first",
        "pipe": "is not a regular file",
        "": "is a directory, not a file",
        "nothing": "no file '",
        "packed.csv/inside": "no file '",
        "nul\0": "no file '",
        "x" * 300: "cannot read .*: File name too long",
    }
    for name, fault in faults.items():
        for read in (lambda path: next(lines_of(path)), lambda path: text_of(path, 10)):
            with pytest.raises(TraceError, match=fault):
                read(str(tmp_path / name))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "1 2\n")
    os.chmod(path, 0)
    with pytest.raises(TraceError, match=r"cannot read .*trace: Permission denied"):
        next(lines_of(path))


def test_a_place_puts_file_and_line_before_what_is_wrong_and_leaves_other_errors_alone() -> None:
    at = Place("f.csv")
    with pytest.raises(TraceError, match=r"^f\.csv: odd$"), at:
        raise FieldError("odd")
    at.line = 3
    with pytest.raises(TraceError, match=r"^f\.csv:3: odd$"), at:
        raise FieldError("odd")
    with pytest.raises(KeyError), at:
        raise KeyError


def test_pieces_of_files_are_shown_short_and_printable() -> None:
    assert shown("a\x00\u202eb") == r"'a\x00\u202eb'"
    assert len(shown("x" * 10**6)) < 70
    assert meant("mahi-mahi", ["csv", "mahimahi"]) == "; did you mean 'mahimahi'?"
    assert meant("x", ["csv", "mahimahi"]) == ""
