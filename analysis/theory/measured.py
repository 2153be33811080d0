"""The stations of a run: what came to each, as its rows have it, what the nearest form makes of it, and what was.

Visits count that began from the end of the warm-up to the last arrival of a task; averages over time are over the
same time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simoffload.plant import Plant, PlantLink, PlantNode, build_plant
from simoffload.record.durable import RecordError
from simoffload.record.manifest import SCENARIO_FILE
from simoffload.schema import Scenario, ScenarioError, load_scenario, whole_catalogue
from simoffload.schema.nodes import BatchingServer
from simoffload.tasks.graph import EXPLAIN
from simoffload.world.pace import mean_pace

from ..runs import Columns, Run, read_columns
from ..steady.autocorrelation import lag1
from .alone import alone_s, seats, shared_s
from .channel_pace import pace_of
from .interrupted import interrupts, work_s
from .means import Means
from .nearest import Offered, Verdict, nearest
from .priority import PriorityClass
from .remarks import CHOSEN, Remark, about_brownouts
from .service import discrete

Floats = NDArray[np.float64]

FEWEST = 100
"""Visits; with fewer, nothing is said of a station."""
_SUBTASKS = (
    "node",
    "entered_s",
    "start_s",
    "finish_s",
    "priority",
    "prompt_tokens",
    "output_tokens",
    "stage",
    "modality",
)
_LINKS = ("link", "queued_s", "start_s", "end_s", "bytes")
_MOST_CLASSES = 8
_NOTABLE = 0.05
"""Shares, CVs and correlations that differ by less are not worth a word."""
_BATCHES = 20


@dataclass(frozen=True, slots=True)
class Compared:
    """A station in theory and as it was."""

    verdict: Verdict
    measured: Means
    measured_by_class: Mapping[str, Means]
    visits: int


@dataclass(frozen=True, slots=True)
class _Visits:
    """Visits to a station in the order of their beginning, s, over a time from `first_s` to `last_s`."""

    entered_s: Floats
    start_s: Floats
    finish_s: Floats
    first_s: float
    last_s: float
    utilisation: float
    """As the summary of the run has it."""
    work_s: Floats
    """Time in which a server was at each: less than from its start to its finish where it was interrupted."""
    for_each: float = 1.0
    """Visits for each one that has a row: more than 1 where answers failed a check, which leaves no row."""

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Those that began in the time that is measured."""
        return (self.entered_s >= self.first_s) & (self.entered_s <= self.last_s)

    @property
    def service_s(self) -> Floats:
        """Of those that are measured."""
        return self.work_s[self.measured]

    @property
    def rate(self) -> float:
        """Visits that began in a second, those without rows included."""
        return self.for_each * float(np.count_nonzero(self.measured)) / (self.last_s - self.first_s)

    @property
    def means(self) -> Means:
        """As they were; what has no rows is taken to be like the rest."""
        seen = self.measured
        interrupted_s = float((self.finish_s - self.start_s - self.work_s)[seen].sum())
        waiting = self.number(self.entered_s, self.start_s) + interrupted_s / (self.last_s - self.first_s)
        return Means(
            utilisation=self.utilisation,
            wait_s=float((self.finish_s - self.entered_s - self.work_s)[seen].mean()),
            sojourn_s=float((self.finish_s - self.entered_s)[seen].mean()),
            queue_length=self.for_each * waiting,
            in_system=self.for_each * self.number(self.entered_s, self.finish_s),
        )

    def number(self, begin_s: Floats, end_s: Floats) -> float:
        """Mean number of stretches of time under way."""
        passed_s = np.minimum(end_s, self.last_s) - np.maximum(begin_s, self.first_s)
        return float(passed_s[passed_s > 0].sum()) / (self.last_s - self.first_s)

    def of(self, chosen: NDArray[np.bool_]) -> _Visits:
        """Some of them, at a single server."""
        some = replace(
            self,
            entered_s=self.entered_s[chosen],
            start_s=self.start_s[chosen],
            finish_s=self.finish_s[chosen],
            work_s=self.work_s[chosen],
        )
        return replace(some, utilisation=some.rate * float(some.service_s.mean()) if len(some.service_s) else 0.0)


