"""Reading what runs and comparisons leave on disk: a typed view of the JSON, and columns of the rows.

A run directory is one run of one agent on one seed. A comparison directory holds `comparison.json` and a run directory
per agent and seed, `runs/<agent>/<seed>/`. Keys that this version does not know are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BeforeValidator, TypeAdapter, ValidationError

from simoffload import units
from simoffload.record.batches import Batches
from simoffload.record.durable import RecordError, read_json
from simoffload.record.manifest import (
    COMPARISON_FILE,
    MANIFEST_FILE,
    SCENARIO_FILE,
    SUMMARY_FILE,
    Manifest,
    read_manifest,
    run_directory,
)
from simoffload.record.parts import read_table

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]
T = TypeVar("T")


def _nan_for_null(value: object) -> object:
    return math.nan if value is None else value


def _infinity_for_null(value: object) -> object:
    return math.inf if value is None else value


Number = Annotated[float, BeforeValidator(_nan_for_null)]
"""A number; nan where nothing was there to be measured."""
HalfWidth = Annotated[float, BeforeValidator(_infinity_for_null)]
"""Half the width of a 95 % interval; infinite where one replication says nothing of it."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean."""

    mean: Number


@dataclass(frozen=True, slots=True)
class MeanMax:
    """A time average and the largest value."""

    mean: Number
    max: Number


@dataclass(frozen=True, slots=True)
class MeanTotal:
    """A mean per task and the sum."""

    mean: Number
    total: Number


@dataclass(frozen=True, slots=True)
class Tasks:
    """Numbers of tasks: arrived = completed + dropped + in_system; `measured` ones are in the statistics."""

    arrived: int
    completed: int
    dropped: int
    in_system: int
    measured: int


@dataclass(frozen=True, slots=True)
class Latency:
    """Latency of the measured tasks, s."""

    mean: Number
    sd: Number
    min: Number
    max: Number
    p50: Number
    p95: Number
    p99: Number


@dataclass(frozen=True, slots=True)
class Stage:
    """Subtasks of a stage: their number and mean times per subtask."""

    count: int
    transfer_s: Mean
    waiting_s: Mean
    service_s: Mean


@dataclass(frozen=True, slots=True)
class Node:
    """A node over the measured time; `little_residual` is 0 up to rounding where Little's law holds."""

    kind: str
    utilisation: Number
    queue_length: MeanMax
    in_system: Mean
    waiting_s: Mean
    service_s: Mean
    arrivals: int
    completions: int
    throughput_per_s: Number
    energy_j: Number
    swaps: int
    share_of_subtasks: Number
    little_residual: Number


@dataclass(frozen=True, slots=True)
class Link:
    """A link over the measured time."""

    utilisation: Number
    queue_length: Mean
    waiting_s: Mean
    transfers: int
    bytes: Number
    little_residual: Number


@dataclass(frozen=True, slots=True)
class Faults:
    """Attempts of measured tasks that ended without an answer, by cause, and what they came to."""

    attempts_lost: dict[str, int]
    dropped: int
    lost_cost_usd: Number
    lost_energy_j: Number


@dataclass(frozen=True, slots=True)
class Window:
    """The time that averages of nodes and links are over, s."""

    begin: Number
    end: Number


@dataclass(frozen=True, slots=True)
class Summary:
    """`summary.json` of a run."""

    scenario: str
    agent: str
    seed: int
    status: str
    simulated_s: Number
    window_s: Window
    wall_s: Number
    events: int
    tasks: Tasks
    latency_s: Latency
    cost_usd: MeanTotal
    objective: Mean
    energy_j: Mean
    stages: dict[str, Stage]
    nodes: dict[str, Node]
    links: dict[str, Link]
    versions: dict[str, str]
    fingerprint: str | None = None
    faults: Faults | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over replications and half the width of its 95 % interval."""

    mean: Number
    half_width: HalfWidth


@dataclass(frozen=True, slots=True)
class LatencyEstimate:
    """Means over replications of the mean and two quantiles of latency, s, each with its half-width."""

    mean: Number
    p95: Number
    p99: Number
    mean_half_width: HalfWidth
    p95_half_width: HalfWidth
    p99_half_width: HalfWidth


@dataclass(frozen=True, slots=True)
class Replication:
    """One seed's results of an agent: latencies in s, cost in USD per task."""

    seed: int
    objective: Number
    latency_mean: Number
    latency_p50: Number
    latency_p95: Number
    latency_p99: Number
    cost: Number
    arrived: int
    completed: int
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class AgentResult:
    """An agent's results over all replications; `utilisation` is the mean per node."""

    objective: Estimate
    latency_s: LatencyEstimate
    cost_usd: Estimate
    utilisation: dict[str, Number]
    replications: tuple[Replication, ...]

    @property
    def completed_share(self) -> float:
        """Completed tasks over arrived ones, all replications together; nan if none arrived."""
        arrived = sum(replication.arrived for replication in self.replications)
        return sum(replication.completed for replication in self.replications) / arrived if arrived else math.nan


