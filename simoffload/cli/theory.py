"""`simoffload theory`: what queueing theory says of the stations of a scenario, or of a run beside what was."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from ..record.durable import RecordError
from .inputs import accepted, agent_faults, examined, scenario_argument
from .main import INTERRUPTED
from .refusals import Refused

if TYPE_CHECKING:
    from ..analysis.runs import Run
    from ..analysis.theory.measured import Compared
    from ..analysis.theory.nearest import Verdict
    from ..analysis.theory.stations import Overview
    from ..run.progress import Progress
    from ..schema import Scenario


@click.command()
@scenario_argument
@click.option("--agent", metavar="NAME", help="Simulate this agent, and tell what was beside what theory says.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def theory(scenario: str, settings: tuple[str, ...], agent: str | None, as_json: bool) -> None:
    """Compare stations with the closed forms of queueing theory.

    For every node and link of a scenario: how much comes, which form is nearest, what it predicts, and which of its
    assumptions do not hold. SCENARIO may also be the directory of a run with all its rows; what was measured then
    stands beside.
    """
    if _is_run(scenario):
        faults = [f"--set: '{scenario}' is a run, which has been made"] if settings else []
        faults += [f"--agent: '{scenario}' is a run, which has its agent"] if agent else []
        if faults:
            raise Refused(faults)
        _tell_run(Path(scenario), as_json)
        return
    kept = [*settings, "records.level=full"] if agent else settings
    world = accepted(examined(scenario, kept, {}), agent_faults("--agent", [agent]) if agent else [], as_json)
    if agent:
        _simulate(world, agent, as_json)
    else:
        _tell_scenario(world, as_json)


def _is_run(source: str) -> bool:
    from ..record.manifest import MANIFEST_FILE

    return (Path(source) / MANIFEST_FILE).is_file()


def _tell_scenario(world: Scenario, as_json: bool) -> None:
    from ..analysis.theory.stations import overview

    found = overview(world)
    if as_json:
        click.echo(json.dumps(_scenario_document(world.name, found), indent=2, allow_nan=False))
    else:
        from .theory_tables import print_scenario

        print_scenario(world.name, found)


def _tell_run(directory: Path, as_json: bool) -> None:
    from ..analysis.runs import open_run
    from ..analysis.theory.measured import compared

    try:
        run = open_run(directory)
        stations, few = compared(run)
    except RecordError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(_run_document(run, stations, few), indent=2, allow_nan=False))
    else:
        from .theory_tables import print_run

        print_run(run, stations, few)


def _simulate(world: Scenario, agent: str, as_json: bool) -> None:
    from ..decision.tables import NowhereError
    from ..run.agents import AgentError
    from ..run.simulation import simulate
    from .progress import shown, watcher
    from .stopping import Stop

    with TemporaryDirectory() as directory:
        try:
            with Stop() as stop, shown(as_json) as show:
                summary = simulate(world, agent, Path(directory), watcher(show, stop, _describe))
        except (AgentError, NowhereError, RecordError) as error:
            raise click.ClickException(str(error)) from None
        if summary["status"] == "unstable":
            raise click.ClickException(f"the run was ended before its horizon: {summary['reason']}")
        if summary["status"] != "complete":
            click.echo("interrupted", err=True)
            click.get_current_context().exit(INTERRUPTED)
        try:
            _tell_run(Path(directory), as_json)
        except click.ClickException as error:
            told = error.message.replace(directory, f"the run of {agent} on {world.name}")
            raise click.ClickException(told) from None


def _describe(progress: Progress) -> str:
    from .progress import duration

    return f"{duration(progress.simulated_s)} simulated"


def _scenario_document(name: str, found: Overview) -> dict[str, Any]:
    return {
        "scenario": name,
        "split": found.split,
        "is_jackson_network": found.is_jackson,
        "stations": {each.offered.station: _station(each) for each in found.verdicts},
        "idle": list(found.idle),
    }


def _run_document(run: Run, stations: Iterable[Compared], few: Sequence[str]) -> dict[str, Any]:
    documents = {}
    for each in stations:
        station = each.verdict.offered.station
        documents[station] = {
            **_station(each.verdict),
            "measured": asdict(each.measured),
            "measured_by_class": {name: asdict(means) for name, means in each.measured_by_class.items()},
            "visits": each.visits,
        }
    return {
        "scenario": run.summary.scenario,
        "agent": run.summary.agent,
        "seed": run.summary.seed,
        "stations": documents,
        "too_few_visits": list(few),
    }


def _station(verdict: Verdict) -> Mapping[str, Any]:
    offered, means = verdict.offered, verdict.means
    return {
        "form": verdict.name,
        "load": verdict.load,
        "stable": verdict.form is not None,
        "arrival_rate": offered.arrival_rate,
        "arrival_cv": offered.arrival_cv if math.isfinite(offered.arrival_cv) else None,
        "service_s": offered.service.mean_s,
        "service_cv": math.sqrt(offered.service.squared_cv),
        "servers": offered.servers,
        "theory": None if means is None else asdict(means),
        "by_class": {name: asdict(each) for name, each in verdict.means_by_class.items()},
        "not_met": list(map(str, verdict.remarks)),
    }
