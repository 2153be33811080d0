"""Inputs: the scenario and the agents that a command line names, with all that is wrong with them.

Options such as ``--seed 7`` are short for a setting, ``--set seed=7``: the scenario they lead to is the one place that
says what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .refusals import Refused

if TYPE_CHECKING:
    from ..run.load import OfferedLoad
    from ..schema import Diagnosis, Scenario

Command = TypeVar("Command", bound=Callable[..., Any])

SHORTHANDS = {"seed": "seed", "tasks": "horizon.tasks", "horizon": "horizon.time", "records": "records.level"}
"""Options by the path of the scenario that each sets."""

_OPTIONS = {
    "seed": ("S", "Seed of the random numbers, instead of the scenario's."),
    "tasks": ("N", "End when this many tasks have arrived and left."),
    "horizon": ("T", "End at this simulated time, such as '2 h'."),
    "records": ("full|sampled|off", "Which events to keep as Parquet files."),
}


def scenario_argument(command: Command) -> Command:
    """SCENARIO and --set."""
    setting = click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="PATH=VALUE",
        help="Change a value of the scenario, such as edges.text-1.speed=2; may be given again.",
    )
    return click.argument("scenario")(setting(command))


def shorthand(name: str) -> Callable[[Command], Command]:
    """An option of `SHORTHANDS`."""
    metavar, text = _OPTIONS[name]
    return click.option(f"--{name}", metavar=metavar, help=text)


def examined(source: str, settings: Sequence[str], shorthands: Mapping[str, str | None]) -> Diagnosis:
    """The scenario with its settings, and all that is to be said of it; options are named as they were typed."""
    from ..schema import diagnose

    if shorthands.get("tasks") is not None and shorthands.get("horizon") is not None:
        raise click.UsageError("give either --tasks or --horizon: a run has one end")
    given = {
        f"{SHORTHANDS[name]}={value}": f"--{name} {value}" for name, value in shorthands.items() if value is not None
    }
    return as_typed(diagnose(source, [*settings, *given]), given)


def as_typed(diagnosis: Diagnosis, options: Mapping[str, str]) -> Diagnosis:
    """The same with settings that were made of other options named as those."""
    typed = {f"--set '{setting}'": option for setting, option in options.items()}
    problems = tuple(replace(problem, file=typed.get(problem.file, problem.file)) for problem in diagnosis.problems)
    return replace(diagnosis, problems=problems)


def accepted(diagnosis: Diagnosis, further: Sequence[str], quiet: bool) -> Scenario:
    """The scenario, after a word of warning unless quiet; Refused if it, or anything further, is at fault."""
    from ..schema import ScenarioError

    if diagnosis.scenario is None:
        raise Refused([str(ScenarioError(diagnosis.problems)), *further])
    if further:
        raise Refused(further)
    if not quiet:
        for warning in (*map(str, diagnosis.problems), *load_warnings(diagnosis.scenario)):
            click.echo(warning, err=True)
    return diagnosis.scenario


def load_warnings(scenario: Scenario) -> list[str]:
    """What to know of offered loads of 1 or more."""
    from ..run.load import offered_load

    return list(overloads(scenario.name, offered_load(scenario)))


def overloads(name: str, loads: Sequence[OfferedLoad]) -> Iterator[str]:
    """A warning that names the ways to place work that have no steady state, and one if no way has."""
    *ways, bound = loads
    unstable = [f"{way.resource} ({way.load:.3g})" for way in ways if way.unstable]
    if bound.unstable:
        yield f"{name}: warning: offered load {bound.load:.3g}: queues grow without end whatever an agent does"
    if unstable:
        yield f"{name}: warning: offered load of 1 or more, under which queues grow without end: {', '.join(unstable)}"


def agent_faults(option: str, names: Sequence[str]) -> list[str]:
    """What is wrong with names of agents given to an option: repeated, unknown, or not to be loaded."""
    from ..run.agents import AgentError, load_agent

    faults = [] if names else [f"{option}: names no agent"]
    for number, name in enumerate(names):
        if name in names[:number]:
            faults.append(f"{option}: '{name}' is listed twice")
            continue
        try:
            load_agent(name)
        except AgentError as error:
            faults.append(f"{option}: {error}")
    return faults
