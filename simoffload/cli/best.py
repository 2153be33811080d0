"""`simoffload compare --best`: seed after seed, without the agents that are beaten, until the best one is left."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..analysis.intervals import t_interval
from ..analysis.numbers import counted, listed, percent, plus_minus, rounded
from ..analysis.selection import FIRST_STAGE, Selection
from ..analysis.stopping import BUDGET, INTERRUPTED, REACHED, TargetError, parse_budget
from ..record.durable import write_json
from ..run.selection import Lap, Limits, Outcome, select
from .progress import shown, watcher
from .stopping import Stop
from .tables import print_table

if TYPE_CHECKING:
    from ..schema import Scenario

SELECTION_FILE = "selection.json"
"""In the comparison's directory: who was beaten, when and by whom, and all results."""
INDIFFERENCE = "1%"
HEADS = ("agent", "beaten by", "seeds", "objective", "behind")


def wish(
    names: Sequence[str], best: str, indifference: str | None, first_stage: int | None, budget: str | None
) -> tuple[Selection | None, Limits, list[str]]:
    """The race and its limits that a command line asks for, or what is wrong with them."""
    faults = []
    limits, race = Limits(), None
    zone = indifference or INDIFFERENCE
    share, wide = _share(best), _share(zone) if zone.strip().endswith("%") else _number(zone)
    if share is None:
        faults.append(f"--best: '{best}' is no probability, as in '95%'")
    if wide is None:
        faults.append(f"--indifference: '{zone}' is neither a share of the objective, as in '1%', nor a number")
    if share is not None and wide is not None and len(set(names)) == len(names) > 0:
        try:
            race = Selection(names, share, wide, zone.strip().endswith("%"), first_stage or FIRST_STAGE)
        except ValueError as error:
            faults.append(f"--best: {error}")
    if budget is not None:
        try:
            found = parse_budget(budget)
            if found.tasks is not None:
                raise TargetError("a budget of tasks limits nothing here; allowed: replications, a time")
            seeds, wall_s = found.replications, found.wall_s
            limits = Limits(math.inf if seeds is None else seeds, math.inf if wall_s is None else wall_s)
        except TargetError as error:
            faults.append(f"--budget: {error}")
    return race, limits, faults


def run_race(world: Scenario, race: Selection, limits: Limits, directory: Path, workers: int, as_json: bool) -> bool:
    """Run the race and print how it went; whether it was not interrupted."""
    with Stop() as stop, shown(quiet=False) as show:
        outcome = select(world, race, directory, workers, watcher(show, stop, _describe), limits)
    content = {"scenario": world.name, "reason": outcome.reason, "made": outcome.made, **race.to_dict()}
    write_json(directory / SELECTION_FILE, content)
    if as_json:
        click.echo(json.dumps(content, indent=2, allow_nan=False))
    elif race.seeds:
        print_table(HEADS, race_rows(race), numbers=3)
        click.echo()
        for sentence in verdict(race, outcome):
            click.echo(click.wrap_text(sentence, width=100))
        click.echo()
    return outcome.reason != INTERRUPTED


def race_rows(race: Selection) -> list[tuple[str, ...]]:
    """A row an agent, first those that are left, then those that dropped out, the last one first."""
    rows: list[tuple[str, ...]] = []
    for agent in sorted(race.left, key=lambda name: t_interval(race.values(name)).mean):
        rows.append((agent, "", *_results(race, agent), ""))
    for drop in reversed(race.drops):
        behind = rounded(drop.behind) if drop.behind else "equal"
        rows.append((drop.agent, drop.beaten_by, *_results(race, drop.agent), behind))
    return rows


def verdict(race: Selection, outcome: Outcome) -> list[str]:
    """What has been found, and at what expense."""
    zone = "" if race.zone is None else f"an objective lower by {rounded(race.zone)} or more than that of any other"
    total = len(race.left) + len(race.drops)
    sentences = []
    if outcome.reason == REACHED:
        sentences.append(
            f"{race.best} is left. If one of the agents is the best with {zone}, it is {race.best} with a probability "
            f"of at least {percent(race.probability, _places(race.probability))}."
        )
    else:
        why = "the budget was spent" if outcome.reason == BUDGET else "the race was interrupted"
        ends = "" if race.most_seeds is None else f"; it would have ended after {race.most_seeds} seeds at the latest"
        sentences.append(f"No best agent is known: {why} with {listed(list(race.left))} left{ends}.")
    if race.saved:
        share = race.saved / (total * race.seeds)
        sentences.append(
            f"{race.replications} replications, {race.saved} ({percent(share)}) fewer than "
            f"{counted(total, 'agent')} on {counted(race.seeds, 'seed')} each."
        )
    ahead = outcome.made - race.replications
    if ahead > 0:
        sentences.append(f"Idle workers ran ahead: {counted(ahead, 'replication')} in vain.")
    return sentences


def _results(race: Selection, agent: str) -> tuple[str, str]:
    """The number of its seeds and its objective over them."""
    values = race.values(agent)
    interval = t_interval(values)
    return str(len(values)), plus_minus(interval.mean, interval.half_width)


def _describe(lap: Lap) -> str:
    return f"{counted(lap.seeds, 'seed')}, {counted(lap.left, 'agent')} left in the race"


def _share(text: str) -> float | None:
    """Of `95%`, 0.95; None for what is no percentage."""
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*", text)
    return None if found is None else float(found[1]) / 100


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _places(share: float) -> int:
    """Decimal places that a percentage needs."""
    return 0 if math.isclose(100 * share, round(100 * share)) else 1
