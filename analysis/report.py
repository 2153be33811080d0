"""The report of a comparison: one page that leads from the answer to every number behind it.

Pictures that need rows (distributions, queues, charts of tasks) come from the first replication of each agent, for
which comparisons keep rows; without rows the page does without them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from simoffload.record.manifest import SCENARIO_FILE

from .answer import answer
from .figures_agents import objective_figure, objective_rows, pareto_figure, pareto_points
from .figures_latency import ecdf, latency_figure, latency_split, measured_latencies, split_figure, spread_figure
from .figures_nodes import Queues, keeps_growing, queue_figure, queues, utilisation, utilisation_figure
from .gantt import task_pictures
from .numbers import counted, listed
from .page import FIGURES, REPORT_FILE, Block, Folded, Listing, Page, Paragraph, Section, write_page, write_picture
from .ranking import Standing, standings
from .run_report import rows_note, write_run_report
from .runs import Comparison, Run, open_comparison
from .tables import agents_table, links_table, nodes_table, replications_table, versions_table

__all__ = ["write_report", "write_run_report"]

_MOST_ROWS = 400
"""Per-node tables of all agents may have as many rows together; beyond, only the first agent has one."""
_MOST_NAMED = 8
"""As many runs that did not end are named."""


def write_report(directory: Path) -> Path:
    """Write `report.html` and `figures/` into a comparison directory; RecordError when it cannot be read or written."""
    comparison = open_comparison(directory)
    return write_page(comparison_page(comparison), directory / REPORT_FILE)


def comparison_page(comparison: Comparison) -> Page:
    """The page; draws its pictures into `figures/`."""
    results = comparison.results
    order = standings(results)
    recorded = [standing.agent for standing in order if _rows_of(comparison, standing.agent)]
    series = {name: queues(comparison.runs[name]) for name in recorded}
    series = {name: each for name, each in series.items() if len(each.time_s)}
    growing = [name for name, each in series.items() if keeps_growing(each)]
    first = comparison.runs.get(order[0].agent)
    sections = [
        _agents_section(comparison, order),
        _latency_section(comparison, recorded),
        _nodes_section(comparison, order, series),
        _tasks_section(comparison, recorded),
        _making_section(comparison, order, first),
    ]
    return Page(
        title=results.scenario,
        overline=f"{counted(len(order), 'agent')}, {counted(len(results.seeds), 'replication')}",
        description=first.description if first else "",
        warnings=_warnings(comparison),
        answer=answer(results, order, growing),
        sections=[section for section in sections if section.blocks],
    )


def _warnings(comparison: Comparison) -> list[str]:
    runs = [f"{agent} on seed {seed}" for agent, seed in comparison.unfinished]
    if not runs:
        return []
    names = runs if len(runs) <= _MOST_NAMED else [*runs[: _MOST_NAMED - 1], f"{len(runs) - _MOST_NAMED + 1} others"]
    return [f"Runs that failed, were stopped or are missing: {listed(names)}. What follows may rest on part of a run."]


def _rows_of(comparison: Comparison, agent: str) -> bool:
    run = comparison.runs.get(agent)
    return run is not None and run.has_rows


def _agents_section(comparison: Comparison, order: Sequence[Standing]) -> Section:
    directory = comparison.directory / FIGURES
    blocks: list[Block] = []
    rows = objective_rows(comparison.results, order)
    if rows:
        blocks.append(
            write_picture(
                objective_figure(rows), directory, "objective", "Objective per agent",
                "Small dots are single replications, lines 95 % intervals, the band is that of the first agent, "
                "arrows point to agents far beyond the axis. Bold: the first, and those not distinguishable from it. "
                "Agents whose intervals overlap may be distinguishable, because they share their random numbers; the "
                "table has the paired differences.",
            )
        )  # fmt: skip
    blocks.append(agents_table(comparison.results, order))
    points = pareto_points(comparison.results)
    if len(points) > 1:
        blocks.append(
            write_picture(
                pareto_figure(points), directory, "pareto", "Latency against cost",
                "Means; lower left is better. No agent is both faster and cheaper than one with a dark rim; the dashed "
                "stair joins these. Lines are 95 % intervals. At the upper edge: agents of far longer latency.",
            )
        )  # fmt: skip
    return Section("agents-section", "Agents", blocks)


def _latency_section(comparison: Comparison, recorded: Sequence[str]) -> Section:
    directory = comparison.directory / FIGURES
    runs = {name: comparison.runs[name] for name in recorded}
    blocks = rows_note(next(iter(runs.values()), None))
    latencies = {name: measured_latencies(run) for name, run in runs.items()}
    latencies = {name: each for name, each in latencies.items() if len(each)}
    ecdfs = {name: ecdf(each) for name, each in latencies.items()}
    if ecdfs:
        blocks.append(
            write_picture(
                latency_figure(ecdfs), directory, "latency", "Distribution of latency",
                "Above, the share of tasks done within a time: further left is better. Below, the same seen from the "
                "other end: the share that takes longer, so that the slowest tasks can be told apart. First "
                "replication of each agent, best objective first.",
            )
        )  # fmt: skip
    if len(latencies) > 1:
        blocks.append(
            write_picture(
                spread_figure(latencies), directory, "spread", "Spread of latency",
                "Half of all tasks are within the widest box, whose white line is the median; each next box holds half "
                "of what is left on its side. First replication of each agent.",
            )
        )  # fmt: skip
    splits = {name: latency_split(run) for name, run in runs.items()}
    splits = {name: each for name, each in splits.items() if each.tasks}
    if splits:
        blocks.append(
            write_picture(
                split_figure(splits), directory, "split", "What latency is made of",
                "Time along each task's critical path, which adds up to its latency: data under way, waiting for a "
                "server, in service. Bars with an arrow are cut; the length is beside them.",
            )
        )  # fmt: skip
    return Section("latency-section", "Latency", blocks)


def _nodes_section(comparison: Comparison, order: Sequence[Standing], series: dict[str, Queues]) -> Section:
    directory = comparison.directory / FIGURES
    blocks: list[Block] = []
    table = utilisation(comparison.results)
    if table.nodes:
        blocks.append(
            write_picture(
                utilisation_figure(table), directory, "utilisation", "How busy the nodes are",
                "Mean share of time in service, in per cent. A batching server is busy while any request is in it.",
            )
        )  # fmt: skip
    runs = [comparison.runs[standing.agent] for standing in order if standing.agent in comparison.runs]
    if series:
        blocks.append(
            write_picture(
                queue_figure(series, list(runs[0].summary.nodes)), directory, "queues", "Queues over time",
                "Above, all agents: a line that keeps rising has no steady state. Below, node by node, the three best "
                "agents. First replication, up to the last arrival.",
            )
        )  # fmt: skip
    if runs:
        blocks += [nodes_table(runs[0], "nodes"), Folded("Links", [links_table(runs[0], "links")])]
    if sum(len(run.summary.nodes) for run in runs) <= _MOST_ROWS and len(runs) > 1:
        others = [nodes_table(run, f"nodes-{place}") for place, run in enumerate(runs[1:], start=2)]
        blocks.append(Folded("Nodes under the other agents", others))
    return Section("nodes-section", "Nodes", blocks)


def _tasks_section(comparison: Comparison, recorded: Sequence[str]) -> Section:
    blocks: list[Block] = []
    if recorded:
        blocks += task_pictures(comparison.runs[recorded[0]], comparison.directory / FIGURES)
    return Section("tasks", "Two tasks, step by step", blocks)


def _making_section(comparison: Comparison, order: Sequence[Standing], first: Run | None) -> Section:
    results = comparison.results
    seeds = ", ".join(map(str, results.seeds))
    blocks: list[Block] = [
        Paragraph(f"Seeds {seeds}. The runs took {results.wall_s:.1f} s. To make them again:"),
        Listing(command(comparison, [standing.agent for standing in order])),
        Folded("Every run, with its fingerprint", [replications_table(comparison, order)]),
        Folded("Versions", [versions_table(results.versions)]),
    ]
    if first is not None:
        note = Paragraph(f"SHA-256 of the file: {first.manifest.scenario_sha256}")
        blocks.append(Folded("The scenario, complete with every default", [Listing(first.scenario_text), note]))
    return Section("making", "How this was made", blocks)


def command(comparison: Comparison, agents: Sequence[str]) -> str:
    """The command that repeats the comparison from the scenario file kept with it."""
    results = comparison.results
    run = next(iter(comparison.runs.values()), None)
    scenario = results.scenario
    if run is not None:
        scenario = (run.directory.relative_to(comparison.directory) / SCENARIO_FILE).as_posix()
    seeds = ",".join(map(str, results.seeds))
    return shlex.join(["simoffload", "compare", scenario, "--agents", ",".join(agents), "--seeds", seeds])
