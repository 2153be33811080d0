"""What the engine costs beside other ways of writing the same programs.

    python -m pip install -c constraints.txt -r benchmarks/requirements.txt -e .
    python -m benchmarks.engine --out benchmarks

writes `results.json` and `results.md`, after each section anew, and prints the latter. Every ratio comes from rounds in
which all programs of a table run in turn; times are CPU times. What two programs must agree on is compared before
anything is written.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import agents, recording, starting, tables
from .offloading import comparison as offloading
from .queues import comparison as queues
from .queues.load import Load
from .rounds import Mismatch, Timing, measure

UTILISATION = 0.8
WARM_UP_JOBS, WARM_UP_TASKS = 100, 20
"""What every program is run with once before it is timed, for what it imports and caches."""
COMPARED = ("ciw", "salabim")
PACKAGES = ("simoffload", "simpy", "numpy", "pyarrow", *COMPARED)
SECTIONS = ("queues", "offloading", "agents", "records", "start-up")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is run."""

    jobs: int
    tasks: int
    agent_tasks: int
    rounds: int


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the sections asked for."""
    parser = _parser()
    options = parser.parse_args(arguments)
    missing = [name for name in COMPARED if find_spec(name) is None]
    if missing and "queues" in options.sections:
        parser.error(f"not installed: {', '.join(missing)}; python -m pip install -r benchmarks/requirements.txt")
    sizes = Sizes(options.jobs, options.tasks, options.agent_tasks, options.rounds)
    results: dict[str, Any] = {"machine": _machine(), "sizes": asdict(sizes)}
    for section in options.sections:
        print(f"{section} ...", file=sys.stderr, flush=True)
        results[section] = _SECTION[section](sizes)
        results["machine"]["load_after"] = os.getloadavg()[0]
        page = tables.page(results)
        if options.out is not None:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
            (options.out / "results.md").write_text(page)
    print(page)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=200_000, help="jobs of each M/M/c (default %(default)s)")
    parser.add_argument("--tasks", type=int, default=2_000, help="tasks of the smart factory (default %(default)s)")
    parser.add_argument("--agent-tasks", type=int, default=300, help="tasks per agent (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of every section (default %(default)s)")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=SECTIONS, metavar="SECTION",
                        help=f"what to measure: {', '.join(SECTIONS)} (default: all)")  # fmt: skip
    parser.add_argument("--out", type=Path, help="directory for results.json and results.md (default: print only)")
    return parser


def _queues(sizes: Sizes) -> dict[str, Any]:
    """M/M/1 and M/M/4."""
    found = {}
    for servers in (1, 4):
        load = Load(servers, UTILISATION, sizes.jobs)
        measure(queues.programs(Load(servers, UTILISATION, WARM_UP_JOBS)), 1)
        timings = measure(queues.programs(load), sizes.rounds)
        expected = queues.expected_checksums(load)
        for timing in timings:
            if timing.checksum != expected[timing.name]:
                raise Mismatch(f"M/M/{servers}: the waits of '{timing.name}' are not those of plain SimPy")
        found[f"M/M/{servers}"] = _plain(timings)
    return found


def _offloading(sizes: Sizes) -> list[dict[str, Any]]:
    """The smart factory under round-robin and eft."""
    measure(offloading.programs(offloading.smart_factory(WARM_UP_TASKS)), 1)
    timings = measure(offloading.programs(offloading.smart_factory(sizes.tasks)), sizes.rounds)
    sums = {timing.name: timing.checksum for timing in timings}
    for ours, theirs in offloading.EQUAL:
        if sums[ours] != sums[theirs]:
            raise Mismatch(f"'{theirs}' ends its subtasks at other instants than '{ours}'")
    return _plain(timings)


def _agents(sizes: Sizes) -> list[dict[str, Any]]:
    """Decisions of every agent."""
    return [asdict(cost) for cost in agents.agent_costs(agents.scenario_of(sizes.agent_tasks), sizes.rounds)]


def _records(sizes: Sizes) -> dict[str, Any]:
    """Rows of subtasks."""
    scenario = offloading.smart_factory(sizes.tasks)
    jobs = recording.jobs_of(scenario)
    timings = measure(recording.programs(scenario, jobs), sizes.rounds)
    return {"timings": _plain(timings), "size": asdict(recording.size_on_disk(scenario, jobs))}


def _start_up(sizes: Sizes) -> dict[str, float]:
    """Whole commands."""
    return starting.start_ups_s(sizes.rounds)


_SECTION = dict(zip(SECTIONS, (_queues, _offloading, _agents, _records, _start_up), strict=True))


def _plain(timings: Sequence[Timing]) -> list[dict[str, Any]]:
    return [asdict(timing) for timing in timings]


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: version(name) for name in PACKAGES if find_spec(name) is not None},
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    """Name of the processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
