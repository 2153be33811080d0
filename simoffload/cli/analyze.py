"""`simoffload analyze`: what runs come to in the long run, with intervals that may be published."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..record.durable import RecordError
from .refusals import Refused, unknown

if TYPE_CHECKING:
    from ..analysis.account import Account
    from ..analysis.behaviour.run_laws import Laws
    from ..analysis.grouping import Group
    from ..analysis.steady.result import SteadyState


class Inside(click.FloatRange):
    """A number between two others; nan, which no comparison catches, is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error where it is none, or not between."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number", param, ctx)
        return number


USUAL = ("latency", "objective", "cost", "waiting")
"""What a run is asked for unless --of says otherwise."""


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--of",
    "names",
    multiple=True,
    metavar="NAME",
    help="What of: latency, objective, cost, energy, transfer, waiting, service; a column of a file. May be repeated.",
)
@click.option("--order", metavar="COLUMN", help="The column by which rows of files are in the order of time.")
@click.option("--level", type=Inside(0.5, 1, True, True), default=0.95, show_default=True, help="Of the intervals.")
@click.option(
    "--within",
    type=Inside(0, 1, True, True),
    default=0.05,
    show_default=True,
    help="Half-width, as a share of the value, that forecasts of run lengths are for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def analyze(
    runs: tuple[Path, ...], names: tuple[str, ...], order: str | None, level: float, within: float, as_json: bool
) -> None:
    """Say what runs come to in the long run, with intervals.

    Means and quantiles are told with intervals, or why there are none. RUN is the directory of a run or of a
    comparison, or a CSV or Parquet file with named columns. Runs of an agent on several seeds, and several files, are
    replications. The warm-up is found and left out; a number that the runs are too short for gets no interval, but the
    length that it would take.
    """
    try:
        if all(map(os.path.isfile, runs)):
            found = _of_files(runs, names, order, level, within)
        else:
            found = _of_runs(runs, names, order, level, within)
    except RecordError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps([_plain(report) for report in found], indent=2))
        return
    for place, report in enumerate(found):
        if place:
            click.echo()
        _print(report)


@dataclass(frozen=True, slots=True)
class _Report:
    """What is told of one group of runs, or of files."""

    title: str
    facts: dict[str, Any]
    caveats: tuple[str, ...]
    warm_up_s: float
    accounts: tuple[Account, ...]
    laws: Laws | None
    """What the records were held against; None where there is nothing of stations in them."""


def _of_files(
    files: tuple[Path, ...], names: tuple[str, ...], order: str | None, level: float, within: float
) -> list[_Report]:
    from ..analysis.columns import account_of_files

    if not names:
        raise click.UsageError("--of: say which column of the file, such as --of wait_s")
    accounts = tuple(account_of_files(files, name, order, level, within) for name in names)
    title = str(files[0]) if len(files) == 1 else f"{len(files)} files"
    return [_Report(title, {"files": [str(file) for file in files]}, (), 0.0, accounts, None)]


def _of_runs(
    runs: tuple[Path, ...], names: tuple[str, ...], order: str | None, level: float, within: float
) -> list[_Report]:
    from ..analysis.grouping import accounted, open_runs
    from ..analysis.series import QUANTITIES

    if order is not None:
        raise click.UsageError("--order is for files: the rows of runs are in the order of time")
    faults = [unknown("quantity", name, QUANTITIES) for name in names if name not in QUANTITIES]
    if faults:
        raise Refused(f"--of: {fault}" for fault in faults)
    opened = open_runs(runs)
    usual = USUAL if any(run.has_rows for run in opened) else USUAL[:1]
    return [_report(group) for group in accounted(opened, names or usual, level, within)]


def _report(group: Group) -> _Report:
    from ..analysis.behaviour.run_laws import laws_of_all

    seeds = group.seeds
    on = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds, {seeds[0]} to {seeds[-1]}"
    facts = {"scenario": group.scenario, "agent": group.agent, "seeds": list(seeds)}
    warm_up_s = max(run.warm_up_s for run in group.runs)
    laws = laws_of_all(group.runs) if all(run.has_rows for run in group.runs) else None
    title = f"{group.agent} on {group.scenario}, {on}"
    return _Report(title, facts, group.caveats, warm_up_s, group.accounts, laws)


def _print(report: _Report) -> None:
    from ..analysis.account import SHARES, remarks, share_name
    from ..analysis.behaviour.run_laws import laws_in_words
    from ..analysis.numbers import counted, with_ends
    from .tables import print_table

    click.echo(f"{report.title}; {report.accounts[0].mean.level:.0%} intervals")
    click.echo(f"warm-up: {_cuts(report)}")
    for caveat in report.caveats:
        click.echo(caveat)
    rows = [
        [
            f"{each.quantity.name}, {each.quantity.unit}" if each.quantity.unit else each.quantity.name,
            *(with_ends(state.value, state.low, state.high) for state in (each.mean, *each.quantiles.values())),
            counted(each.mean.n, each.quantity.noun),
        ]
        for each in report.accounts
    ]
    heads = ["quantity", "mean", *map(share_name, SHARES), "after warm-up"]
    print_table(heads, rows, numbers=len(heads) - 1)
    for each in report.accounts:
        for remark in remarks(each):
            click.echo(f"{each.quantity.name}: {remark}")
    if report.laws is not None:
        click.echo(laws_in_words(report.laws))


def _cuts(report: _Report) -> str:
    """What was left out."""
    from ..analysis.numbers import counted, listed, rounded

    cuts = [f"{counted(each.mean.cut, each.quantity.noun)} ({each.quantity.name})" for each in report.accounts]
    own = f"{rounded(report.warm_up_s)} s by the scenario; beyond that, " if report.warm_up_s > 0 else ""
    return f"{own}by MSER-5, {listed(cuts)}"


def _plain(report: _Report) -> dict[str, Any]:
    from ..analysis.account import remarks, share_name

    laws = {} if report.laws is None else {"laws": _plain_laws(report.laws)}
    return {
        **report.facts,
        "caveats": list(report.caveats),
        "quantities": {
            each.quantity.name: {
                "unit": each.quantity.unit,
                "mean": _state(each.mean),
                "quantiles": {share_name(share): _state(state) for share, state in each.quantiles.items()},
                "remarks": remarks(each),
            }
            for each in report.accounts
        },
        **laws,
    }


def _plain_laws(laws: Laws) -> dict[str, Any]:
    return {
        "hold": laws.hold,
        "checks": len(laws.checked),
        "largest_residual": max((law.residual for law in laws.checked), default=None),
        "not_checked": sorted({f"{each.name}: {each.reason}" for each in laws.unchecked}),
    }


def _state(state: SteadyState) -> dict[str, Any]:
    return {
        "value": _number(state.value),
        "half_width": _number(state.half_width),
        "low": _number(state.low),
        "high": _number(state.high),
        "level": state.level,
        "method": state.method,
        "n": state.n,
        "effective_n": _number(state.effective_n),
        "autocorrelation_time": _number(state.tau),
        "cut": state.cut,
        "batches": state.batches,
        "lag1": _number(state.lag1),
        "flags": sorted(state.flags),
        "needed_n": state.needed_n,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
