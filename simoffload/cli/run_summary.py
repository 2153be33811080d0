"""What a run came to, in a screenful: tasks, times, cost, each node, and the checks that it passed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..analysis.numbers import percent, rounded
from ..analysis.runs import Summary
from ..record.durable import RecordError
from .tables import print_table

MOST_NODES = 24
"""Of more nodes, those that are busiest are shown."""


def print_run(content: Mapping[str, Any], directory: Path) -> None:
    """Print the content of summary.json as text."""
    from pydantic import TypeAdapter

    summary = TypeAdapter(Summary).validate_python(content)
    for name, text in [*run_lines(summary, directory), ("laws", laws(summary, directory))]:
        click.echo(f"{name:12} {text}")
    click.echo()
    _print_nodes(summary)


def run_lines(summary: Summary, directory: Path) -> list[tuple[str, str]]:
    """What there is to say of the run as a whole, each with a name of at most eleven letters."""
    tasks, latency = summary.tasks, summary.latency_s
    speed = summary.events / summary.wall_s if summary.wall_s > 0 else 0.0
    return [
        ("run", f"{summary.agent} on {summary.scenario}, seed {summary.seed}: {summary.status}"),
        (
            "tasks",
            f"{tasks.arrived} arrived, {tasks.completed} completed, {tasks.dropped} dropped, {tasks.in_system} in "
            f"the system; {tasks.measured} measured",
        ),
        (
            "latency",
            f"mean {rounded(latency.mean)} s, p50 {rounded(latency.p50)} s, p95 {rounded(latency.p95)} s, "
            f"p99 {rounded(latency.p99)} s",
        ),
        ("cost", f"{rounded(1000 * summary.cost_usd.mean)} USD per 1000 tasks"),
        ("objective", rounded(summary.objective.mean, 4)),
        (
            "events",
            f"{summary.events} in {rounded(summary.wall_s)} s, {rounded(speed)} a second; "
            f"{rounded(summary.simulated_s)} s simulated",
        ),
        ("fingerprint", str(summary.fingerprint)),
        ("directory", str(directory)),
    ]


def laws(summary: Summary, directory: Path) -> str:
    """Whether the laws of queueing hold of the rows, or without rows of what was counted, in words."""
    from ..analysis.behaviour.counted_laws import counted_laws_in_words
    from ..analysis.runs import open_run

    try:
        run = open_run(directory)
        if not run.has_rows:
            return counted_laws_in_words(summary)
        from ..analysis.behaviour.run_laws import laws_in_words, laws_of

        return laws_in_words(laws_of(run))
    except RecordError as error:
        return f"not checked: {error}"


def _print_nodes(summary: Summary) -> None:
    nodes = summary.nodes
    busiest = frozenset(sorted(nodes, key=lambda name: -nodes[name].utilisation)[:MOST_NODES])
    rows = [
        (
            name,
            percent(nodes[name].utilisation, 1),
            rounded(nodes[name].queue_length.mean),
            rounded(nodes[name].waiting_s.mean),
            rounded(nodes[name].service_s.mean),
            str(nodes[name].arrivals),
        )
        for name in nodes
        if name in busiest
    ]
    print_table(("node", "busy", "queue", "waiting, s", "service, s", "subtasks"), rows, numbers=5)
    if len(busiest) < len(nodes):
        click.echo(f"The {len(busiest)} busiest of {len(nodes)} nodes; summary.json has them all.")
