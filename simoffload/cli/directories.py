"""Directories that results go to: a new one each time, so that no run ever writes over another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from .refusals import Refused

HOME = Path("runs")
"""Where results go that were given no place of their own."""


def directory_faults(out: Path | None) -> list[str]:
    """What keeps results from being written to a directory: that it is none, or that something is in it."""
    if out is None:
        return []
    try:
        is_empty = not os.listdir(out)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        return [f"--out: '{out}' is not a directory"]
    except OSError as error:
        return [f"--out: cannot look into '{out}': {error.strerror}"]
    return [] if is_empty else [f"--out: '{out}' is not empty; name another directory or remove this one"]


@contextmanager
def claimed(out: Path | None, name: str) -> Iterator[Path]:
    """The directory `out`, or a new one `runs/<name>[-<number>]`; Refused when it cannot be made.

    Of a name, whatever is neither letter nor digit, dot, dash nor underscore becomes a dash.

    If nothing was put into a directory made here, it is removed again in the end.
    """
    name = re.sub(r"[^\w.-]+", "-", name)
    try:
        directory, is_new = _made(out, name)
    except OSError as error:
        raise Refused([f"cannot make the directory '{out or HOME / name}': {error.strerror or error}"]) from None
    try:
        yield directory
    finally:
        if is_new:
            with suppress(OSError):
                directory.rmdir()


def _made(out: Path | None, name: str) -> tuple[Path, bool]:
    if out is not None:
        is_new = not out.exists()
        out.mkdir(parents=True, exist_ok=True)
        return out, is_new
    HOME.mkdir(exist_ok=True)
    for number in count(1):
        directory = HOME / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            directory.mkdir()
            return directory, True
    raise AssertionError("there is always a next number")
