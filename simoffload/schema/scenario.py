"""The scenario: everything one run depends on, besides the agent and the version of the program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..quantities import BytesPerToken, Fraction, Number, Seconds, Usd, Whole
from .base import Frozen, Name
from .faults import FaultPolicy
from .limits import COARSEST_S, LEAST_SHARE, MOST_LAWS, MOST_WORKLOADS
from .network import Link
from .nodes import CloudServer, EdgeNode, Hardware, MeasuredLaw, Model, Price, Site
from .workload import Workload


class Horizon(Frozen):
    """When a run ends: at a simulated time, or when this many tasks have arrived and left."""

    tasks: Annotated[Whole, Field(ge=1, le=10**9)] | None = None
    time: Annotated[Seconds, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Horizon:
        if (self.tasks is None) == (self.time is None):
            raise ValueError("give either tasks or time, exactly one of them")
        return self


class Objective(Frozen):
    """Per task: weight w L/L_ref + (1-w) C/C_ref, L latency, C cost."""

    latency_weight: Fraction = 0.5
    latency_reference: Annotated[Seconds, Field(gt=0)] | Literal["auto"] = "auto"
    cost_reference: Annotated[Usd, Field(gt=0)] | Literal["auto"] = "auto"
    """`auto`: the mean of the all-cloud policy at light load."""


class Records(Frozen):
    """Which events a run keeps as Parquet files; summaries are exact whatever is kept."""

    level: Literal["full", "sampled", "off"] = "off"
    sample: Annotated[Fraction, Field(ge=LEAST_SHARE)] = 0.1
    """Share of tasks kept at level `sampled`."""
    resolution: Annotated[Seconds, Field(ge=0, le=COARSEST_S)] = 0.0
    """Times in rows are rounded down to this (to the power of two of a second at or below it), bills to 8 digits; 0:
    rows are exact. 100 ns save a quarter of the disk."""


class Verify(Frozen):
    """A check of each sink's answer where it was made; one that fails has the subtask done again in the cloud."""

    detection: Fraction = 1.0
    """Chance that a wrong answer fails."""
    false_alarm: Fraction = 0.0
    """Chance that a right one fails."""
    limit: Annotated[Whole, Field(ge=1, le=10)] = 1
    """So often a subtask is done again at most; the answer after that stands."""


class Quality(Frozen):
    """Chance that a subtask is right: 1/(1+exp(-slope (skill - difficulty))), times `carry` per wrong predecessor."""

    slope: Annotated[Number, Field(gt=0, le=100)] = 1.0
    carry: Fraction = 0.5
    verify: Verify | None = None


class Catalogue(Frozen):
    """Hardware, models, measured serving laws and prices, by name."""

    hardware: dict[Name, Hardware] = {}
    models: dict[Name, Model] = {}
    laws: Annotated[list[MeasuredLaw], Field(max_length=MOST_LAWS)] = []
    prices: dict[Name, Price] = {}


class Scenario(Frozen):
    """A scenario file."""

    schema_version: Literal[1]
    name: Name
    description: str = ""
    seed: Annotated[Whole, Field(ge=0, lt=2**63)]
    horizon: Horizon
    warm_up: Seconds = 0.0
    objective: Objective = Objective()
    telemetry_interval: Seconds = 5.0
    """How often nodes tell the others their state; 0: always fresh."""
    order: Literal["at_service_start", "at_ready"] = "at_service_start"
    decision: Literal["greedy_when_ready"] = "greedy_when_ready"
    bytes_per_token: Annotated[BytesPerToken, Field(gt=0)] = 4.0
    quality: Quality = Quality()
    faults: FaultPolicy = FaultPolicy()
    """What becomes of work that a fault meets; when faults come is said of nodes and links."""
    records: Records = Records()
    catalogue: Catalogue = Catalogue()
    """Entries that add to or replace those of the bundled catalogue."""
    links: dict[Name, Link] = {}
    """Links that nodes refer to by name."""
    sites: Annotated[list[Site], Field(min_length=1)] = [Site(id="plant")]
    edges: Annotated[list[EdgeNode], Field(min_length=1, max_length=10_000)]
    clouds: Annotated[list[CloudServer], Field(max_length=1_000)] = []
    workloads: Annotated[list[Workload], Field(min_length=1, max_length=MOST_WORKLOADS)]
