"""Files that are there whole or not at all, whatever happens to the program or the machine."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any

LARGEST_FILE = 4 * 2**30
"""Bytes of a file that is read whole; part files and checkpoints have some MB."""


class RecordError(Exception):
    """A record that cannot be written, or what should be one and cannot be read; the message names the file."""


def contents(path: Path, most_bytes: int = LARGEST_FILE) -> bytes:
    """The bytes of a file; OSError where there is none, or none that ends, or it is larger than so many bytes."""
    mode = path.stat().st_mode
    if not S_ISREG(mode) and not S_ISDIR(mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size > most_bytes:
            raise OSError(errno.EFBIG, f"it has more than {most_bytes} bytes", str(path))
        return file.read()


def read_json(path: Path, most_bytes: int = LARGEST_FILE, what: str = "") -> Any:
    """What a JSON file says; RecordError, with `what` it should be, where it cannot be read, or is no JSON."""
    try:
        return json.loads(contents(path, most_bytes))
    except OSError as error:
        raise RecordError(f"cannot read {what}{' ' if what else ''}{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{path} is not JSON: {error}") from None


def write_durably(path: Path, content: Any) -> None:
    """Write bytes (or any buffer of them) to `path` through `<path>.tmp`, on disk before it gets its name.

    RecordError when the disk is full or the like: then no half-written file is left, and what `path` held before is.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_directory(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise RecordError(f"cannot write {path}: {error.strerror or error}") from error


def write_json(path: Path, data: Any) -> None:
    """Write plain data as JSON in the same way; ValueError where a number is not finite."""
    write_durably(path, (json.dumps(data, indent=2, allow_nan=False) + "\n").encode())


def remove(path: Path) -> None:
    """Remove a file if it is there; RecordError when that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(f"cannot remove {path}: {error.strerror or error}") from error


def make_directory(directory: Path) -> None:
    """Make a directory where there is none; RecordError when that fails."""
    try:
        is_new = not directory.is_dir()
        directory.mkdir(parents=True, exist_ok=True)
        if is_new:
            _sync_directory(directory.parent)
    except OSError as error:
        raise RecordError(f"cannot make {directory}: {error.strerror or error}") from error


@contextlib.contextmanager
def held(directory: Path) -> Iterator[None]:
    """Nobody else may hold a directory, made if need be, meanwhile; RecordError where somebody does.

    A process that ends lets go, however it ends. Windows has no such thing for directories and goes without.
    """
    make_directory(directory)
    if os.name == "nt":
        yield
        return
    import fcntl

    descriptor = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RecordError(f"{directory} is in use: another simoffload is at work there") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    """Make a renaming durable; Windows has no handle for this and needs none."""
    if os.name != "nt":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
