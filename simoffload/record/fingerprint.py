"""A fingerprint of all rows of a run: equal for equal runs, whatever the size of the buffers and whatever is kept.

Per layout the bytes of the rows go through a chain of hashes in pieces of a fixed size,
h' = blake2b(h, piece), begun with the layout's name and columns; unlike a hash in the making, the chain pickles.
The fingerprint is the hash of the chains' ends in the order of the layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from .rows import LAYOUTS, Layout

_PIECE = 1 << 16
_DIGEST_BYTES = 16


class Fingerprint:
    """The fingerprint so far of the rows of some layouts."""

    __slots__ = ("_chains",)

    def __init__(self, layouts: Sequence[Layout] = LAYOUTS) -> None:
        self._chains = {layout.name: _Chain(layout) for layout in layouts}

    def update(self, layout: Layout, rows: bytes | bytearray | memoryview) -> None:
        """Take in the rows that follow in their layout."""
        self._chains[layout.name].update(rows)

    def hexdigest(self) -> str:
        """32 hexadecimal digits; more rows may follow."""
        return _hash(*(chain.digest() for chain in self._chains.values())).hex()


class _Chain:
    __slots__ = ("_pending", "_state")

    def __init__(self, layout: Layout) -> None:
        columns = ",".join(f"{column.name}:{column.code}" for column in layout.columns)
        self._state = _hash(f"{layout.name}({columns})".encode())
        self._pending = bytearray()

    def update(self, rows: bytes | bytearray | memoryview) -> None:
        self._pending += rows
        whole = len(self._pending) // _PIECE * _PIECE
        with memoryview(self._pending) as pending:
            for begin in range(0, whole, _PIECE):
                self._state = _hash(self._state, pending[begin : begin + _PIECE])
        del self._pending[:whole]

    def digest(self) -> bytes:
        return _hash(self._state, self._pending)


def _hash(*parts: bytes | bytearray | memoryview) -> bytes:
    hashed = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        hashed.update(part)
    return hashed.digest()
