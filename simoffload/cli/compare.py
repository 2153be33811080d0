"""`simoffload compare`: several agents on the same seeds, so that their differences are theirs and not chance's."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..record.durable import RecordError
from .directories import claimed, directory_faults
from .inputs import accepted, agent_faults, examined, scenario_argument, shorthand
from .main import INTERRUPTED
from .progress import shown, watcher
from .stopping import Stop

if TYPE_CHECKING:
    from ..run.comparison import Share
    from ..schema import Scenario

REPLICATIONS = 5
SEEDS = 2**63
"""Seeds are smaller than this."""


@click.command()
@scenario_argument
@click.option("--agents", metavar="A,B,...", help="The agents to compare, instead of all; see 'simoffload agents'.")
@shorthand("seed")
@click.option("--replications", type=click.IntRange(1), metavar="R", help=f"How many seeds in a row: {REPLICATIONS}.")
@click.option("--seeds", metavar="S1,S2,...", help="The seeds themselves, instead of --seed and --replications.")
@shorthand("tasks")
@shorthand("horizon")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A new or empty directory for the results, instead of runs/compare-SCENARIO.",
)
@click.option("--best", metavar="P", help="Find the best with this probability, as 95%, dropping who is beaten.")
@click.option("--indifference", metavar="D", help="Differences that do not matter to --best: 1%, or a number.")
@click.option("--budget", metavar="LIMIT", help="End --best at the latest after '200 replications', '2 h', or both.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes that simulate, instead of one a core.")
@click.option("--json", "as_json", is_flag=True, help="Print comparison.json instead of a table.")
@click.option("--no-report", is_flag=True, help="Draw no figures and write no report.html.")
def compare(
    scenario: str,
    settings: tuple[str, ...],
    agents: str | None,
    replications: int | None,
    seeds: str | None,
    out: Path | None,
    best: str | None,
    indifference: str | None,
    budget: str | None,
    workers: int | None,
    as_json: bool,
    no_report: bool,
    **shorthands: str | None,
) -> None:
    """Simulate several agents on the same seeds and rank them.

    On each seed all agents meet the same tasks, lengths and channels. The first Ctrl-C ends the comparison and keeps
    the runs that were finished; the second one ends the program.
    """
    if seeds is not None and (replications is not None or shorthands["seed"] is not None):
        raise click.UsageError("give either --seeds, or --seed and --replications")
    if best is None and (indifference is not None or budget is not None):
        raise click.UsageError("--indifference and --budget are of --best: say how sure you want to be")
    if best is not None and seeds is not None:
        raise click.UsageError("--best takes seeds in a row: give --seed, and as --replications the first stage")
    diagnosis = examined(scenario, settings, shorthands)
    names = _every_agent() if agents is None else items(agents)
    first = 0 if diagnosis.scenario is None else diagnosis.scenario.seed
    given = [str(first + n) for n in range(replications or REPLICATIONS)] if seeds is None else items(seeds)
    faults = [*agent_faults("--agents", names), *seed_faults(given), *directory_faults(out)]
    race = None
    if best is not None:
        from .best import run_race, wish

        race, limits, wrong = wish(names, best, indifference, replications, budget)
        faults += wrong
    world = accepted(diagnosis, faults, quiet=False)

    from ..decision.tables import NowhereError
    from ..record.manifest import COMPARISON_FILE
    from ..run.agents import AgentError
    from ..run.replications import NothingMeasured, Unfinished

    try:
        with claimed(out, f"compare-{world.name}") as directory:
            if race is not None:
                is_complete = run_race(world, race, limits, directory, workers or cores(), as_json)
            else:
                numbers = [int(seed) for seed in given]
                is_complete = _run_all(world, names, numbers, directory, workers or cores(), as_json)
            if not no_report and (directory / COMPARISON_FILE).exists():
                _draw(directory, to_stderr=as_json)
            if not is_complete:
                click.echo(f"interrupted; the runs that were finished are in {directory}", err=True)
                click.get_current_context().exit(INTERRUPTED)
    except (AgentError, NothingMeasured, NowhereError, RecordError, Unfinished) as error:
        raise click.ClickException(str(error)) from None


def _run_all(
    world: Scenario, names: Sequence[str], seeds: Sequence[int], directory: Path, workers: int, as_json: bool
) -> bool:
    """Run every agent on every seed and print the results; whether it was not interrupted."""
    results = _compared(world, names, seeds, directory, workers)
    if results and as_json:
        click.echo(json.dumps(results, indent=2, allow_nan=False))
    elif results:
        _print(directory)
    return bool(results) and results["status"] == "complete"


def _compared(
    world: Scenario, names: Sequence[str], seeds: Sequence[int], directory: Path, workers: int
) -> dict[str, Any]:
    """The content of comparison.json; of an interrupted one what there is, empty if no seed was finished."""
    from ..record.manifest import COMPARISON_FILE
    from ..run import comparison

    try:
        with Stop() as stop, shown(quiet=False) as show:
            return comparison.compare(world, names, seeds, directory, workers, watcher(show, stop, _describe))
    except comparison.Interrupted:
        path = directory / COMPARISON_FILE
        return dict(json.loads(path.read_bytes())) if path.exists() else {}


def _describe(share: Share) -> str:
    return f"{share.done} of {share.total} runs"


def _print(directory: Path) -> None:
    from .comparison_summary import print_comparison

    print_comparison(directory)


def _draw(directory: Path, to_stderr: bool) -> None:
    from ..analysis.page import FIGURES
    from ..analysis.report import write_report

    click.echo("drawing the report ...", err=True)
    report = write_report(directory)
    click.echo(f"figures  {directory / FIGURES}\nreport   {report}", err=to_stderr)


def _every_agent() -> list[str]:
    from ..run.agents import agent_names

    return agent_names()


def items(text: str) -> list[str]:
    """The parts of a list with commas, without the blanks around them and without empty ones."""
    return [item.strip() for item in text.split(",") if item.strip()]


def seed_faults(seeds: Sequence[str]) -> list[str]:
    """What is wrong with a list of seeds."""
    faults = [] if seeds else ["--seeds: names no seed"]
    for number, seed in enumerate(seeds):
        if not re.fullmatch("[0-9]{1,19}", seed) or int(seed) >= SEEDS:
            faults.append(f"--seeds: '{seed}' is no seed: a whole number from 0 to 2^63 - 1")
        elif int(seed) in (int(other) for other in seeds[:number] if other.isdecimal()):
            faults.append(f"--seeds: {seed} is listed twice")
    return faults


def cores() -> int:
    """Processor cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
