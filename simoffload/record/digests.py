"""Digests of files, by which a result knows what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from .durable import RecordError, contents


def digest_of(files: Iterable[Path]) -> str:
    """Of names and contents, in order of name; RecordError where one cannot be read."""
    digest = blake2b(digest_size=12)
    for path in sorted(files):
        content = bytes_of(path)
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def files_of(path: Path) -> Iterable[Path]:
    """The file itself, or all in a folder."""
    return (each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def bytes_of(path: Path) -> bytes:
    """The content of a file; RecordError where it cannot be read."""
    try:
        return contents(path)
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror or error}") from error
