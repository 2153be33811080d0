"""`simoffload validate`: everything that is wrong with a scenario, and how busy it would keep its parts."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from .inputs import examined, overloads, scenario_argument
from .refusals import Refused

if TYPE_CHECKING:
    from ..run.load import OfferedLoad
    from ..schema import Diagnosis


@click.command()
@scenario_argument
@click.option("--json", "as_json", is_flag=True, help="Print the findings and loads as JSON.")
def validate(scenario: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Check a scenario without running it.

    Prints every error with its file, line and column, and ends with code 2; or says that the scenario is valid and
    what load it offers to its parts. A load of 1 or more is a warning: an agent that places work that way sees its
    queues grow without end.
    """
    from ..schema import ScenarioError

    diagnosis = examined(scenario, settings, {})
    loads = _loads(diagnosis)
    if as_json:
        click.echo(json.dumps(_document(diagnosis, loads), indent=2))
    elif diagnosis.scenario is None:
        raise Refused([str(ScenarioError(diagnosis.problems))])
    else:
        _print(scenario, diagnosis, loads)
    if diagnosis.scenario is None:
        click.get_current_context().exit(Refused.exit_code)


def _loads(diagnosis: Diagnosis) -> tuple[OfferedLoad, ...]:
    if diagnosis.scenario is None:
        return ()
    from ..run.load import offered_load

    return offered_load(diagnosis.scenario)


def _document(diagnosis: Diagnosis, loads: tuple[OfferedLoad, ...]) -> dict[str, object]:
    return {
        "valid": diagnosis.scenario is not None,
        "problems": [asdict(problem) for problem in diagnosis.problems],
        "offered_load": [{"resource": each.resource, "load": each.load, "unstable": each.unstable} for each in loads],
    }


def _print(source: str, diagnosis: Diagnosis, loads: tuple[OfferedLoad, ...]) -> None:
    for warning in (*map(str, diagnosis.problems), *overloads(source, loads)):
        click.echo(warning, err=True)
    click.echo(f"{source}: valid\n\noffered load, if work is placed so:")
    width = max(len(each.resource) for each in loads)
    for each in loads:
        click.echo(f"  {each.resource:{width}}  {each.load:8.3f}")
