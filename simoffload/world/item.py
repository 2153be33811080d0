"""What moves between nodes: a payload or an answer, which whoever has got it holds from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Then = Callable[[Any], None]


class Item:
    """A payload or an answer: its size, and the nodes that hold it."""

    __slots__ = ("coming", "holders", "origin", "size_bytes")

    def __init__(self, origin: int, size_bytes: float) -> None:
        self.origin = origin
        self.size_bytes = size_bytes
        self.holders = {origin}
        self.coming: dict[int, list[tuple[Then, Any]]] = {}
        """Per node it is on its way to, what waits for it there."""
