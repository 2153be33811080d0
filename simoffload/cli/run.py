"""`simoffload run`: one agent on one scenario, from its first arrival to its horizon."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..record.durable import RecordError
from .directories import claimed, directory_faults
from .inputs import accepted, agent_faults, examined, scenario_argument, shorthand
from .main import INTERRUPTED
from .progress import duration, shown, watcher
from .stopping import Stop

if TYPE_CHECKING:
    from ..run.progress import Progress


@click.command()
@scenario_argument
@click.option("--agent", required=True, metavar="NAME", help="Who places and orders work; see 'simoffload agents'.")
@shorthand("seed")
@shorthand("tasks")
@shorthand("horizon")
@shorthand("records")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new or empty directory for the results, instead of runs/SCENARIO-AGENT-SEED.",
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of a summary in words.")
@click.option("--quiet", is_flag=True, help="Print no progress, no warning and no summary.")
def run(
    scenario: str,
    settings: tuple[str, ...],
    agent: str,
    out: Path | None,
    as_json: bool,
    quiet: bool,
    **shorthands: str | None,
) -> None:
    """Simulate one agent on a scenario.

    The first Ctrl-C ends the run with what there is, marked incomplete; the second one ends the program.
    """
    diagnosis = examined(scenario, settings, shorthands)
    world = accepted(diagnosis, [*agent_faults("--agent", [agent]), *directory_faults(out)], quiet)

    from ..decision.tables import NowhereError
    from ..run.agents import AgentError
    from ..run.simulation import simulate

    try:
        with claimed(out, f"{world.name}-{agent}-{world.seed}") as directory, Stop() as stop, shown(quiet) as show:
            summary = simulate(world, agent, directory, watcher(show, stop, _describe))
    except (AgentError, NowhereError, RecordError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(summary, indent=2, allow_nan=False))
    elif not quiet:
        from .run_summary import print_run

        print_run(summary, directory)
    if summary["status"] != "complete":
        click.echo(f"interrupted; what there is is in {directory}", err=True)
        click.get_current_context().exit(INTERRUPTED)


def _describe(progress: Progress) -> str:
    rate = progress.finished / progress.wall_s if progress.wall_s > 0 else 0.0
    return f"{duration(progress.simulated_s)} simulated, {progress.finished} tasks done, {rate:.3g}/s"
