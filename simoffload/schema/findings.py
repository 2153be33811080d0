"""Findings: what a check has to say about a place of a scenario, before the place's file and line are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from .document import Tree, TreePath
from .problems import Problem, nearest


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem at a path; `at_key` points at the key instead of the value."""

    path: TreePath
    message: str
    allowed: tuple[str, ...] = ()
    suggestion: str | None = None
    severity: Literal["error", "warning"] = "error"
    at_key: bool = False

    def located(self, tree: Tree) -> Problem:
        """The problem with its place in the file."""
        mark = tree.key_mark(self.path) if self.at_key else tree.find(self.path).mark
        problem = mark.problem(tree.where(self.path), self.message, allowed=self.allowed, suggestion=self.suggestion)
        return replace(problem, severity=self.severity)


def unknown(path: TreePath, what: str, name: str, known: Iterable[str], *, at_key: bool = False) -> Finding:
    """The finding that a name stands for nothing."""
    names = tuple(dict.fromkeys(known))
    return Finding(path, f"unknown {what} '{name}'", names, nearest(name, names), at_key=at_key)
