"""The report of a single run: what one agent did on one seed."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simoffload.record.manifest import SCENARIO_FILE

from .account import Account, remarks
from .behaviour_section import law_blocks, queue_blocks, split_blocks, tail_blocks
from .figures_latency import Split, ecdf, latency_figure, latency_split, measured_latencies, split_figure
from .figures_nodes import (
    Utilisation,
    business,
    business_figure,
    keeps_growing,
    queue_figure,
    queues,
    utilisation_figure,
)
from .gantt import task_pictures
from .numbers import UNKNOWN, counted, percent, rounded, with_ends
from .page import (
    FIGURES,
    REPORT_FILE,
    Block,
    Folded,
    Listing,
    Page,
    Paragraph,
    Picture,
    Section,
    strong,
    write_page,
    write_picture,
)
from .runs import Run, open_run
from .steady_section import LongRun, long_runs, steady_section
from .tables import links_table, nodes_table, stages_table, versions_table
from .theory_section import theory_section


def write_run_report(directory: Path) -> Path:
    """Write `report.html` and `figures/` into a run directory; RecordError when it cannot be read or written."""
    run = open_run(directory)
    return write_page(run_page(run), directory / REPORT_FILE)


def run_page(run: Run) -> Page:
    """The page; draws its pictures into `figures/`."""
    summary = run.summary
    seen = long_runs(run)
    sections = [
        _latency_section(run, seen),
        steady_section(seen, run.directory / FIGURES),
        _nodes_section(run),
        theory_section(run, run.directory / FIGURES),
        _tasks_section(run),
        _making_section(run),
    ]
    return Page(
        title=f"{summary.agent} on {summary.scenario}",
        overline=f"one run, seed {summary.seed}",
        description=run.description,
        warnings=_warnings(run),
        answer=_answer(run, [each.account for each in seen]),
        sections=[section for section in sections if section.blocks],
    )


def _warnings(run: Run) -> list[str]:
    if run.is_complete:
        return []
    status = run.summary.status if run.manifest.status == "complete" else run.manifest.status
    return [f"This run is marked {status}: what follows is what there was when it stopped."]


def rows_note(run: Run | None) -> list[Block]:
    """What to know of the rows that pictures are drawn from, when they are not those of all tasks."""
    if run is None or not run.has_rows:
        return [
            Paragraph(
                "No rows were kept, so there are no pictures of distributions, of queues over time and of single "
                "tasks. The scenario's records.level says what is kept."
            )
        ]
    one_in = run.manifest.kept_one_in
    if one_in > 1:
        return [Paragraph(f"Rows were kept of one task in {one_in}, and pictures of distributions are of these tasks.")]
    return []


def _answer(run: Run, accounts: Sequence[Account]) -> list[str]:
    summary = run.summary
    tasks, latency = summary.tasks, summary.latency_s
    paragraphs: list[str] = [
        strong(
            "Under ",
            summary.agent,
            f" a task takes {rounded(latency.mean)} s in the mean; one in twenty takes more than "
            f"{rounded(latency.p95)} s, one in a hundred more than {rounded(latency.p99)} s. It costs "
            f"{rounded(summary.cost_usd.mean)} USD, and the objective is {rounded(summary.objective.mean)}.",
        )
        if math.isfinite(latency.mean)
        else strong("Under ", summary.agent, " no task was completed that could be measured."),
        f"Of {counted(tasks.arrived, 'task')} {tasks.completed} were completed, {tasks.dropped} dropped, and "
        f"{tasks.in_system} were still in the system at the end; {tasks.measured} are in the statistics.",
        *(_settled(accounts[0]) if accounts else []),
    ]
    if run.has_rows and keeps_growing(queues(run)):
        paragraphs.append("The backlog grew all through the run, so these numbers depend on how long it was.")
    return paragraphs


def _settled(latency: Account) -> list[str]:
    """How sure the mean latency is."""
    if math.isfinite(latency.mean.half_width):
        interval = with_ends(latency.mean.value, latency.mean.low, latency.mean.high)
        return [f"In the long run the mean latency is {interval} s, with the dependence of its tasks allowed for."]
    return remarks(latency)


def _latency_section(run: Run, seen: Sequence[LongRun]) -> Section:
    directory = run.directory / FIGURES
    summary = run.summary
    blocks = rows_note(run)
    distribution = ecdf(measured_latencies(run)) if run.has_rows else None
    if distribution is not None and distribution.count:
        blocks.append(
            write_picture(
                latency_figure({summary.agent: distribution}), directory, "latency", "Distribution of latency",
                "Above, the share of tasks done within a time; below, the share that takes longer.",
            )
        )  # fmt: skip
    whole = latency_split(run) if run.has_rows else None
    if whole is not None and whole.tasks:
        parts = [percent(part / whole.latency_s) for part in (whole.transfer_s, whole.waiting_s, whole.service_s)]
        blocks.append(
            Paragraph(
                f"Along the critical path of a task, {parts[0]} of the time goes into transfers, {parts[1]} into "
                f"waiting and {parts[2]} into service."
            )
        )
    stages = {name: stage for name, stage in summary.stages.items() if stage.count}
    if stages:
        splits = {
            name: Split(stage.transfer_s.mean, stage.waiting_s.mean, stage.service_s.mean, stage.count)
            for name, stage in stages.items()
        }
        blocks.append(
            write_picture(
                split_figure(splits, "mean time per subtask (s)"), directory, "split", "Subtasks by stage",
                "Mean time per subtask from ready to finished: data under way, waiting for a server, in service.",
            )
        )  # fmt: skip
        blocks.append(stages_table(stages))
    if run.has_rows:
        blocks += split_blocks(run)
    for each in seen:
        if each.account.quantity.name == "latency":
            blocks += tail_blocks(each.values)
    return Section("latency-section", "Latency", blocks)


def _nodes_section(run: Run) -> Section:
    nodes = run.summary.nodes
    blocks: list[Block] = [_use(run)]
    series = queues(run) if run.has_rows else None
    if series is not None and len(series.time_s):
        blocks.append(
            write_picture(
                queue_figure({run.summary.agent: series}, list(nodes)), run.directory / FIGURES, "queues",
                "Queues over time", "Subtasks waiting, at all nodes together and node by node, up to the last arrival.",
            )
        )  # fmt: skip
    if run.has_rows:
        blocks += queue_blocks(run, run.directory / FIGURES)
    blocks += [nodes_table(run, "nodes"), Folded("Links", [links_table(run, "links")])]
    return Section("nodes-section", "Nodes", blocks)


def _use(run: Run) -> Picture:
    """How busy the nodes are: over time where rows tell."""
    nodes = run.summary.nodes
    series = business(run) if run.has_rows else None
    if series is not None and len(series.time_s):
        figure = business_figure(series, list(nodes))
        caption = "Share of time with anything in service, node by node, from the start to the last arrival."
    else:
        shares = np.array([[node.utilisation for node in nodes.values()]])
        figure = utilisation_figure(Utilisation((run.summary.agent,), tuple(nodes), shares))
        caption = "Share of time in service, in per cent. A batching server is busy while any request is in it."
    return write_picture(figure, run.directory / FIGURES, "utilisation", "How busy the nodes are", caption)


def _tasks_section(run: Run) -> Section:
    blocks: list[Block] = []
    if run.has_rows:
        blocks += task_pictures(run, run.directory / FIGURES)
    return Section("tasks", "Two tasks, step by step", blocks)


def _making_section(run: Run) -> Section:
    summary = run.summary
    return Section(
        "making",
        "How this was made",
        [
            Paragraph(
                f"Seed {summary.seed}; {summary.events} events over {rounded(summary.simulated_s)} simulated seconds "
                f"took {rounded(summary.wall_s)} s. Fingerprint {summary.fingerprint or UNKNOWN}. To make it again:"
            ),
            Listing(command(run)),
            *(law_blocks(run) if run.has_rows and run.is_complete and run.manifest.kept_one_in == 1 else []),
            Folded("Versions", [versions_table(summary.versions)]),
            Folded("The scenario, complete with every default", [Listing(run.scenario_text)]),
        ],
    )


def command(run: Run) -> str:
    """The command that repeats the run from the scenario file kept with it."""
    summary = run.summary
    words = ["simoffload", "run", SCENARIO_FILE, "--agent", summary.agent, "--seed", str(summary.seed)]
    return shlex.join(words)