def compared(run: Run) -> tuple[tuple[Compared, ...], tuple[str, ...]]:
    """The stations that were visited at least `FEWEST` times in the measured time, and the names of the others.

    RecordError where rows of all tasks were not kept, or cannot be read, or the scenario cannot.
    """
    if run.manifest.kept_one_in != 1:
        raise RecordError(f"{run.directory} has no rows of all its tasks: run it with --records full")
    scenario = _scenario(run)
    plant = build_plant(scenario, whole_catalogue(scenario))
    last_s = float(np.max(read_columns(run, "tasks", ["arrival_s"])["arrival_s"], initial=-math.inf))
    if not last_s > run.warm_up_s:
        raise RecordError(f"{run.directory} has nothing to measure after its warm-up of {run.warm_up_s:g} s")
    rows = _sorted(read_columns(run, "subtasks", _SUBTASKS), "entered_s")
    transfers = _sorted(read_columns(run, "links", _LINKS), "queued_s")
    found: dict[str, Compared | None] = {}
    for node in plant.nodes:
        at = _where(rows, rows["node"] == node.number)
        visits = _visits(run, at, ("entered_s", "start_s", "finish_s"), last_s, run.summary.nodes[node.id].utilisation)
        found[node.id] = _at_node(scenario, plant, node, _counted(run, node, visits), at)
    for number, link in sorted(plant.links.items()):
        at = _where(transfers, transfers["link"] == number)
        visits = _visits(run, at, ("queued_s", "start_s", "end_s"), last_s, run.summary.links[link.id].utilisation)
        found[link.id] = _at_link(link, visits, at)
    return tuple(each for each in found.values() if each), tuple(name for name, each in found.items() if not each)


def _scenario(run: Run) -> Scenario:
    try:
        return load_scenario(run.directory / SCENARIO_FILE)
    except ScenarioError as error:
        raise RecordError(str(error)) from None


def _sorted(rows: Columns, by: str) -> Columns:
    return _where(rows, np.argsort(rows[by], kind="stable"))


