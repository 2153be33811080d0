"""Problems of a scenario: where each stands, what is wrong, what would be right.

A problem reads ``file:line:column: where.in.the.tree: what is wrong; allowed: ...; did you mean 'x'?``, with the line
it is about and a caret below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

MOST_ALLOWED = 24
"""Longer lists of what is allowed are cut when written as text."""
MOST_PROBLEMS = 100
"""An error's text holds at most this many problems."""
MOST_COMPARED = 500
"""As many known names, and as much of a word, are looked at for the nearest spelling."""
LONGEST_PART = 1000
"""Characters of a place, a path or a message; longer ones, such as a key of a million letters, are cut."""
WIDTH = 110
"""Longer source lines are cut around the caret."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong; line and column count from 1, line 0 stands for the command line or a whole file."""

    file: str
    line: int
    column: int
    where: str
    message: str
    allowed: tuple[str, ...] = ()
    suggestion: str | None = None
    severity: Literal["error", "warning"] = "error"
    source_line: str = ""

    @property
    def headline(self) -> str:
        """The problem in one line."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        parts = (place, "warning" if self.severity == "warning" else "", self.where, self.message)
        text = ": ".join(_in_one_line(part) for part in parts if part)
        if self.allowed:
            text += f"; allowed: {_listing(self.allowed)}"
        if self.suggestion is not None:
            text += f"; did you mean '{self.suggestion}'?"
        return text

    def __str__(self) -> str:
        if not self.line or not self.source_line.strip():
            return self.headline
        line, caret = _window(self.source_line, self.column - 1)
        return f"{self.headline}\n    {line}\n    {' ' * caret}^"


class ScenarioError(ValueError):
    """A scenario that cannot be used, with everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = in_order(problems)
        super().__init__(as_text(self.problems))

    def __reduce__(self) -> tuple[type[ScenarioError], tuple[tuple[Problem, ...]]]:
        return ScenarioError, (self.problems,)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once, sorted by file, line and column."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column, p.where, p.message)))


def as_text(problems: tuple[Problem, ...]) -> str:
    """The problems one below the other, cut where there are very many."""
    shown = [str(problem) for problem in problems[:MOST_PROBLEMS]]
    left = len(problems) - len(shown)
    return "\n".join([*shown, f"... and {left} more"] if left else shown)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known spelling closest to a misspelt one, if any is close."""
    names = list(known)
    folded = [name for name in names if name.casefold() == word.casefold()]
    close = folded or get_close_matches(word[:MOST_COMPARED], names[:MOST_COMPARED], n=1, cutoff=0.6)
    return close[0] if close else None


def _listing(names: tuple[str, ...]) -> str:
    left = len(names) - MOST_ALLOWED
    return ", ".join(names) if left <= 0 else f"{', '.join(names[:MOST_ALLOWED])}, ... ({left} more)"


def _in_one_line(text: str) -> str:
    """The text without its middle where it is very long, and with what cannot be printed as an escape."""
    if len(text) > LONGEST_PART:
        text = f"{text[: LONGEST_PART // 2]} ... {text[-LONGEST_PART // 2 :]}"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _window(line: str, caret: int) -> tuple[str, int]:
    line = line.rstrip()
    start = max(0, min(caret - WIDTH // 2, len(line) - WIDTH))
    return "".join(one if one.isprintable() else " " for one in line[start : start + WIDTH]), caret - start