@dataclass(frozen=True, slots=True)
class Results:
    """`comparison.json`."""

    scenario: str
    seeds: tuple[int, ...]
    agents: dict[str, AgentResult]
    wall_s: Number
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """A run directory that has been opened; tasks that arrive before `warm_up_s` are in no statistic."""

    directory: Path
    manifest: Manifest
    summary: Summary
    scenario_text: str
    description: str
    warm_up_s: float

    @property
    def has_rows(self) -> bool:
        """Whether rows were kept, of all tasks or of some."""
        return _has_rows(self.manifest)

    @property
    def is_complete(self) -> bool:
        """Whether it ran to its end."""
        return self.manifest.status == self.summary.status == "complete"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison directory that has been opened.

    `runs` holds a run per agent, the first that kept rows or else the first that is there; `unfinished` the agents and
    seeds whose run did not end well or is missing from the results.
    """

    directory: Path
    results: Results
    runs: dict[str, Run]
    unfinished: tuple[tuple[str, int], ...]


def open_run(directory: Path) -> Run:
    """Open a run directory; RecordError names the file that is missing or wrong, and the place in it."""
    manifest = read_manifest(directory)
    if manifest.status != "complete" and not (directory / SUMMARY_FILE).exists():
        status = f"its run is {manifest.status}; 'simoffload resume' goes on with it"
        raise RecordError(f"{directory} has no {SUMMARY_FILE}: {status}")
    summary = _read(directory / SUMMARY_FILE, TypeAdapter(Summary))
    return Run(directory, manifest, summary, *_read_scenario(directory / SCENARIO_FILE))


def open_comparison(directory: Path) -> Comparison:
    """Open a comparison directory and a run of each agent; RecordError as for `open_run`."""
    path = directory / COMPARISON_FILE
    results = _read(path, TypeAdapter(Results))
    if not results.agents:
        raise RecordError(f"{path} compares no agents")
    runs = {}
    unfinished = []
    for name, agent in results.agents.items():
        if not agent.replications:
            raise RecordError(f"{path}: agents.{name} has no replications")
        manifests = _manifests(directory, name, [replication.seed for replication in agent.replications])
        there = {replication.seed for replication in agent.replications}
        failed = {seed for seed, manifest in manifests.items() if manifest.status != "complete"}
        unfinished += [(name, seed) for seed in results.seeds if seed not in there or seed in failed]
        if manifests:
            with_rows = [seed for seed, manifest in manifests.items() if _has_rows(manifest)]
            runs[name] = open_run(run_directory(directory, name, (with_rows or list(manifests))[0]))
    return Comparison(directory, results, runs, tuple(unfinished))


def read_columns(run: Run, rows: str, columns: Sequence[str]) -> Columns:
    """Columns of a kind of rows as numpy arrays by name; RecordError when they cannot be read."""
    table = read_table(run.directory, rows, columns)
    return {name: table.column(name).to_numpy() for name in columns}


def latency_batches(run: Run) -> Batches:
    """Latencies of the measured tasks, s, as the summary keeps them; RecordError where it does not."""
    path = run.directory / SUMMARY_FILE
    try:
        return Batches.from_dict(read_json(path)["latency_batches"])
    except (ValueError, KeyError) as error:
        raise RecordError(f"{path}: latency_batches: {error}") from None


def _manifests(comparison: Path, agent: str, seeds: Sequence[int]) -> dict[int, Manifest]:
    """The manifests of an agent's runs that were kept, by seed."""
    directories = {seed: run_directory(comparison, agent, seed) for seed in seeds}
    return {seed: read_manifest(run) for seed, run in directories.items() if (run / MANIFEST_FILE).is_file()}


def _has_rows(manifest: Manifest) -> bool:
    return any(part.file.startswith("tasks/") for part in manifest.parts)


def _read_scenario(path: Path) -> tuple[str, str, float]:
    """The resolved scenario as it stands there, its description, and its warm-up in s."""
    try:
        content = path.read_text(encoding="utf-8")
        data: Any = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecordError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise RecordError(f"{path} is not a scenario")
    try:
        warm_up_s = units.parse(str(data.get("warm_up", "0 s")), units.TIME)
    except units.UnitError as error:
        raise RecordError(f"{path}: warm_up: {error}") from None
    return content, str(data.get("description", "")), warm_up_s


def _read(path: Path, adapter: TypeAdapter[T]) -> T:
    data = read_json(path)
    try:
        return adapter.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise RecordError(f"{path}: {where}: {first['msg']}") from None