def _where(rows: Columns, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Columns:
    return {name: column[chosen] for name, column in rows.items()}


def _visits(run: Run, rows: Columns, names: tuple[str, str, str], last_s: float, utilisation: float) -> _Visits:
    entered, start, finish = names
    work_s = rows[finish] - rows[start]
    return _Visits(rows[entered], rows[start], rows[finish], run.warm_up_s, last_s, utilisation, work_s)


def _counted(run: Run, node: PlantNode, visits: _Visits) -> _Visits:
    """With the work of those that were interrupted, and with those whose answers failed a check."""
    seen = np.count_nonzero(visits.measured)
    if not seen:
        return visits
    counted = run.summary.nodes[node.id]
    lost = {} if run.summary.faults is None else run.summary.faults.attempts_lost
    if {cause for cause, times in lost.items() if times} == {"rejected"} and not run.summary.tasks.in_system:
        visits = replace(visits, for_each=max(counted.arrivals / float(seen), 1.0))
    if interrupts(node):
        found = work_s(visits.start_s, visits.finish_s) if node.capacity == 1 else None
        if found is None:  # several servers: what rows do not tell is known on average
            found = visits.work_s * (node.capacity * visits.utilisation / visits.rate / float(visits.service_s.mean()))
        visits = replace(visits, work_s=found)
    return visits


def _at_node(scenario: Scenario, plant: Plant, node: PlantNode, visits: _Visits, rows: Columns) -> Compared | None:
    seen = visits.measured
    if np.count_nonzero(seen) < FEWEST:
        return None
    service_s = visits.service_s
    overtaking = _overtaking(visits)
    classes = _classes(rows["priority"], visits) if overtaking and node.capacity == 1 else {}
    remarks = list(_about(visits, 0.0 if classes else overtaking))
    if _could_go_elsewhere(plant, node, _where(rows, seen)):
        remarks.append(CHOSEN)
    end_rates: tuple[float, ...] = ()
    if isinstance(node.server, BatchingServer):
        end_rates = _end_rates(scenario, node, node.server, _where(rows, seen))
        remarks.append(
            Remark("in a batch each is taken to have the mean lengths, and prompts to be read one after the other")
        )
    if node.slowdown is not None:
        remarks.append(Remark("the pace of service changed; the form has services that do not depend on one another"))
    if len(node.resident) < len(node.models):
        remarks.append(Remark("models were swapped in and out; that is part of the services"))
    if node.crashes is not None:
        remarks.append(Remark("it may have broken down; in the form it never does"))
    if visits.for_each > 1:
        told = "{} of what came failed a check afterwards and has no rows; it is taken to be like the rest"
        remarks.append(Remark(told, 1 - 1 / visits.for_each, is_share=True))
    interrupting = overtaking > 0 and _interrupted(node, visits)
    if interrupting and node.capacity > 1:
        remarks.append(Remark("of services that were interrupted, rows tell the mean alone; the form has it"))
    remarks += about_brownouts(node)
    return _compared(
        Offered(
            station=node.id,
            arrival_rate=visits.rate,
            arrival_cv=_cv(np.diff(visits.entered_s[seen])),
            service=discrete(service_s),
            servers=1 if end_rates else node.capacity,
            classes=tuple(PriorityClass(each.rate, discrete(each.service_s)) for each in classes.values()),
            class_names=tuple(classes),
            end_rates=end_rates,
            interrupts=interrupting,
            tolerance=_tolerance(service_s),
            remarks=tuple(remarks),
        ),
        visits,
        classes,
    )


def _interrupted(node: PlantNode, visits: _Visits) -> bool:
    """Whether services were, as rows of one server tell: an agent that is asked who goes next interrupts none."""
    if not interrupts(node):
        return False
    return node.capacity > 1 or bool((visits.work_s < visits.finish_s - visits.start_s).any())


def _at_link(link: PlantLink, visits: _Visits, rows: Columns) -> Compared | None:
    seen = visits.measured
    if np.count_nonzero(seen) < FEWEST:
        return None
    full_bps, pace, remarks = pace_of(link)
    times_s = 8 * rows["bytes"][seen] / full_bps if pace else visits.service_s
    if not times_s.any():
        return None
    return _compared(
        Offered(
            station=link.id,
            arrival_rate=visits.rate,
            arrival_cv=_cv(np.diff(visits.entered_s[seen])),
            service=discrete(times_s),
            servers=link.spec.copies,
            pace=pace,
            tolerance=_tolerance(times_s),
            remarks=(*_about(visits, _overtaking(visits)), *remarks),
        ),
        visits,
        {},
    )


def _compared(offered: Offered, visits: _Visits, classes: Mapping[str, _Visits]) -> Compared:
    by_class = {name: each.means for name, each in classes.items()}
    return Compared(nearest(offered), visits.means, by_class, int(np.count_nonzero(visits.measured)))


def _cv(values: Floats) -> float:
    return float(values.std() / values.mean()) if values.mean() > 0 else math.nan


def _tolerance(values: Floats) -> float:
    """How far a CV of so many values may be from 1 by chance."""
    return max(_NOTABLE, 3 / math.sqrt(len(values)))


def _end_rates(scenario: Scenario, node: PlantNode, server: BatchingServer, rows: Columns) -> tuple[float, ...]:
    """How many requests of these lengths a second a batch ends with 1, 2, ... members."""
    alone, shared = np.zeros(len(rows["node"])), np.zeros(len(rows["node"]))
    for stage, modality in {(int(s), int(m)) for s, m in zip(rows["stage"], rows["modality"], strict=True)}:
        of = (rows["stage"] == stage) & (rows["modality"] == modality)
        model = node.models[node.model_for[modality if stage == EXPLAIN else 0]]
        encoder_s = model.encoder_s[modality] if stage == EXPLAIN else 0.0
        prompt, output = (rows[name][of].astype(np.float64) for name in ("prompt_tokens", "output_tokens"))
        alone[of] = alone_s(model.law, encoder_s, prompt, output, np.zeros(len(prompt)))
        shared[of] = shared_s(model.law, output)
    longest = float(rows["prompt_tokens"].mean()) + max(workload.max_output for workload in scenario.workloads)
    members = np.arange(1.0, seats(server.max_batch, node.kv_tokens, longest) + 1)
    each_s = float(alone.mean() - shared.mean()) + float(shared.mean()) / members
    return tuple((mean_pace(node.slowdown) / each_s).tolist())


def _could_go_elsewhere(plant: Plant, node: PlantNode, rows: Columns) -> bool:
    """Whether some of those that were served here could have been served by another node."""
    modalities = {int(m) if s == EXPLAIN else 0 for s, m in zip(rows["stage"], rows["modality"], strict=True)}
    return any(other.model_for[m] >= 0 for other in plant.nodes if other is not node for m in modalities)


def _overtaking(visits: _Visits) -> float:
    """Share of visits that began to be served after one that had entered later."""
    later = np.minimum.accumulate(visits.start_s[::-1])[::-1]
    return float((visits.start_s[:-1] > later[1:]).mean()) if len(later) > 1 else 0.0


def _classes(priority: Floats, visits: _Visits) -> dict[str, _Visits]:
    """Visits by priority, where there are few different ones; smaller numbers go first."""
    values = np.unique(priority)
    if not 1 < len(values) <= _MOST_CLASSES:
        return {}
    found = {f"priority {value:.4g}": visits.of(priority == value) for value in values.tolist()}
    return found if all(np.count_nonzero(each.measured) >= FEWEST for each in found.values()) else {}


def _about(visits: _Visits, overtaking: float) -> Iterator[Remark]:
    """What closed forms assume of independence and order that did not hold."""
    seen = visits.measured
    gaps_s, service_s = np.diff(visits.entered_s[seen]), visits.service_s
    together = float((gaps_s == 0).mean())
    if together > _NOTABLE / 5:
        yield Remark("{} came together with another one", together, is_share=True)
    for name, values in (("times between arrivals", gaps_s), ("services", service_s)):
        found = lag1(values) if values.std() > 0 else 0.0
        if abs(found) > _tolerance(values):
            yield Remark(f"{name} depend on one another, neighbours have a correlation of {{}}", found)
    if overtaking > _NOTABLE / 5:
        yield Remark("{} were overtaken; the form has order of arrival", overtaking, is_share=True)
    yield from _about_what_is_found(visits)


def _about_what_is_found(visits: _Visits) -> Iterator[Remark]:
    """Whether arrivals find what there is on average, as those that come at random do (Wolff 1982)."""
    ended_s = np.sort(visits.finish_s)
    found = np.arange(len(visits.entered_s)) - np.searchsorted(ended_s, visits.entered_s, side="right")
    found = found[visits.measured]
    size = len(found) // _BATCHES
    means = found[: size * _BATCHES].reshape(_BATCHES, size).mean(axis=1)
    spread = float(means.std(ddof=1)) / math.sqrt(_BATCHES)
    average, over_time = float(found.mean()), visits.number(visits.entered_s, visits.finish_s)
    if abs(average - over_time) > max(3 * spread, 2 * _NOTABLE * over_time):
        yield Remark(
            "who comes finds {} of what is there over time; the form has 100 %", average / over_time, is_share=True
        )
