"""Lines of files from elsewhere: read as a stream, up to sizes that memory can hold, with a place for every complaint.

What is wrong with a field is found where no one knows of files, and raised as a `FieldError`; whoever reads the file
does so within a `Place`, which makes it a `TraceError` with file and line in front.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from stat import S_ISDIR, S_ISREG
from types import TracebackType

LARGEST_FILE = 2_000_000_000
"""Bytes of a file that is read; the largest published request trace has 1.2e9."""
LONGEST_LINE = 1_000_000
"""Characters."""
MOST_ROWS = 50_000_000
"""Requests or samples of a trace; each takes 24 bytes of memory at most."""

_GZIP = b"\x1f\x8b"


class TraceError(ValueError):
    """A file that holds no trace, or a trace with something in it that cannot be; the message names file and line."""


class FieldError(ValueError):
    """A field that cannot be read: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows of a file that were left out because a field that is needed is empty in them."""

    rows: int = 0
    first_line: int = 0
    """Where the first of them stands; 0 if there is none."""

    def and_line(self, line: int) -> Skipped:
        """One more row."""
        return Skipped(self.rows + 1, self.first_line or line)


NOTHING_SKIPPED = Skipped()


class Place:
    """Where in a file one is; as a context it makes a `FieldError` a `TraceError` that names the place.

    Loops set the line as they go: ``for at.line, row in rows_of(path)``.
    """

    __slots__ = ("line", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.line = 0
        """0 before the first and of what concerns the whole file."""

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, FieldError):
            raise TraceError(f"{self.path}:{self.line}: {error}" if self.line else f"{self.path}: {error}") from None


def shown(text: str) -> str:
    """A piece of a file as a message shows it: quoted, without control characters, cut where it is long."""
    return ascii(text if len(text) <= 60 else text[:60] + "...")


def meant(word: str, known: Iterable[str]) -> str:
    """A question for the known name that is spelt most like a word, to be put at the end of a message; often none."""
    close = get_close_matches(word[:60].casefold(), [name[:60].casefold() for name in islice(known, 100)], n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def lines_of(path: str) -> Iterator[str]:
    """The lines of a text file, each with its end; bytes that are not UTF-8 become U+FFFD.

    TraceError when there is no such file, it cannot be read, is compressed, or it or one of its lines is too long.
    """
    try:
        check_file(path)
        with Place(path) as at, open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
            while line := file.readline(LONGEST_LINE):
                at.line += 1
                if len(line) == LONGEST_LINE:
                    raise FieldError(f"longer than {LONGEST_LINE - 1} characters")
                yield line
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror or error}") from None


def text_of(path: str, most_bytes: int) -> str:
    """A whole text file; TraceError when there is none, it cannot be read, or it is larger than so many bytes."""
    try:
        check_file(path)
        with open(path, "rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise TraceError(f"cannot read {path}: {error.strerror or error}") from None
    if len(content) > most_bytes:
        raise TraceError(f"{path}: has more than {most_bytes} bytes")
    return content.decode("utf-8-sig", errors="replace")


def check_file(path: str) -> None:
    """TraceError unless this is a file that may hold text, and not too large; OSError when one cannot tell."""
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise TraceError(f"no file '{path}'") from None
    if S_ISDIR(state.st_mode):
        raise TraceError(f"{path}: is a directory, not a file; of the formats only servegen is a folder")
    if not S_ISREG(state.st_mode):
        raise TraceError(f"{path}: is not a regular file")
    if state.st_size > LARGEST_FILE:
        raise TraceError(f"{path}: has {state.st_size} bytes; at most {LARGEST_FILE} are read, so cut it into pieces")
    with open(path, "rb") as file:
        if file.read(len(_GZIP)) == _GZIP:
            raise TraceError(f"{path}: is compressed; unpack it first, such as with gunzip -k")


def rows_of(path: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with the lines on which they end, without blank ones and comments (`#`).

    TraceError where it is malformed.
    """
    held = 0

    def lines() -> Iterator[str]:
        nonlocal held
        for line in lines_of(path):
            held += len(line)
            if held > LONGEST_LINE:
                raise csv.Error(f"a row of more than {LONGEST_LINE} characters; is a quote not closed?")
            yield line

    reader = csv.reader(lines(), strict=True)
    try:
        for row in reader:
            held = 0
            if row and not row[0].startswith("#") and (len(row) > 1 or row[0].strip()):
                yield reader.line_num, row
    except csv.Error as error:
        raise TraceError(f"{path}:{reader.line_num}: {error}") from None
