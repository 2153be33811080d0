"""`simoffload run`: one agent on one scenario, from its first arrival to its horizon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..record.durable import RecordError
from .compare import cores
from .directories import claimed, directory_faults
from .inputs import accepted, agent_faults, examined, scenario_argument, shorthand
from .one_run import describe, print_end
from .progress import shown, watcher
from .stopping import Stop

if TYPE_CHECKING:
    from ..analysis.stopping import StoppingRule


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
@click.option(
    "--until",
    metavar="TARGET",
    help="Go on until an estimate is this precise, as 'latency.p99 +- 2%'; instead of --tasks and --horizon.",
)
@click.option("--budget", metavar="LIMIT", help="End --until at the latest after this: '2e6 tasks', '10 min', or both.")
@click.option(
    "--by",
    type=click.Choice(["length", "replications"]),
    default="length",
    help="How --until goes on: one run becomes longer (the default), or runs on further seeds are added.",
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes for --by replications, not one a core.")
@click.option(
    "--stop-if-unstable", is_flag=True, help="End the run, with exit code 3, when its backlog grows without bound."
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of a summary in words.")
@click.option("--quiet", is_flag=True, help="Print no progress, no warning and no summary.")
def run(
    scenario: str,
    settings: tuple[str, ...],
    agent: str,
    out: Path | None,
    until: str | None,
    budget: str | None,
    by: str,
    workers: int | None,
    stop_if_unstable: bool,
    as_json: bool,
    quiet: bool,
    **shorthands: str | None,
) -> None:
    """Simulate one agent on a scenario.

    The first Ctrl-C ends the run with what there is, marked incomplete; the second one ends the program. Either way,
    and whatever else interrupts it, 'simoffload resume' goes on with it.
    """
    if until is None and (budget is not None or by != "length" or workers is not None):
        raise click.UsageError("--budget, --by and --workers are of --until: say what is to be known")
    if until is not None and by == "length" and workers is not None:
        raise click.UsageError("--workers is of --by replications: a run that becomes longer is made by one process")
    if until is not None and by == "length" and (shorthands["tasks"] or shorthands["horizon"]):
        raise click.UsageError("--until decides how long the run is: give --budget instead of --tasks and --horizon")
    if until is not None and stop_if_unstable:
        raise click.UsageError("--until ends runs without a steady state of itself: leave out --stop-if-unstable")
    rule, faults = (None, []) if until is None else _rule(until, budget, by, agent)
    diagnosis = examined(scenario, settings, shorthands)
    world = accepted(diagnosis, [*agent_faults("--agent", [agent]), *faults, *directory_faults(out)], quiet)

    from ..decision.tables import NowhereError
    from ..run.agents import AgentError
    from ..run.replications import NothingMeasured, Unfinished
    from ..run.simulation import simulate

    try:
        if rule is not None:
            from .until import go_on

            with claimed(out, f"{world.name}-{agent}-{world.seed}") as directory:
                go_on(world, agent, rule, directory, workers or cores(), as_json, quiet)
            return
        with claimed(out, f"{world.name}-{agent}-{world.seed}") as directory, Stop() as stop, shown(quiet) as show:
            watch = watcher(show, stop, describe)
            summary = simulate(world, agent, directory, watch, stop_if_unstable=stop_if_unstable)
    except (AgentError, NothingMeasured, NowhereError, RecordError, Unfinished) as error:
        raise click.ClickException(str(error)) from None
    print_end(summary, directory, as_json, quiet)


def _rule(until: str, budget: str | None, by: str, agent: str) -> tuple[StoppingRule | None, list[str]]:
    from .until import wish

    return wish(until, budget, by, agent)
