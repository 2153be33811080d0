"""Tables of stations: what theory says of each, what was measured beside it, and what the forms assume in vain."""

from __future__ import annotations

from collections.abc import Sequence

import click

from ..analysis.numbers import UNKNOWN, brief, counted, listed, percent
from ..analysis.runs import Run
from ..analysis.theory.means import Means
from ..analysis.theory.measured import Compared
from ..analysis.theory.nearest import Verdict
from ..analysis.theory.remarks import Remark, merged
from ..analysis.theory.stations import Overview
from .tables import print_table

HEADS = ("station", "", "arrivals/s", "load", "busy", "wait, s", "sojourn, s", "queue")
NUMBERS = 6
HARDLY = "a load below 1 % at"
"""Stations that are not told of, but in JSON."""
MOST_NAMED = 4
"""Of more stations with the same remark, their number is told."""


def print_scenario(name: str, found: Overview) -> None:
    """What theory says of a scenario's stations."""
    click.echo(f"{name}: {found.split}")
    if found.is_jackson and len(found.verdicts) > 1:
        click.echo("a Jackson network: each station is as if it were alone")
    click.echo()
    shown = [verdict for verdict in found.verdicts if verdict.is_used]
    print_table(HEADS, [row for verdict in shown for row in _theory_rows(verdict)], numbers=NUMBERS)
    _print_remarks(shown)
    _print_others(HARDLY, [each.offered.station for each in found.verdicts if each not in shown])
    _print_others("nothing comes to", found.idle)


def print_run(run: Run, stations: Sequence[Compared], few: Sequence[str]) -> None:
    """What theory says of a run's stations from what came to them, and what was."""
    click.echo(f"{run.summary.scenario} with {run.summary.agent}, seed {run.summary.seed}: theory from what came\n")
    shown = [each for each in stations if each.verdict.is_used]
    print_table(HEADS, [row for each in shown for row in _compared_rows(each)], numbers=NUMBERS)
    _print_remarks([each.verdict for each in shown])
    _print_others(HARDLY, [each.verdict.offered.station for each in stations if each not in shown])
    _print_others("too few visits, or none, at", few)


def _theory_rows(verdict: Verdict) -> list[list[str]]:
    offered, means = verdict.offered, verdict.means
    first = [offered.station, verdict.name, brief(offered.arrival_rate), percent(verdict.load, 1)]
    if means is None:
        return [[*first, "100 %", *["∞"] * 3]]
    rows = [[*first, *_four(means)]]
    for each, (name, said) in zip(offered.classes, verdict.means_by_class.items(), strict=False):
        rows.append(["", f"  {name}", brief(each.arrival_rate), percent(each.load, 1), *_four(said)])
    return rows


def _compared_rows(compared: Compared) -> list[list[str]]:
    verdict = compared.verdict
    pairs = [(verdict.means, compared.measured)]
    pairs += [(said, compared.measured_by_class[name]) for name, said in verdict.means_by_class.items()]
    rows = []
    for row, (said, was) in zip(_theory_rows(verdict), pairs, strict=True):
        rows += [row, ["", "    measured", "", "", *_four(was)]]
        if said is not None:
            ratios = [f"× {brief(a / b)}" if b > 0 else UNKNOWN for a, b in zip(_told(was), _told(said), strict=True)]
            rows.append(["", "    measured over theory", "", "", *ratios])
    return rows


def _told(means: Means) -> tuple[float, ...]:
    return means.utilisation, means.wait_s, means.sojourn_s, means.queue_length


def _four(means: Means) -> list[str]:
    return [percent(means.utilisation, 1), *(brief(value) for value in _told(means)[1:])]


def _print_remarks(verdicts: Sequence[Verdict]) -> None:
    """What is unstable, then each remark with the stations that it is of."""
    unstable = [each for each in verdicts if each.form is None]
    lines = [
        f"{each.offered.station}: no steady state, its load is {each.load:.3g}: the queue grows without end"
        for each in unstable
    ]
    about: dict[str, list[tuple[str, Remark]]] = {}
    for verdict in verdicts:
        for remark in verdict.remarks:
            about.setdefault(remark.words, []).append((verdict.offered.station, remark))
    for pairs in about.values():
        names, remarks = zip(*pairs, strict=True)
        lines.append(f"{_stations(names, len(verdicts))}: {merged(remarks)}")
    exact = [each.offered.station for each in verdicts if not each.remarks and each.form is not None]
    if exact:
        lines.append(f"{_stations(exact, len(verdicts))}: nothing was found that the form does not assume")
    if lines:
        click.echo("\n" + "\n".join(lines))


def _stations(names: Sequence[str], of: int) -> str:
    if len(names) == of and of > 2:
        return "all stations"
    return listed(names) if len(names) <= MOST_NAMED else f"{names[0]} and {counted(len(names) - 1, 'other station')}"


def _print_others(what: str, names: Sequence[str]) -> None:
    if names:
        click.echo(f"{what} {_stations(names, 0)}")
