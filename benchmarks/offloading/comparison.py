"""The smart factory in the simulator and as a SimPy program, and what they must agree on: when every subtask ends."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from pathlib import Path

from simoffload.random_streams import Streams
from simoffload.record.parts import read_table
from simoffload.run.references import with_references
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.tasks import Task
from simoffload.world.source import make_sources

from ..rounds import Program
from .deciding import Recorded, RoundRobin
from .observing import EarliestFinish
from .program import Decider, Factory

OURS_ROUND_ROBIN, OURS_EFT = "simoffload, round-robin", "simoffload, eft"
SIMPY_ROUND_ROBIN = "SimPy program, round-robin"
SIMPY_RECORDED, SIMPY_EFT = "SimPy program, eft's decisions given", "SimPy program, eft observing by itself"
DRAWING = "drawing the tasks, a part of all others"

Ends = Mapping[tuple[int, int], tuple[int, float]]
"""By task and subtask the node and the instant of the end, s."""
OnDisk = tempfile.TemporaryDirectory[str]
"""A run directory, removed when it has been read."""


@cache
def smart_factory(tasks: int) -> Scenario:
    """The scenario with so many tasks, full records, and its references worked out."""
    return with_references(load_scenario("smart-factory", [f"horizon={{tasks: {tasks}}}", "records={level: full}"]))


def run_simulator(scenario: Scenario, agent: str) -> OnDisk:
    """A run of the simulator, from the scenario to all its files."""
    directory = OnDisk()
    simulate(scenario, agent, Path(directory.name))
    return directory


def run_program(scenario: Scenario, decider: Decider) -> Factory:
    """A run of the SimPy program, from the scenario to all its files."""
    factory = Factory(scenario, decider)
    factory.run()
    with OnDisk() as directory:
        factory.write(Path(directory))
    return factory


def draw(scenario: Scenario) -> list[Task]:
    """The tasks of a run."""
    sources = make_sources(scenario, [edge.id for edge in scenario.edges], Streams(scenario.seed))
    streams = (iter(source.next, None) for source in sources)
    return list(islice(heapq.merge(*streams, key=attrgetter("arrival_s")), scenario.horizon.tasks))


def ends_on_disk(directory: OnDisk) -> Ends:
    """What the simulator has written; the directory is gone then."""
    with directory:
        rows = read_table(Path(directory.name), "subtasks", ["task", "subtask", "node", "finish_s"]).to_pydict()
    columns = zip(rows["task"], rows["subtask"], rows["node"], rows["finish_s"], strict=True)
    return {(task, subtask): (node, end_s) for task, subtask, node, end_s in columns}


def ends_in_memory(factory: Factory) -> Ends:
    """What the SimPy program has kept."""
    return {(row[0], row[1]): (row[4], row[9]) for row in factory.subtask_rows}


def checksum(ends: Ends) -> str:
    """A hash of nodes and ends to the millisecond, in the order of tasks and subtasks."""
    text = "\n".join(f"{key} {node} {end_s:.3f}" for key, (node, end_s) in sorted(ends.items()))
    return blake2b(text.encode(), digest_size=8).hexdigest()


def programs(scenario: Scenario) -> Sequence[Program]:
    """All of them on one scenario, which a run under `eft` is made for first."""
    ends = ends_on_disk(run_simulator(scenario, "eft"))
    nodes = {key: node for key, (node, _) in ends.items()}

    def simulated(name: str, agent: str) -> Program:
        return Program(name, len(ends), lambda: run_simulator(scenario, agent), lambda run: checksum(ends_on_disk(run)))

    def programmed(name: str, decider: Callable[[], Decider]) -> Program:
        def run() -> Factory:
            return run_program(scenario, decider())

        return Program(name, len(ends), run, lambda factory: checksum(ends_in_memory(factory)))

    return [
        simulated(OURS_ROUND_ROBIN, "round-robin"),
        programmed(SIMPY_ROUND_ROBIN, RoundRobin),
        simulated(OURS_EFT, "eft"),
        programmed(SIMPY_EFT, EarliestFinish),
        programmed(SIMPY_RECORDED, lambda: Recorded(nodes)),
        Program(DRAWING, len(ends), lambda: draw(scenario)),
    ]


GROUPS = {
    "round-robin": (SIMPY_ROUND_ROBIN, (SIMPY_ROUND_ROBIN, OURS_ROUND_ROBIN, DRAWING)),
    "eft": (SIMPY_EFT, (SIMPY_EFT, SIMPY_RECORDED, OURS_EFT, DRAWING)),
}
"""By agent the program to compare with, and all that belong beside it."""
EQUAL = ((OURS_ROUND_ROBIN, SIMPY_ROUND_ROBIN), (OURS_EFT, SIMPY_EFT), (OURS_EFT, SIMPY_RECORDED))
"""Programs that must agree."""
