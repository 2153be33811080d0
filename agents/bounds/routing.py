"""A plant of queues as a decision process that can be solved: where does a job go that arrives now?

Every edge node is a queue with one server, jobs arrive at random and take an exponential time, and nobody waits in the
cloud. All that matters for what is to come is then how many jobs are at each edge node.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision
from simoffload.decision.tables import Tables
from simoffload.plant import Plant, build_plant
from simoffload.random_streams import Streams
from simoffload.run.references import with_references
from simoffload.schema import Scenario, whole_catalogue
from simoffload.schema.distributions import Constant, Exponential
from simoffload.schema.workload import PoissonArrivals, Workload, Written
from simoffload.tasks.graph import TEXT
from simoffload.tasks.templates import written_graph
from simoffload.world.subtask_laws import TaskLaws

if TYPE_CHECKING:
    from simoffload.decision import Observation, Setting

ENOUGH_SPREADS = 10.0
"""The cloud needs slots for its mean number of jobs if it took all, and so many standard deviations on top."""


class RoutingError(ValueError):
    """A scenario that is no routing problem; the message says what of it does not fit."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Jobs that arrive at random, queues with an exponential server each, and an outside where nobody waits.

    Costs are in units of the objective.
    """

    arrival_rate: float
    """Per s."""
    service_rates: tuple[float, ...]
    """Per s, by queue."""
    holding_cost: float
    """Per s and job in the system, above 0."""
    busy_costs: tuple[float, ...]
    """Per s that a queue's server works."""
    outside_cost: float
    """Of a job that is sent outside, its time there included."""

    @property
    def places(self) -> tuple[int, ...]:
        """Per queue, no fewer jobs than the most that an optimal rule ever lets it have.

        A job that is the n-th in a queue costs (n holding + busy) / rate there. Once that is more than outside, sending
        it outside instead is better for itself and makes nobody else wait longer (Naor, Econometrica 37(1), 1969).
        """
        pairs = zip(self.service_rates, self.busy_costs, strict=True)
        return tuple(max(1, math.floor((self.outside_cost * rate - busy) / self.holding_cost)) for rate, busy in pairs)


class ByTable:
    """Plays a table of the numbers of jobs at the edge nodes; news must be fresh.

    Entry [n1, n2, ...] is the edge node that gets a job when so many are at each; their count stands for the cloud.
    Longer queues than the table knows count as its longest.
    """

    order = "fifo"

    def __init__(self, table: NDArray[np.intp]) -> None:
        self.table = table

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """All is in the table."""

    def decide(self, observation: Observation) -> Decision:
        """The table's entry; candidates are the edge nodes in order, then the cloud."""
        jobs = (observation.queue_length + observation.in_service)[: self.table.ndim].astype(np.intp)
        return Decision(int(self.table[tuple(np.minimum(jobs, np.array(self.table.shape) - 1))]))


def routing_of(scenario: Scenario) -> Routing:
    """The routing problem that a scenario poses, as `theory/routing` does; RoutingError if it poses another one."""
    scenario = with_references(scenario)
    workload, arrival_rate = _workload(scenario)
    demand_s, weight = _mean_demand_s(workload), _weight(workload)
    plant = build_plant(scenario, whole_catalogue(scenario))
    _check(plant)
    objective = scenario.objective
    assert isinstance(objective.latency_reference, float) and isinstance(objective.cost_reference, float)
    holding = weight * objective.latency_weight / objective.latency_reference
    if holding <= 0:
        raise RoutingError("waiting costs nothing: objective.latency_weight and the weight of tasks must be above 0")
    table = Tables(plant, {}).by_modality[TEXT]
    if len(table.nodes) < len(plant.nodes):
        raise RoutingError("every node needs a model that reads text")
    price = (1.0 - objective.latency_weight) / objective.cost_reference
    busy: list[float] = (price * table.usd_per_s / table.sharers).tolist()
    rates: list[float] = (1.0 / (table.demand_factor * demand_s)).tolist()
    cloud, mean_jobs = plant.nodes[-1], arrival_rate / rates[-1]
    if cloud.capacity < mean_jobs + ENOUGH_SPREADS * math.sqrt(mean_jobs):
        raise RoutingError(f"node '{cloud.id}' has {cloud.capacity} slots, so few that jobs might wait there")
    return Routing(
        arrival_rate=arrival_rate,
        service_rates=tuple(rates[:-1]),
        holding_cost=holding,
        busy_costs=tuple(busy[:-1]),
        outside_cost=(holding + busy[-1]) / rates[-1],
    )


def _workload(scenario: Scenario) -> tuple[Workload, float]:
    """The only workload, and its arrivals per second."""
    if len(scenario.workloads) != 1:
        raise RoutingError(f"scenario '{scenario.name}' has {len(scenario.workloads)} workloads; one is allowed")
    (workload,) = scenario.workloads
    arrivals = workload.arrivals
    if not isinstance(arrivals, PoissonArrivals) or arrivals.modulation is not None:
        raise RoutingError(f"workload '{workload.id}' needs arrivals of kind poisson without modulation")
    homes = len(scenario.edges) if workload.homes == "all" else len(workload.homes)
    return workload, homes * arrivals.rate


def _mean_demand_s(workload: Workload) -> float:
    """Mean of the exponential demand that is all there is to a task."""
    template = workload.template
    if not isinstance(template, Written) or len(template.subtasks) != 1:
        raise RoutingError(f"workload '{workload.id}' needs a written template of a single subtask")
    (subtask,) = template.subtasks
    if not isinstance(subtask.demand, Exponential) or subtask.demand.mean <= 0:
        raise RoutingError(f"subtask '{subtask.id}' needs a demand of kind exponential with a mean above 0")
    if _has_tokens(workload, template):
        raise RoutingError(f"subtask '{subtask.id}' has tokens or a payload; its demand must be all there is to it")
    return float(subtask.demand.mean)


def _has_tokens(workload: Workload, template: Written) -> bool:
    (laws,) = TaskLaws(workload, None, Streams(0), "nobody").of(written_graph(template))
    means = (laws.prompt.mean, laws.payload_tokens.mean, laws.payload_bytes.mean, laws.output.mean)
    return any(mean > 0 for mean in means)


def _weight(workload: Workload) -> float:
    if not isinstance(workload.weight, Constant):
        raise RoutingError(f"workload '{workload.id}' has tasks of unequal weight; it must be constant")
    return float(workload.weight.value)


def _check(plant: Plant) -> None:
    if len(plant.nodes) != plant.edge_count + 1:
        raise RoutingError(f"the plant has {len(plant.nodes) - plant.edge_count} clouds; it needs one")
    if plant.links or plant.nodes[-1].delay_s > 0:
        raise RoutingError("jobs must be where they go at once: leave out links, and the delay of the cloud")
    for node in plant.nodes:
        if node.server.kind != "slots" or (not node.is_cloud and node.capacity != 1):
            raise RoutingError(f"node '{node.id}' needs a server of kind slots, with a single one on edge nodes")
        if len(node.resident) < len(node.models):
            raise RoutingError(f"node '{node.id}' cannot hold all its models at once; swapping them is not modelled")
        if node.slowdown is not None:
            raise RoutingError(f"node '{node.id}' slows down at times; its services are not exponential then")
        if node.crashes is not None:
            raise RoutingError(f"node '{node.id}' crashes at times; its services are not exponential then")
