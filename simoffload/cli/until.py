"""`simoffload run --until`: a run, or replications, until a mean or a quantile is known as precisely as asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..analysis.numbers import counted, percent, with_ends
from ..analysis.series import quantity
from ..analysis.stopping import (
    BUDGET,
    NO_MORE_TASKS,
    NO_STEADY_STATE,
    ONE_RUN,
    REACHED,
    REPLICATIONS,
    Budget,
    StoppingRule,
    TargetError,
    parse_budget,
    parse_target,
    stopping_rule,
)
from ..analysis.stopping import (
    INTERRUPTED as BROKEN_OFF,
)
from ..record.durable import write_json
from ..record.manifest import COMPARISON_FILE, UNTIL_FILE
from .main import INTERRUPTED
from .one_run import tell_interrupted
from .progress import duration, shown, watcher
from .run_summary import print_run
from .stopping import Stop

if TYPE_CHECKING:
    from ..run.until import Stretch
    from ..schema import Scenario

_ENDS = {
    REACHED: "reached at two checks in a row",
    BUDGET: "not reached at two checks in a row within the budget",
    NO_STEADY_STATE: "not reached: the level goes on rising, so there is no steady state",
    NO_MORE_TASKS: "not reached: the scenario has no more tasks",
    BROKEN_OFF: "not reached: interrupted",
}


def wish(until: str, budget: str | None, by: str, agent: str) -> tuple[StoppingRule | None, list[str]]:
    """The rule that a command line asks for, or what is wrong with it."""
    from ..decision.agent import learns
    from ..run.agents import AgentError, load_agent
    from ..run.until import statistic

    faults = []
    target = limits = rule = None
    try:
        target = parse_target(until)
        if by == "replications":
            statistic(target.measure, target.share)
    except ValueError as error:
        faults.append(f"--until: {error}")
    try:
        limits = Budget() if budget is None else parse_budget(budget)
        if target is not None:
            rule = stopping_rule(target, REPLICATIONS if by == "replications" else ONE_RUN, limits)
    except TargetError as error:
        faults.append(f"--budget: {error}")
    try:
        if by != "replications" and learns(load_agent(agent)):
            faults.append(
                f"--until: agent '{agent}' learns while it runs, so one run has no steady state to be known; freeze "
                "what it has learnt, or give --by replications, which averages over runs of the scenario's length"
            )
    except AgentError:
        pass  # an agent that does not load is a fault of --agent
    return rule, faults


def go_on(
    world: Scenario, agent: str, rule: StoppingRule, directory: Path, workers: int, as_json: bool, quiet: bool
) -> None:
    """Run until the rule ends it, and print what there is."""
    from ..run.prolonging import run_until
    from ..run.until import replicate_until, statistic

    if rule.pace is not REPLICATIONS:
        with _watched(rule, quiet) as watch:
            summary = run_until(world, agent, rule, directory, watch)
        _print_end(summary, rule, directory, as_json, quiet)
        return
    with _watched(rule, quiet) as watch:
        value = statistic(rule.target.measure, rule.target.share)
        replicate_until(world, agent, rule, value, directory, workers, watch)
    write_json(directory / UNTIL_FILE, rule.to_dict())
    path = directory / COMPARISON_FILE
    results = json.loads(path.read_bytes()) if path.exists() else {}
    if as_json:
        _print_json(results, rule)
    elif not quiet:
        click.echo(f"{'runs':12} {agent} on {world.name}, seeds from {world.seed} on")
        click.echo(f"{'directory':12} {directory}")
        _print_rule(rule)
    if results.get("status") != "complete":
        click.echo(f"interrupted; what there is is in {directory}", err=True)
        click.get_current_context().exit(INTERRUPTED)


def resume_rule(directory: Path, say: Callable[[str], None], from_start: bool, as_json: bool, quiet: bool) -> None:
    """Finish a run that a rule ends, and print what there is."""
    from ..analysis.stopping import read_rule
    from ..run.resuming import resume_until

    rule = read_rule(directory / UNTIL_FILE)
    with _watched(rule, quiet) as watch:
        summary = resume_until(directory, rule, watch, say=say, from_start=from_start)
    _print_end(summary, rule, directory, as_json, quiet)


@contextmanager
def _watched(rule: StoppingRule, quiet: bool) -> Iterator[Callable[[Stretch], bool]]:
    with Stop() as stop, shown(quiet) as show:
        yield watcher(show, stop, lambda stretch: _describe(stretch, rule))


def _print_end(summary: Mapping[str, Any], rule: StoppingRule, directory: Path, as_json: bool, quiet: bool) -> None:
    """Print what a run and its rule came to; leaves the program with an exit code of its own if it was ended early."""
    from ..run.replications import Unfinished

    if as_json:
        _print_json(summary, rule)
    elif not quiet:
        print_run(summary, directory)
        _print_rule(rule)
    if summary["status"] == "unstable":
        raise Unfinished(f"agent '{summary['agent']}', seed {summary['seed']}: {summary['reason']}")
    if summary["status"] == "incomplete":
        tell_interrupted(directory)


def _print_json(summary: Mapping[str, Any], rule: StoppingRule) -> None:
    click.echo(json.dumps({**summary, "until": rule.to_dict()}, indent=2, allow_nan=False))


def _print_rule(rule: StoppingRule) -> None:
    click.echo()
    for name, text in until_lines(rule):
        click.echo(f"{name:12} {text}")


def until_lines(rule: StoppingRule) -> list[tuple[str, str]]:
    """What was asked for, why it ended, and what is known."""
    lines = [("until", f"{rule.target}: {_ENDS[rule.reason]}")]
    if not rule.checks:
        return [*lines, (rule.target.name, "not checked: it ended before the pilot did")]
    last = rule.checks[-1]
    state, unit = last.state, quantity(rule.target.measure).unit
    value = f"{with_ends(state.value, state.low, state.high)}{f' {unit}' if unit else ''}"
    share = state.relative_half_width
    told = f"{value} ({percent(share, 1)}), {state.level:.0%} interval" if share < 1 else value
    lines.append((rule.target.name, told))
    checks = counted(len(rule.checks), "check")
    lines.append(("known by", f"{_spent(rule, last.spent)}, {checks}, {duration(last.wall_s)}; {state.method}"))
    if state.flags:
        lines.append(("flags", ", ".join(sorted(state.flags))))
    if rule.reason == BUDGET and state.needed_n is not None and state.n:
        needed = _about(last.spent * state.needed_n / state.n)
        lines.append(("forecast", f"about {needed} {rule.pace.noun} would do"))
    return lines


def _spent(rule: StoppingRule, number: int) -> str:
    return counted(number, rule.pace.noun.removesuffix("s"))


def _describe(stretch: Stretch, rule: StoppingRule) -> str:
    """As "4500 tasks of about 60000, latency.p99 31.2 ± 1.4 (4.5 %)"."""
    text = _spent(rule, stretch.done)
    if not rule.checks:
        return f"{text}, pilot"
    state = rule.checks[-1].state
    told = f"{rule.target.name} {with_ends(state.value, state.low, state.high)}"
    forecast = rule.forecast
    ends = "" if forecast is None else f" of about {_about(forecast)}"
    share = state.relative_half_width
    return f"{text}{ends}, {told}{f' ({percent(share, 1)})' if share < 1 else ''}"


def _about(number: float) -> str:
    """In two digits: a forecast is no more precise."""
    return str(int(float(f"{number:.2g}")))
