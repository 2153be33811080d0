"""Files that a scenario names: each must be there and readable in its format before a run begins."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel

from .. import units
from .distributions import Empirical
from .document import TreePath
from .extent import lengths_of, links_of, prompts_of
from .findings import Finding
from .limits import LONGEST_RUN_S, SHORTEST_S
from .network import TraceChannel
from .scenario import Scenario
from .workload import Imported, TraceArrivals, Workload

Named = Empirical | TraceChannel | TraceArrivals | Imported


def file_findings(scenario: Scenario) -> Iterator[Finding]:
    """Files that cannot be read or used so, and warnings of rows left out; each use that differs is looked at once."""
    seen: dict[tuple[object, ...], Finding | None] = {}
    for path, named in named_files(scenario):
        further = (getattr(named, key, None) for key in ("column", "repeat", "speed"))
        use = (type(named), named.file, named.format, *further)
        if use not in seen:
            seen[use] = _finding(named)
        finding = seen[use]
        if finding is not None:
            yield replace(finding, path=(*path, "file"))


def named_files(scenario: Scenario) -> Iterator[tuple[TreePath, Named]]:
    """Every part of a scenario that names a file, with its path."""
    for path, link in links_of(scenario):
        if isinstance(link.channel, TraceChannel):
            yield (*path, "channel"), link.channel
    for number, workload in enumerate(scenario.workloads):
        for path, part in _parts(workload):
            if isinstance(part, (Empirical, TraceArrivals, Imported)):
                yield ("workloads", number, *path), part


def _parts(workload: Workload) -> Iterator[tuple[TreePath, BaseModel | None]]:
    yield ("arrivals",), workload.arrivals
    yield ("template",), workload.template
    yield from prompts_of(workload)
    for path, spec in lengths_of(workload):
        yield (*path, "output"), spec.output


def _finding(named: Named) -> Finding | None:
    """What keeps a file from being used, or a warning that not all of it is; None where all is well."""
    name = os.path.relpath(named.file) if len(os.path.relpath(named.file)) < len(named.file) else named.file
    is_folder = os.path.isdir(named.file)
    if is_folder and isinstance(named, (Imported, TraceChannel)):
        return Finding((), f"'{name}' is a directory, not a file")
    if not is_folder and not os.path.isfile(named.file):
        return Finding((), f"no file '{name}'")
    from ..tasks import GraphError, import_graph
    from ..traces import TraceError

    try:
        if not isinstance(named, Imported):
            return _of_trace(named, name)
        import_graph(named.file, named.format)
    except (TraceError, GraphError, OSError) as error:
        return Finding((), str(error))
    return None


def _of_trace(named: Empirical | TraceChannel | TraceArrivals, name: str) -> Finding | None:
    """What is asked of a trace and not in it, or a warning of rows left out; TraceError when it cannot be read."""
    from ..traces import read_rates, read_requests

    if isinstance(named, TraceChannel):
        rates = read_rates(named.file, named.format, named.column)
        if not any(rates.rates_bps):
            return Finding((), f"every rate of '{name}' is 0, so nothing would ever get through")
        if rates.ends_s[-1] < SHORTEST_S * len(rates.ends_s):
            return Finding((), f"the rates of '{name}' last less than {units.write(SHORTEST_S, units.TIME)} on average")
        skipped = rates.skipped
    else:
        requests = read_requests(named.file, named.format)
        if isinstance(named, TraceArrivals) and named.repeat and not requests.times_s[-1]:
            return Finding((), f"all requests of '{name}' come at one moment, so it cannot be repeated")
        if isinstance(named, TraceArrivals) and requests.times_s[-1] > LONGEST_RUN_S * named.speed:
            longest = units.write(LONGEST_RUN_S, units.TIME)
            return Finding((), f"at a speed of {named.speed:g} '{name}' takes more than {longest}, the longest run")
        skipped = requests.skipped
    if not skipped.rows:
        return None
    left_out = f"rows of '{name}' with an empty field are left out: {skipped.rows}, the first in line"
    return Finding((), f"{left_out} {skipped.first_line}", severity="warning")
