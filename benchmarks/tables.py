"""The results as a page: a table per section, and what is aimed at beside what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .offloading import comparison as offloading
from .queues import comparison as queues
from .recording import ON_DISK
from .rounds import Timing, speed_ratio

AIMS = (
    ("M/M/4", queues.STATION, queues.RAW, 8.0),
    ("M/M/4", queues.STATION, queues.LOOP, 0.6),
    ("M/M/4", queues.STATION, queues.CIW, 10.0),
    ("M/M/4", queues.RECORDED, queues.RAW, 5.0),
    ("offloading", offloading.OURS_ROUND_ROBIN, offloading.SIMPY_ROUND_ROBIN, 8.0),
    ("offloading", offloading.OURS_EFT, offloading.SIMPY_EFT, 3.0),
)
"""Table, program, what it is compared with, and how many times as fast it should be."""

QUEUES_NOTE = (
    "First come, first served, at a load of 0.8. Gaps and services are drawn in blocks from the same two streams, and "
    "the wait of every job is kept. The stations are the simulator's own, fed by a plain source: with their running "
    "statistics; and with a task made of every job, the statistics of a run, and a full row per job on disk."
)
OFFLOADING_NOTE = (
    "The SimPy program has a process per task, subtask, transfer and source, a `Resource` per edge node and link, "
    "joins by `AllOf`, a process that takes the cloud from token to token, one per link that changes its rate and "
    "interrupts transfers, and one for telemetry. Both draw tasks and channels as they go and leave "
    "all rows as Parquet files."
)
AGENTS_NOTE = "What an observation works out when it is first read is part of the decision; the run keeps no records."


def page(results: Mapping[str, Any]) -> str:
    """The whole page."""
    parts = [_head(results), _aims(results)]
    if "queues" in results:
        parts.append(f"## Waiting lines\n\n{QUEUES_NOTE}")
        for name, rows in results["queues"].items():
            parts.append(f"### {name}\n\n{_timings(rows, queues.RAW, 'job')}")
    if "offloading" in results:
        parts.append(f"## Offloading: the smart factory, records on disk\n\n{OFFLOADING_NOTE}")
        for agent, (base, names) in offloading.GROUPS.items():
            rows = _timings([row for row in results["offloading"] if row["name"] in names], base, "subtask")
            parts.append(f"### {agent}\n\n{rows}")
    if "agents" in results:
        parts.append(f"## A decision of each agent\n\n{AGENTS_NOTE}\n\n{_agents(results['agents'])}")
    if "records" in results:
        parts.append(f"## Records\n\n{_records(results['records'])}")
    if "start-up" in results:
        rows = _table(("command", "CPU s"), ((f"`{name}`", f"{s:.2f}") for name, s in results["start-up"].items()))
        parts.append(f"## Start-up\n\n{rows}")
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(results: Mapping[str, Any]) -> str:
    machine, sizes = results["machine"], results["sizes"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        "# What the engine costs\n\n"
        f"`python -m benchmarks.engine --jobs {sizes['jobs']} --tasks {sizes['tasks']} --agent-tasks "
        f"{sizes['agent_tasks']} --rounds {sizes['rounds']}`\n\n"
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {machine['python']}; {packages}. "
        f"Load of the machine {machine['load_before']:.1f} before and {machine['load_after']:.1f} after: above the "
        "number of cores, trust the ratios and not the times.\n\n"
        "CPU times, medians of the rounds; ratios of speeds within each round, median (least to greatest). All "
        "programs of a table take the same sample path, which is compared before anything is written: every wait bit "
        "for bit, or every subtask's node and end to the millisecond."
    )


def _aims(results: Mapping[str, Any]) -> str:
    found = dict(results.get("queues", {}))
    if "offloading" in results:
        found["offloading"] = results["offloading"]
    rows = []
    for table, name, other, wanted in AIMS:
        if table in found:
            timings = _by_name(found[table])
            ratio = speed_ratio(timings[name], timings[other])
            met = "yes" if ratio.median >= wanted else "no"
            rows.append((table, name, other, f">= {wanted:g}", f"{ratio.median:.2f}", met))
    return _table(("table", "program", "as fast as", "aim", "found", "met"), rows) if rows else ""


def _timings(rows: Sequence[Mapping[str, Any]], base: str, unit: str) -> str:
    timings = _by_name(rows)
    lines = []
    for name, timing in timings.items():
        ratio = speed_ratio(timing, timings[base])
        speed = f"{ratio.median:.3g} ({ratio.least:.3g} to {ratio.greatest:.3g})"
        lines.append((
            name, f"{timing.units}", f"{timing.us_per_unit:.2f}", f"{1e6 / timing.us_per_unit:,.0f}", speed,
            timing.checksum[:8],
        ))  # fmt: skip
    return _table(
        ("program", f"{unit}s", f"us a {unit}", f"{unit}s a s", f"speed, where '{base}' is 1", "checksum"), lines
    )


def _agents(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("agent", "us a decision", "decisions a s", "us a subtask, whole run"),
        (
            (row["name"], f"{row['decision_us']:.1f}", f"{1e6 / row['decision_us']:,.0f}", f"{row['subtask_us']:.0f}")
            for row in rows
        ),
    )


def _records(found: Mapping[str, Any]) -> str:
    size = found["size"]
    rows = []
    for name, timing in _by_name(found["timings"]).items():
        each = f"{size['bytes'] / size['rows']:.1f}" if name == ON_DISK else ""
        rows.append((name, f"{timing.units}", f"{timing.us_per_unit:.2f}", f"{1e6 / timing.us_per_unit:,.0f}", each))
    return _table(("what", "rows", "us a row", "rows a s", "bytes a row on disk"), rows)


def _by_name(rows: Iterable[Mapping[str, Any]]) -> dict[str, Timing]:
    return {row["name"]: Timing(row["name"], row["units"], tuple(row["cpu_s"]), row["checksum"]) for row in rows}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
