"""Documents: a scenario's text as a tree in which every value knows the file, line and column where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .problems import Problem

Scalar = str | int | float | bool | None
TreePath = tuple[str | int, ...]
"""The way from the root to a value: keys of maps and numbers of list items."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text and its name; files that it names are looked up in `directory`."""

    name: str
    text: str
    directory: Path
    lines: list[str] = field(default_factory=list)

    def line(self, number: int) -> str:
        """A line of the text, counted from 1; empty beyond the end."""
        if not self.lines:
            self.lines.extend(re.split(r"\r\n|[\n\r\x85\u2028\u2029]", self.text))
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""


class Mark(NamedTuple):
    """A place in a source; line 0 is the source as a whole."""

    source: Source
    line: int
    column: int

    def problem(
        self, where: str, message: str, *, allowed: Sequence[str] = (), suggestion: str | None = None
    ) -> Problem:
        """An error at this place."""
        text = self.source.line(self.line) if self.line else ""
        return Problem(
            self.source.name, self.line, self.column, where, message, tuple(allowed), suggestion, source_line=text
        )


_NO_KEYS: Mapping[str, Mark] = {}


class Tree:
    """A value of a document: where it stands, its keys' places if it is a map, how much it holds and how deep."""

    __slots__ = ("depth", "keys", "mark", "size", "value")
    depth: int
    keys: Mapping[str, Mark]
    size: int

    def __init__(
        self, value: Scalar | list[Tree] | dict[str, Tree], mark: Mark, keys: Mapping[str, Mark] | None = None
    ) -> None:
        self.value = value
        self.mark = mark
        self.keys = keys or _NO_KEYS
        self.size = self.depth = 1
        if isinstance(value, (dict, list)):
            children = value if isinstance(value, list) else value.values()
            self.size += sum([child.size for child in children])
            self.depth += max([child.depth for child in children], default=0)

    def find(self, path: TreePath) -> Tree:
        """The value at a path, or the last one on the way to it."""
        here = self
        for part in path:
            child = here.child(part)
            if child is None:
                return here
            here = child
        return here

    def child(self, part: str | int) -> Tree | None:
        """The value of a key or the item of a number; None if there is none."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def key_mark(self, path: TreePath) -> Mark:
        """Where the key that leads to `path` stands; the value's own place for list items and the root."""
        if path:
            parent = self.find(path[:-1])
            if str(path[-1]) in parent.keys:
                return parent.keys[str(path[-1])]
        return self.find(path).mark

    def where(self, path: TreePath) -> str:
        """The path in words: list items that have an id by it, the others by number."""
        words, here = [], self
        for part in path:
            if not isinstance(here.value, (dict, list)):
                break
            child = here.child(part)
            name = child.value.get("id") if child is not None and isinstance(child.value, dict) else None
            words.append(name.value if isinstance(part, int) and name and isinstance(name.value, str) else str(part))
            if child is None:
                break
            here = child
        return ".".join(words)


def plain(tree: Tree) -> object:
    """The values without their places; a text at a key ``file`` becomes the path of that file seen from its source."""
    value = tree.value
    if isinstance(value, dict):
        return {key: _file(child) if key == "file" else plain(child) for key, child in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def _file(tree: Tree) -> object:
    return str(tree.mark.source.directory / tree.value) if isinstance(tree.value, str) else plain(tree)
