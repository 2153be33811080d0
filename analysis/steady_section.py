"""The section of a report on the long run: what its quantities come to, and the pictures by which to judge that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .account import SHARES, Account, account, remarks, share_name
from .figures_steady import series_view, steady_figure
from .numbers import UNKNOWN, rounded, with_ends
from .overload import explained
from .page import Block, Cell, Folded, Paragraph, Section, Table, write_picture
from .runs import Floats, Run
from .series import quantity, series_of
from .steady.result import SteadyState

QUANTITIES = ("latency", "objective", "cost", "waiting")
FEWEST = 100
"""Of fewer values nothing is said."""


@dataclass(frozen=True, slots=True)
class LongRun:
    """A quantity of a run: its values in the order of time, and what they come to."""

    values: Floats
    account: Account


def long_runs(run: Run) -> list[LongRun]:
    """Of the quantities of a run of which there are enough values."""
    series = {name: series_of(run, name) for name in QUANTITIES} if run.has_rows else {}
    return [
        LongRun(values, explained(account(quantity(name), values), run))
        for name, values in series.items()
        if len(values) >= FEWEST
    ]


def steady_section(seen: Sequence[LongRun], directory: Path) -> Section:
    """Intervals of means and quantiles, and for each quantity its series, memory and batches."""
    blocks: list[Block] = []
    if seen:
        accounts = [each.account for each in seen]
        blocks = [_table(accounts), *(Paragraph(_remark(each)) for each in accounts if remarks(each))]
        pictures: list[Block] = [_picture(each.values, each.account, directory) for each in seen]
        blocks += [pictures[0], Folded("The same pictures of the other quantities", pictures[1:])]
    return Section("steady", "In the long run", blocks)


def _table(accounts: Sequence[Account]) -> Table:
    rows = []
    for each in accounts:
        unit = f", {each.quantity.unit}" if each.quantity.unit else ""
        states = [each.mean, *each.quantiles.values()]
        rows.append([Cell(each.quantity.name + unit), *map(_cell, states), *_facts(each.mean)])
    return Table(
        "steady-table",
        "Means and quantiles with their 95 % intervals, which allow for the dependence of successive values. A "
        "question mark stands where the run does not allow an interval.",
        ["quantity", "mean", *map(share_name, SHARES), "values", "warm-up", "independent"],
        rows,
    )


def _cell(state: SteadyState) -> Cell:
    return Cell(with_ends(state.value, state.low, state.high), state.value, state.half_width)


def _facts(state: SteadyState) -> list[Cell]:
    """Values used, those left out, and what they are worth."""
    effective = UNKNOWN if state.effective_n != state.effective_n else rounded(state.effective_n)
    return [Cell(str(state.n), state.n), Cell(str(state.cut), state.cut), Cell(effective)]


def _remark(account: Account) -> str:
    return f"{account.quantity.name.capitalize()}: {' '.join(remarks(account))}"


def _picture(values: Floats, account: Account, directory: Path) -> Block:
    name, unit = account.quantity.name, account.quantity.unit
    view = series_view(values, account.mean.cut, account.mean.tau)
    return write_picture(
        steady_figure(view, account.mean, f"{name} ({unit})" if unit else name),
        directory,
        f"steady-{name}",
        f"How {name} settles",
        "Above, means over stretches of the run and their moving average; what was cut as warm-up by MSER-5, if "
        "anything, is shaded. Below, how far values depend on earlier ones, with the band in which independent ones "
        "would lie, and the means of equal batches, which should scatter without a trend around the estimate and its "
        "interval.",
    )
