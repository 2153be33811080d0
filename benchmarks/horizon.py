"""What a longer run costs: time and bytes per subtask, peak memory, and checkpoints of a crowded world.

    python benchmarks/horizon.py > benchmarks/horizon.md
    python benchmarks/horizon.py --subtasks 1e6,1e7 --agent weighted-greedy --resolution '100 ns'
    python benchmarks/horizon.py --subtasks 1e5,1e6,1e7 --scenario theory/mm1 --inside 0 > benchmarks/horizon-mm1.md

Each length is a run of a scenario in a process of its own, with all rows kept, into a temporary folder. Time is
CPU time, imports and setting up included; memory is the peak of the resident set; bytes are those of the part files of
subtasks. A checkpoint is written of a world that is overloaded until so many subtasks are in it, at the end of a part
file: the least CPU time of five, with the file's size.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from shlex import join
from typing import Any

REFERENCES = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"
SUBTASKS_PER_TASK = {"smart-factory": 5.5, "theory/mm1": 1.0}
"""About, of the scenarios that there are runs of."""
CROWDS = (
    ("smart-factory", "round-robin", ()),
    ("smart-factory", "all-edge", ()),
    ("theory/mm1", "eft", ("workloads.customers.arrivals.rate=3 /s",)),
)
"""Scenario, agent and changes under which subtasks pile up."""


def run_once(scenario: str, tasks: int, agent: str, resolution: str) -> dict[str, float]:
    """Make a run; its number of subtasks, CPU time, peak memory and bytes."""
    import resource

    from simoffload.record.manifest import read_manifest
    from simoffload.run.simulation import simulate
    from simoffload.schema import load_scenario

    records = f"records={{level: full, resolution: {resolution}}}"
    loaded = load_scenario(scenario, [REFERENCES, f"horizon={{tasks: {tasks}}}", records])
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        simulate(loaded, agent, Path(folder))
        cpu_s = time.process_time() - began
        parts = [part for part in read_manifest(Path(folder)).parts if part.file.startswith("subtasks/")]
        size = sum((Path(folder) / part.file).stat().st_size for part in parts)
        whole = sum(path.stat().st_size for path in Path(folder).rglob("*.parquet"))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = sum(part.rows for part in parts)
    return {"subtasks": rows, "cpu_s": cpu_s, "peak_mb": peak_mb, "bytes": size, "all_bytes": whole}


def crowded(scenario: str, agent: str, changes: tuple[str, ...], subtasks: int) -> dict[str, float]:
    """Let subtasks pile up, then save the world."""
    from simoffload.record.manifest import versions
    from simoffload.run.agents import load_agent
    from simoffload.run.checkpoint import origin, packed
    from simoffload.run.recorder import statistics_of
    from simoffload.run.world import World
    from simoffload.schema import load_scenario

    loaded = load_scenario(scenario, [REFERENCES, "horizon={tasks: 100000000}", *changes])
    who = load_agent(agent)
    world = World(loaded, who, statistics_of(loaded))
    world.begin()
    inside = 0
    while inside < subtasks:
        world.kernel.advance(math.inf, 2000)
        inside = sum(len(course.task.graph) for course in world.dispatcher.courses.values())
    world.recorder.close()
    of = origin(versions(), "", agent, who)
    times_s, content = [], b""
    for _ in range(5):
        began = time.process_time()
        content = packed(of, world)
        times_s.append(time.process_time() - began)
    return {"inside": inside, "ms": 1e3 * min(times_s), "bytes": len(content)}


def in_a_process(job: str, *arguments: Any) -> dict[str, float]:
    """What `job` gives in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--job", json.dumps([job, *arguments])], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print both tables."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--subtasks", default="1e4,1e5", help="numbers of subtasks, by commas")
    options.add_argument("--scenario", default="smart-factory", choices=SUBTASKS_PER_TASK)
    options.add_argument("--agent", default="eft", help="one that keeps up: a backlog takes memory, too")
    options.add_argument("--resolution", default="0 s", help="of the times in rows; 0 s: exact")
    options.add_argument("--inside", type=int, default=10_000, help="subtasks in the world that is saved; 0 for none")
    options.add_argument("--job", help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.job:
        name, *arguments = json.loads(given.job)
        print(json.dumps({"run_once": run_once, "crowded": crowded}[name](*arguments)))
        return
    rows = "exact rows" if given.resolution == "0 s" else f"times in rows to {given.resolution}"
    print(f"# What a longer run of {given.scenario} under {given.agent} costs, {rows}\n", flush=True)
    print(f"`{join(['python', 'benchmarks/horizon.py', *sys.argv[1:]])}`\n")
    print(
        "| subtasks | CPU, s | CPU, us a subtask | peak memory, MB | bytes a row of subtasks | of all rows a subtask |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for wanted in given.subtasks.split(","):
        tasks = round(float(wanted) / SUBTASKS_PER_TASK[given.scenario])
        seen = in_a_process("run_once", given.scenario, tasks, given.agent, given.resolution)
        count = seen["subtasks"]
        print(
            f"| {count:.0f} | {seen['cpu_s']:.1f} | {1e6 * seen['cpu_s'] / count:.1f} | {seen['peak_mb']:.1f} | "
            f"{seen['bytes'] / count:.1f} | {seen['all_bytes'] / count:.1f} |",
            flush=True,
        )
    if given.inside:
        print(
            "\n| checkpoint of | under | subtasks in it | CPU, ms | MB |\n| --- | --- | ---: | ---: | ---: |",
            flush=True,
        )
    for scenario, agent, changes in CROWDS if given.inside else ():
        seen = in_a_process("crowded", scenario, agent, changes, given.inside)
        print(
            f"| {scenario} | {agent} | {seen['inside']:.0f} | {seen['ms']:.0f} | {seen['bytes'] / 1e6:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
