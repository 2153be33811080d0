"""The section of a report that sets stations beside the closed forms of queueing theory that are nearest to them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from simoffload.record.durable import RecordError

from .behaviour.visits import node_visits
from .figures_theory import FEWEST_BEYOND, qq_figure, quantile_pairs
from .numbers import UNKNOWN, brief, percent
from .page import Block, Cell, Folded, Paragraph, Section, Table, write_picture
from .runs import Run
from .theory.measured import Compared, compared

NAME, TITLE = "theory", "Beside queueing theory"
FEWEST = 20 * FEWEST_BEYOND
"""Quantiles of fewer waits are not drawn beside theory's."""


def theory_section(run: Run, directory: Path) -> Section:
    """A row per station; where its form assumes nothing that is not so, the quantiles of waits as well."""
    blocks: list[Block] = []
    if not run.has_rows or run.manifest.kept_one_in > 1:
        return Section(NAME, TITLE, blocks)
    try:
        stations, _ = compared(run)
    except RecordError:
        return Section(
            NAME, TITLE, [Paragraph("This version cannot read the scenario, and so not compare its stations.")]
        )
    if stations:
        used = [each for each in stations if each.verdict.is_used]
        others = [each for each in stations if not each.verdict.is_used]
        blocks = [_table(NAME, used)] if used else []
        blocks += [Folded("Stations of a load below 1 %", [_table(f"{NAME}-others", others)])] if others else []
        blocks.append(Paragraph(_reading(stations)))
        blocks += [_quantiles(run, each, law, directory) for each in stations if (law := _wait_law(run, each))]
    return Section(NAME, TITLE, blocks)


def _table(name: str, stations: Sequence[Compared]) -> Table:
    rows = []
    for each in stations:
        verdict = each.verdict
        told = None if verdict.form is None else verdict.form.means
        pairs = [
            (math.nan if told is None else getattr(told, name), getattr(each.measured, name))
            for name in ("wait_s", "sojourn_s", "queue_length")
        ]
        rows.append(
            [
                Cell(verdict.offered.station),
                Cell(verdict.name),
                Cell(percent(verdict.load, 1), verdict.load),
                *(Cell(_number(value), value) for pair in pairs for value in pair),
                Cell(str(len(verdict.remarks))),
            ]
        )
    heads = [f"{what}{whose}" for what in ("wait, s", "sojourn, s", "in line") for whose in (" by theory", "")]
    return Table(
        f"{name}-table",
        "The closed form nearest to each station, its offered load, and what it predicts beside what was measured. The "
        "last column counts assumptions of the form that are not met.",
        ["station", "form", "load", *heads, "not met"],
        rows,
    )


def _number(value: float) -> str:
    return brief(value) if math.isfinite(value) else UNKNOWN


def _reading(stations: tuple[Compared, ...]) -> str:
    met = [each.verdict.offered.station for each in stations if not each.verdict.remarks]
    if met:
        return f"All that its form assumes was found at {', '.join(met)}: there, theory and run should agree."
    return (
        "None of these stations is what its form assumes, so differences are to be expected; "
        "'simoffload theory RUN' says station by station why."
    )


def _wait_law(run: Run, each: Compared) -> Callable[[float], float] | None:
    """The quantile function of waits at a node that meets all that its form assumes; None elsewhere."""
    station = each.verdict.offered.station
    if each.verdict.remarks or station not in run.summary.nodes or each.visits < FEWEST:
        return None
    return getattr(each.verdict.form, "wait_quantile", None)


def _quantiles(run: Run, each: Compared, law: Callable[[float], float], directory: Path) -> Block:
    station, name = each.verdict.offered.station, each.verdict.name
    visits = node_visits(run, station)
    kept = visits.arrivals_s >= run.warm_up_s
    waits = (visits.starts_s - visits.arrivals_s)[kept]
    return write_picture(
        qq_figure(quantile_pairs(waits, law), f"wait at {station} (s)", name), directory, f"quantiles-{station}",
        f"Waits at {station} beside {name}",
        "Quantiles of the waits against those of the form at the measured rates; on the dashed line they are equal. "
        "Waits depend on each other, so the far tail of one run may well stray.",
    )  # fmt: skip
