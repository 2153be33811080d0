"""Refusals: input that cannot be used, told in one go, with exit code 2 and before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

import click


class Refused(click.ClickException):
    """Everything that is wrong with what was given, a fault a line."""

    exit_code = 2

    def __init__(self, faults: Iterable[str]) -> None:
        super().__init__("\n".join(faults))

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the faults as they are, to stderr."""
        click.echo(self.message, file=file, err=file is None)


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The fault that a name stands for nothing: what there is, and the nearest spelling."""
    from ..schema.problems import Problem, nearest

    names = tuple(known)
    return Problem("", 0, 0, "", f"unknown {what} '{name}'", names, nearest(name, names)).headline
