"""`simoffload study`: trainings, measurements, tables and figures that a study file asks for."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..record.durable import RecordError
from .compare import cores, items
from .main import INTERRUPTED
from .progress import shown, watcher
from .refusals import Refused
from .stopping import Stop

if TYPE_CHECKING:
    from ..study.reading import Study
    from ..study.running import Look

DIRECTORY = "runs/study-{name}"


@click.command()
@click.argument("file")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that simulate, instead of one a core.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Directory, instead of runs/study-NAME.")
@click.option("--resume", is_flag=True, help="Go on where a study stopped, or do what a changed file adds to it.")
@click.option(
    "--results", type=click.Path(path_type=Path), metavar="DIR", help="Folder for tables and figures: DIR/results."
)
@click.option(
    "--trained", type=click.Path(path_type=Path), metavar="DIR", help="Results of a study to take trainings from."
)
@click.option("--only", metavar="PARTS", help="Beside the main table only these parts, such as axes,gaps or main.")
def study(
    file: str,
    workers: int | None,
    out: Path | None,
    resume: bool,
    results: Path | None,
    trained: Path | None,
    only: str | None,
) -> None:
    """Train, measure and tabulate what a study file asks for.

    FILE is a YAML file or the name of a study that comes with simoffload. The directory keeps trainings and every run
    that was measured; Ctrl-C, or a crash, loses those under way at most, and --resume ends with the same tables. A run
    that depends on nothing that has changed is never made again. Results hold the trained policies: with --trained a
    study takes those that are its own from there, and trains what is missing.
    """
    from ..schema import ScenarioError
    from ..study.entrants import holds_trainings
    from ..study.reading import read_study

    try:
        plan = read_study(file)
    except ScenarioError as error:
        raise Refused([str(error)]) from None
    except ModuleNotFoundError as error:
        raise click.ClickException(_needed(error)) from None
    directory = out or Path(DIRECTORY.format(name=plan.plan.name))
    folder = results or directory / "results"
    if only is not None:
        plan = _shortened(plan, _parts(plan, only), folder)
    for each in (directory, folder):
        if each.exists() and not each.is_dir():
            raise click.UsageError(f"{each} is not a directory")
    if trained is not None and not holds_trainings(trained):
        raise click.UsageError(f"{trained} holds no trainings of a study")
    if directory.exists() and any(directory.iterdir()) and not resume:
        raise click.UsageError(f"{directory} is not empty; give another --out, or --resume to go on there")
    _do(plan, directory, workers, trained)
    _write(plan, directory, folder, _command(file, workers, out, results, trained, only))


def _parts(plan: Study, only: str) -> list[str]:
    """The parts that are named; what is none of the study's is refused."""
    from ..schema.problems import Problem, nearest

    known, parts = ("main", *plan.parts), items(only)
    faults = [
        Problem("--only", 0, 0, "", f"the study has no part '{part}'", known, nearest(part, known)).headline
        for part in parts
        if part not in known
    ]
    if faults or not parts:
        raise Refused(faults or ["--only: names no part"])
    return parts


def _shortened(plan: Study, parts: Sequence[str], folder: Path) -> Study:
    """The study with these parts; refused where its page would take the place of one that tells of more."""
    kept = plan.only(parts)
    lost = [name for name in plan.tables if name not in kept.tables and (folder / f"{name}.csv").exists()]
    if lost:
        raise click.UsageError(f"--only: {folder} has {', '.join(lost)} too, which would be lost; give other --results")
    return kept


def _do(plan: Study, directory: Path, workers: int | None, trained: Path | None) -> None:
    from concurrent.futures.process import BrokenProcessPool

    from ..decision.tables import NowhereError
    from ..run.agents import AgentError
    from ..study.cells import Stopped
    from ..study.running import run_study

    try:
        with Stop() as stop, shown(quiet=False) as show:
            run_study(plan, directory, workers or cores(), watcher(show, stop, _describe), trained)
    except Stopped:
        click.echo(f"interrupted; go on with --resume, what is done is in {directory}", err=True)
        click.get_current_context().exit(INTERRUPTED)
    except ModuleNotFoundError as error:
        raise click.ClickException(_needed(error)) from None
    except (AgentError, NowhereError, RecordError) as error:
        raise click.ClickException(str(error)) from None
    except BrokenProcessPool:
        if stop.asked:
            raise KeyboardInterrupt from None
        raise click.ClickException("a worker has been ended from outside; go on with --resume") from None


def _needed(error: ModuleNotFoundError) -> str:
    return f"this study needs {error.name}: pip install 'simoffload[train,bounds]'"


def _describe(look: Look) -> str:
    return look.text


def _write(plan: Study, directory: Path, folder: Path, command: str) -> None:
    from ..study.report import write_results

    click.echo("writing the results ...", err=True)
    try:
        click.echo(f"results  {write_results(plan, directory, folder, command)}")
    except RecordError as error:
        raise click.ClickException(str(error)) from None


def _command(
    file: str, workers: int | None, out: Path | None, results: Path | None, trained: Path | None, only: str | None
) -> str:
    """How to make the results again."""
    words = ["simoffload", "study", file]
    given = {"--workers": workers, "--out": out, "--results": results, "--trained": trained, "--only": only}
    for option, value in given.items():
        words += [option, str(value)] if value is not None else []
    return shlex.join(words)
