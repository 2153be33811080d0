"""`simoffload run --until`: a run, or replications, until a mean or a quantile is known as precisely as asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..analysis.numbers import counted, percent, plus_minus
from ..analysis.series import quantity
from ..analysis.stopping import (
    BUDGET,
    INTERRUPTED,
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
from ..record.durable import write_json
from ..record.manifest import COMPARISON_FILE
from .progress import duration, shown, watcher
from .run_summary import print_run
from .stopping import Stop

if TYPE_CHECKING:
    from ..run.until import Stretch
    from ..schema import Scenario

UNTIL_FILE = "until.json"
"""In the run's directory: what was asked for, what was found at each check, and why it ended."""

_ENDS = {
    REACHED: "reached at two checks in a row",
    BUDGET: "not reached at two checks in a row within the budget",
    NO_STEADY_STATE: "not reached: the level goes on rising, so there is no steady state",
    NO_MORE_TASKS: "not reached: the scenario has no more tasks",
    INTERRUPTED: "not reached: interrupted",
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
) -> bool:
    """Run until the rule ends it, and print what there is; whether it was not interrupted."""
    from ..run.replications import Unfinished
    from ..run.until import replicate_until, run_until, statistic

    replicates = rule.pace is REPLICATIONS
    summary: Mapping[str, Any] = {}

    def describe(stretch: Stretch) -> str:
        return _describe(stretch, rule)

    with Stop() as stop, shown(quiet) as show:
        watch = watcher(show, stop, describe)
        if replicates:
            value = statistic(rule.target.measure, rule.target.share)
            replicate_until(world, agent, rule, value, directory, workers, watch)
        else:
            summary = run_until(world, agent, rule, directory, watch)
    write_json(directory / UNTIL_FILE, rule.to_dict())
    if replicates:
        path = directory / COMPARISON_FILE
        if path.exists():
            summary = json.loads(path.read_bytes())
    if as_json:
        click.echo(json.dumps({**summary, "until": rule.to_dict()}, indent=2, allow_nan=False))
    elif not quiet:
        if replicates:
            click.echo(f"{'runs':12} {agent} on {world.name}, seeds from {world.seed} on")
            click.echo(f"{'directory':12} {directory}")
        else:
            print_run(summary, directory)
        click.echo()
        for name, text in until_lines(rule):
            click.echo(f"{name:12} {text}")
    if summary.get("status") == "unstable":
        raise Unfinished(f"agent '{agent}', seed {world.seed}: {summary['reason']}")
    return summary.get("status") == "complete"


def until_lines(rule: StoppingRule) -> list[tuple[str, str]]:
    """What was asked for, why it ended, and what is known."""
    lines = [("until", f"{rule.target}: {_ENDS[rule.reason]}")]
    if not rule.checks:
        return [*lines, (rule.target.name, "not checked: it ended before the pilot did")]
    last = rule.checks[-1]
    state, unit = last.state, quantity(rule.target.measure).unit
    value = f"{plus_minus(state.value, state.half_width)}{f' {unit}' if unit else ''}"
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
    told = f"{rule.target.name} {plus_minus(state.value, state.half_width)}"
    forecast = rule.forecast
    ends = "" if forecast is None else f" of about {_about(forecast)}"
    share = state.relative_half_width
    return f"{text}{ends}, {told}{f' ({percent(share, 1)})' if share < 1 else ''}"


def _about(number: float) -> str:
    """In two digits: a forecast is no more precise."""
    return str(int(float(f"{number:.2g}")))
