"""What a comparison came to: a line an agent, best first, and how sure one can be of the first place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shutil import get_terminal_size

import click

from ..analysis.answer import answer
from ..analysis.figures_nodes import keeps_growing, queues
from ..analysis.numbers import UNKNOWN, plus_minus
from ..analysis.ranking import Ranks, Standing, standings
from ..analysis.runs import Comparison, Results, open_comparison
from .tables import print_table

HEADS = ("agent", "rank", "objective", "mean, s", "p95, s", "p99, s", "USD/1000")
LONGEST_LINE = 100


def print_comparison(directory: Path) -> None:
    """Print the table and the answer of a comparison directory; RecordError when it cannot be read."""
    comparison = open_comparison(directory)
    results, growing = comparison.results, growing_backlogs(comparison)
    order = standings(results)
    print_table(HEADS, comparison_rows(results, order), numbers=len(HEADS) - 1)
    width = min(LONGEST_LINE, get_terminal_size((LONGEST_LINE, 0)).columns)
    click.echo("\nrank: the places that chance leaves open; ±: half the width of the 95 % interval\n")
    for paragraph in answer(results, order, growing):
        click.echo(click.wrap_text(_plain(paragraph), width=width))
    click.echo()


def growing_backlogs(comparison: Comparison) -> list[str]:
    """The agents under which work piled up all through the run, as far as rows were kept to see it."""
    recorded = {name: run for name, run in comparison.runs.items() if run.has_rows}
    return [name for name, run in recorded.items() if keeps_growing(queues(run))]


def comparison_rows(results: Results, order: Sequence[Standing]) -> list[tuple[str, ...]]:
    """A row an agent: the ranks that it may have, and its estimates with their half-widths."""
    rows = []
    for standing in order:
        agent = results.agents[standing.agent]
        latency, cost = agent.latency_s, agent.cost_usd
        estimates = (
            (agent.objective.mean, agent.objective.half_width),
            (latency.mean, latency.mean_half_width),
            (latency.p95, latency.p95_half_width),
            (latency.p99, latency.p99_half_width),
            (1000 * cost.mean, 1000 * cost.half_width),
        )
        rows.append((standing.agent, _rank(standing.ranks), *(_estimate(*each) for each in estimates)))
    return rows


def _rank(ranks: Ranks | None) -> str:
    """`2`, or `2-4` where chance may have put it anywhere among these."""
    if ranks is None:
        return UNKNOWN
    return f"{ranks.best}" if ranks.best == ranks.worst else f"{ranks.best}-{ranks.worst}"


def _estimate(mean: float, half_width: float) -> str:
    """`21.34 ±0.56`: a narrow column breaks it before the ±."""
    return plus_minus(mean, half_width).replace("± ", "±")


def _plain(paragraph: str) -> str:
    from markupsafe import Markup

    return paragraph.striptags() if isinstance(paragraph, Markup) else paragraph
