"""How far a run or a comparison is: a bar where somebody looks on, a line now and then where output is kept.

Both go to stderr; stdout is for results.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import click

from .stopping import Stop

SHORTEST_GAP_S, LONGEST_GAP_S = 5.0, 60.0
"""Before the first line, and between lines: a tenth of the time so far, within these bounds."""

Show = Callable[[float, float, str], None]
"""Takes the share that is done, the seconds that took, and what to say besides."""


class Look(Protocol):
    """What every report of progress has."""

    @property
    def share(self) -> float:
        """Done of the whole, from 0 to 1."""

    @property
    def wall_s(self) -> float:
        """Time since the beginning."""


AnyLook = TypeVar("AnyLook", bound=Look)


@contextmanager
def shown(quiet: bool) -> Iterator[Show]:
    """The way to show progress that suits stderr; none if quiet."""
    if quiet:
        yield lambda share, wall_s, text: None
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        with _bar() as show:
            yield show
    else:
        yield Lines().show


def watcher(show: Show, stop: Stop, describe: Callable[[AnyLook], str]) -> Callable[[AnyLook], bool]:
    """What a run calls as it goes: shows how far it is and says whether to go on."""

    def watch(look: AnyLook) -> bool:
        show(look.share, look.wall_s, describe(look))
        return not stop.asked

    return watch


class Pace:
    """How fast it goes: from the first look on, as some of it may have been done at another time."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def left(self, share: float, wall_s: float) -> str:
        """How long the rest will take if it goes on like this; at the first look, as if it had begun at nothing."""
        share_then, then_s = self._first or (0.0, 0.0)
        if self._first is None:
            self._first = share, wall_s
        if share <= share_then:
            return "time left unknown"
        return f"{duration((wall_s - then_s) * (1.0 - share) / (share - share_then))} left"


class Lines:
    """Prints a line of progress when the last one is some while ago."""

    def __init__(self) -> None:
        self._due_s = SHORTEST_GAP_S
        self._pace = Pace()

    def show(self, share: float, wall_s: float, text: str) -> None:
        """Print where things stand, if a line is due."""
        left = self._pace.left(share, wall_s)
        if wall_s >= self._due_s:
            self._due_s = wall_s + min(max(SHORTEST_GAP_S, wall_s / 10), LONGEST_GAP_S)
            click.echo(f"{100 * share:3.0f} %, {text}, {left}", err=True)


@contextmanager
def _bar() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (BarColumn(), TextColumn("{task.percentage:3.0f} %"), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        task, pace = bar.add_task("starting", total=1.0), Pace()

        def show(share: float, wall_s: float, text: str) -> None:
            bar.update(task, completed=share, description=f"{text}, {pace.left(share, wall_s)}", refresh=True)

        yield show


def duration(seconds: float) -> str:
    """A time in its two largest units: 42 s, 3 min 20 s, 2 h 5 min, 11 d 3 h."""
    whole = round(seconds)
    for size, unit, part, smaller in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole} s"
