"""Files that a scenario names: each must be there and readable in its format before a run begins."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pydantic import BaseModel

from .distributions import Empirical
from .document import TreePath
from .findings import Finding
from .network import Link, TraceChannel
from .scenario import Scenario
from .workload import Imported, TraceArrivals, Workload, Written

Named = Empirical | TraceChannel | TraceArrivals | Imported


def file_findings(scenario: Scenario) -> Iterator[Finding]:
    """Files that are missing or cannot be read; each file is read once for each use that differs."""
    seen: dict[tuple[object, ...], str | None] = {}
    for path, named in named_files(scenario):
        use = (type(named), named.file, named.format, getattr(named, "column", None))
        if use not in seen:
            seen[use] = _fault(named)
        fault = seen[use]
        if fault is not None:
            yield Finding((*path, "file"), fault)


def named_files(scenario: Scenario) -> Iterator[tuple[TreePath, Named]]:
    """Every part of a scenario that names a file, with its path."""
    for name, link in scenario.links.items():
        yield from _of_link(("links", name), link)
    for number, edge in enumerate(scenario.edges):
        for kind, port in (("uplink", edge.uplink), ("downlink", edge.downlink), ("lan", edge.lan)):
            if isinstance(port, Link):
                yield from _of_link(("edges", number, kind), port)
    for number, workload in enumerate(scenario.workloads):
        for path, part in _parts(workload):
            if isinstance(part, (Empirical, TraceArrivals, Imported)):
                yield ("workloads", number, *path), part


def _of_link(path: TreePath, link: Link) -> Iterator[tuple[TreePath, Named]]:
    if isinstance(link.channel, TraceChannel):
        yield (*path, "channel"), link.channel


def _parts(workload: Workload) -> Iterator[tuple[TreePath, BaseModel | None]]:
    yield ("arrivals",), workload.arrivals
    yield ("template",), workload.template
    for modality, spec in workload.modalities.items():
        yield ("modalities", modality, "tokens"), spec.tokens
    stages = workload.stages
    for name, stage in (("explain", stages.explain), ("analyze", stages.analyze), ("generate", stages.generate)):
        yield ("stages", name, "prompt"), stage.prompt
        yield ("stages", name, "output"), stage.output
    if isinstance(workload.template, Written):
        for number, subtask in enumerate(workload.template.subtasks):
            yield ("template", "subtasks", number, "prompt"), subtask.prompt
            yield ("template", "subtasks", number, "output"), subtask.output


def _fault(named: Named) -> str | None:
    """What keeps a file from being read, None if nothing does."""
    name = os.path.relpath(named.file) if len(os.path.relpath(named.file)) < len(named.file) else named.file
    if os.path.isdir(named.file):
        return f"'{name}' is a directory, not a file"
    if not os.path.isfile(named.file):
        return f"no file '{name}'"
    from ..tasks import GraphError, import_graph
    from ..traces import TraceError, read_rates, read_requests

    try:
        if isinstance(named, Imported):
            import_graph(named.file, named.format)
        elif isinstance(named, TraceChannel):
            read_rates(named.file, named.format, named.column)
        else:
            read_requests(named.file, named.format)
    except (TraceError, GraphError, OSError) as error:
        return str(error)
    return None
