"""What `run` and `resume` have in common: how they tell of a run under way and of its end, and their exit codes."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .main import INTERRUPTED
from .progress import duration

if TYPE_CHECKING:
    from ..run.progress import Progress

UNSTABLE = 3
"""Exit code of a run that was ended because its backlog grew without bound."""


def describe(progress: Progress) -> str:
    """How far a run is, in words."""
    rate = progress.finished / progress.wall_s if progress.wall_s > 0 else 0.0
    return f"{duration(progress.simulated_s)} simulated, {progress.finished} tasks done, {rate:.3g}/s"


def print_end(summary: Mapping[str, Any], directory: Path, as_json: bool, quiet: bool) -> None:
    """Print what a run came to; leaves the program with an exit code of its own if that was not its horizon."""
    if as_json:
        click.echo(json.dumps(summary, indent=2, allow_nan=False))
    elif not quiet:
        from .run_summary import print_run

        print_run(summary, directory)
    if not summary["tasks"]["measured"] and summary["status"] == "complete" and not quiet:
        click.echo("warning: no task was measured: none was completed that arrived after the warm-up", err=True)
    if summary["status"] == "incomplete":
        tell_interrupted(directory)
    if summary["status"] == "unstable":
        click.echo(f"stopped as unstable: {summary['reason']}", err=True)
        click.get_current_context().exit(UNSTABLE)


def tell_interrupted(directory: Path) -> None:
    """Say how to go on, and leave the program."""
    click.echo(f"interrupted; what there is is in {directory}; go on with: {resuming(directory)}", err=True)
    click.get_current_context().exit(INTERRUPTED)


def resuming(directory: Path) -> str:
    """The command that goes on with a run."""
    return f"simoffload resume {shlex.quote(str(directory))}"
