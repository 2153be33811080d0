"""The sections of a report on how a run behaves: where latency goes, how lines move, and whether the laws hold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from simoffload.schema.base import STAGES

from .behaviour.fits import fit_laws
from .behaviour.latency_split import PARTS, Breakdown, breakdown, sibling_splits
from .behaviour.queues import busy_periods, gaps
from .behaviour.run_laws import Laws, laws_in_words, laws_of
from .behaviour.tails import tail
from .behaviour.visits import node_visits
from .figures_queues import longest_lines, queue_view, queues_figure
from .numbers import UNKNOWN, counted, rounded
from .page import Block, Cell, Folded, Paragraph, Table, write_picture
from .runs import Floats, Run

FEWEST = 200
"""Of fewer latencies nothing is said of their tail."""


def split_blocks(run: Run) -> list[Block]:
    """What latencies are made of, by stage and by node."""
    found = breakdown(sibling_splits(run))
    if not found.tasks:
        return []
    nodes = list(run.summary.nodes)
    by_stage = _parts_table(found, "parts-stage", "stage", {STAGES[n]: row for n, row in found.by_stage.items()})
    by_node = _parts_table(found, "parts-node", "node", {nodes[n]: row for n, row in found.by_node.items()})
    blocks: list[Block] = [by_stage, Folded("The same by node", [by_node])]
    if found.untraced:
        blocks.append(Paragraph(f"{counted(found.untraced, 'task')} could not be traced from end to arrival."))
    return blocks


def tail_blocks(latencies: Floats) -> list[Block]:
    """How heavy the tail of these latencies, s, is, and which law they follow."""
    if len(latencies) < FEWEST or not np.ptp(latencies) > 0:
        return []
    return [Paragraph(f"{tail(latencies).words}"), Paragraph(fits_in_words(latencies))]


def fits_in_words(latencies: Floats) -> str:
    """Which law latencies follow, and what its p-values are worth."""
    return (
        f"Of the laws fitted to latency by maximum likelihood, {fit_laws(latencies, resamples=99).words} "
        "The p-values allow for parameters that were fitted to the same values, but take values for independent: those "
        "of successive tasks are not, so that the p-values are too small."
    )


def _parts_table(
    found: Breakdown, name: str, what: str, rows: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]
) -> Table:
    lines = [[Cell(key), *(Cell(rounded(s), s) for s in row.tolist()), _sum(row)] for key, row in rows.items()]
    total = [Cell("all"), *(Cell(rounded(s), s) for s in found.mean_s.tolist()), _sum(found.mean_s)]
    return Table(
        name,
        f"What a task's latency is made of, s per task, by the {what} of the subtasks that it was spent on; mean of "
        f"{counted(found.tasks, 'task')}. Siblings: waiting for subtasks that ran beside. The sum is the mean latency.",
        [what, *PARTS, "sum"],
        [*lines, total],
    )


def _sum(row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Cell:
    return Cell(rounded(float(row.sum())), float(row.sum()))


def queue_blocks(run: Run, directory: Path) -> list[Block]:
    """The longest lines over time and their distributions; busy periods and departures of all nodes."""
    views = [view for node in longest_lines(run) if (view := queue_view(run, node)) is not None]
    if not views:
        return []
    picture = write_picture(
        queues_figure(views), directory, "lines", "Lines over time, and how long they are",
        "The longest ones. On the left the number waiting, its mean over stretches and in pale its extremes; on the "
        "right the share of time that each number held, on a log scale; the level line is the mean over time.",
    )  # fmt: skip
    return [picture, Folded("Busy periods and departures", [_busy_table(run)])]


def _busy_table(run: Run) -> Table:
    rows = []
    for node in run.summary.nodes:
        visits = node_visits(run, node)
        if len(visits.arrivals_s) < 3:
            continue
        periods, between = busy_periods(visits.arrivals_s, visits.departures_s), gaps(visits.departures_s)
        served = float(periods.served.mean()) if len(periods.served) else math.nan
        length_s = float(periods.lengths_s.mean()) if len(periods.served) else math.nan
        numbers = (float(len(periods.served)), length_s, served, between.cv)
        rows.append([Cell(node), *(Cell(rounded(x) if math.isfinite(x) else UNKNOWN, x) for x in numbers)])
    return Table(
        "busy",
        "Busy periods, from an arrival at an empty node until it is empty again, and the coefficient of variation of "
        "the times between departures: 1 of a Poisson stream, less where departures are more even.",
        ["node", "busy periods", "mean length, s", "served in each", "departures' CV"],
        rows,
    )


def law_blocks(run: Run) -> list[Block]:
    """Whether Little's law, flow balance, utilisation and conservation hold on the records, and both sides of each."""
    found = laws_of(run)
    return [Paragraph(laws_in_words(found)), Folded("Both sides of every law", [_laws_table(found)])]


def _laws_table(laws: Laws) -> Table:
    def lines() -> Iterator[list[Cell]]:
        for law in laws.checked:
            sides = [Cell(rounded(side, 6), side) for side in (law.left, law.right)]
            yield [Cell(law.where), Cell(law.name), *sides, Cell(law.unit), Cell(f"{law.residual:.1e}", law.residual)]

    return Table(
        "laws",
        "Stations integrate their numbers while the run goes on; rows are added up afterwards. Both sides should be "
        "equal up to rounding.",
        ["where", "law", "one side", "other side", "unit", "residual"],
        list(lines()),
    )
