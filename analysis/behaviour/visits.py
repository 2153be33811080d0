"""Who came, began and left when, at the stations of a run: instants that `queues` takes.

Rows are written when something ends, so what was under way when the run ended is missing here, and so are attempts
that were lost; tasks are all there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from simoffload.plant import LINK_KINDS
from simoffload.record.durable import RecordError
from simoffload.schema.problems import nearest

from ..runs import Floats, Run
from ..sources.rows import open_rows


@dataclass(frozen=True, slots=True)
class Visits:
    """Instants in s, by visit. From arrival to start is in line, from start to departure in service."""

    arrivals_s: Floats
    starts_s: Floats
    departures_s: Floats
    """nan while it is there."""


def task_visits(run: Run) -> Visits:
    """Tasks in the system, in the order of their arrivals; nothing starts later. RecordError without rows."""
    with open_rows(run.directory, "tasks") as rows:
        found = rows.query("SELECT arrival_s, finish_s FROM rows ORDER BY task")
    return Visits(found["arrival_s"], found["arrival_s"], found["finish_s"])


def node_visits(run: Run, node: str) -> Visits:
    """Subtasks at a node, in the order of their ends; RecordError when there is no such node."""
    number = _number(node, {name: place for place, name in enumerate(run.summary.nodes)}, "node", run)
    return _visits(run, "subtasks", f"node = {number}", ("entered_s", "start_s", "finish_s"))


def link_visits(run: Run, link: str) -> Visits:
    """Transfers at a link, in the order of their delivery, to the instant they are through.

    RecordError when there is no such link.
    """
    number = _number(link, link_numbers(run), "link", run)
    return _visits(run, "links", f"link = {number}", ("queued_s", "start_s", "end_s"))


def link_numbers(run: Run) -> Mapping[str, int]:
    """What the links of a run are called in its summary, and their numbers in its rows."""
    nodes = {name: place for place, name in enumerate(run.summary.nodes)}
    found = {}
    for name in run.summary.links:
        node, _, kind = name.rpartition("/")
        found[name] = len(LINK_KINDS) * nodes[node] + LINK_KINDS.index(kind)
    return found


def has_poisson_arrivals(run: Run) -> bool:
    """Whether the scenario says that tasks arrive as a Poisson stream: all of its workloads do, at a constant rate."""
    scenario = yaml.safe_load(run.scenario_text)
    streams = [workload.get("arrivals", {}) for workload in scenario.get("workloads", [])]
    return bool(streams) and all(
        stream.get("kind") == "poisson" and stream.get("modulation") is None for stream in streams
    )


def interrupting_slots(run: Run) -> Mapping[str, int]:
    """The nodes at which more urgent subtasks interrupt services, and how many servers each has."""
    scenario = yaml.load(run.scenario_text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    nodes = [*scenario.get("edges", []), *scenario.get("clouds", [])]
    servers = {node.get("id"): node.get("server") or {} for node in nodes}
    return {name: server.get("slots", 1) for name, server in servers.items() if server.get("preemption") == "resume"}


def _visits(run: Run, kind: str, where: str, columns: Sequence[str]) -> Visits:
    with open_rows(run.directory, kind) as rows:
        found = rows.arrays(columns, where)
    return Visits(*(found[column] for column in columns))


def _number(name: str, numbers: Mapping[str, int], noun: str, run: Run) -> int:
    if name not in numbers:
        close = nearest(name, numbers)
        hint = "" if close is None else f"; did you mean '{close}'?"
        raise RecordError(f"{run.directory} has no {noun} '{name}'; it has {', '.join(numbers)}{hint}")
    return numbers[name]
