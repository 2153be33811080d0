"""Hardware, models, prices, and the nodes that host models: edge nodes and cloud servers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..quantities import (
    Bytes,
    BytesPerSecond,
    BytesPerToken,
    FlopsPerSecond,
    JoulesPerToken,
    Number,
    PerSecond,
    Seconds,
    SecondsPerToken,
    Tokens,
    TokensPerSecond,
    UsdPerJoule,
    UsdPerSecond,
    UsdPerToken,
    Watts,
    Whole,
)
from .base import Frozen, Modality, Name
from .faults import Faults, Spells, check_order
from .limits import LARGEST_FACTOR, LEAST_FACTOR, LONGEST_RUN_S, MOST_AT_ONCE, SHORTEST_S
from .network import Link


class Provenance(Frozen):
    """Where a number of a catalogue comes from."""

    source: str = ""
    date: str = ""


class Hardware(Provenance):
    """A machine: what bounds the models it can hold and how fast they run where no measurement says so."""

    memory: Bytes
    bandwidth: BytesPerSecond
    compute: FlopsPerSecond
    idle_power: Watts = 0.0
    busy_power: Watts = 0.0
    bandwidth_efficiency: Annotated[Number, Field(gt=0, le=1)] = 0.65
    compute_efficiency: Annotated[Number, Field(gt=0, le=1)] = 0.25
    load_rate: Annotated[BytesPerSecond, Field(gt=0)] = 1e9
    """Bytes of weights read per second when a model is swapped in."""
    load_overhead: Seconds = 2.0
    amortisation: UsdPerSecond = 0.0


class Skill(Frozen):
    """Skill of a model on the logistic difficulty scale, per stage."""

    explain: Number = 0.0
    analyze: Number = 0.0
    generate: Number = 0.0


class Model(Provenance):
    """A language model: size, what it reads, what it needs per token of context, how able it is."""

    parameters: Annotated[Number, Field(gt=0)]
    """Parameters active per token."""
    weights: Annotated[Bytes, Field(gt=0)]
    modalities: Annotated[list[Modality], Field(min_length=1)]
    kv_per_token: BytesPerToken = 0.0
    skill: Skill = Skill()
    modality_skill: dict[Modality, Number] = {}
    """Added to the skill of the first stage, per modality."""
    encoder: dict[Modality, Seconds] = {}
    """Time of the modality's encoder before prefill."""


class Law(Provenance):
    """Serving law of a model on a machine.

    Reading n tokens takes overhead + n/prefill; an iteration of b sequences with ctx tokens of context each takes
    decode + per_sequence b + per_context b ctx.
    """

    prefill_overhead: Seconds = 0.0
    prefill: Annotated[TokensPerSecond, Field(gt=0)]
    decode: SecondsPerToken
    decode_per_sequence: SecondsPerToken = 0.0
    decode_per_context: Annotated[Number, Field(ge=0)] = 0.0
    """Seconds per token, per sequence and per token of its context (s/tok^2)."""
    energy_per_token: JoulesPerToken = 0.0
    energy_per_iteration: JoulesPerToken = 0.0


class MeasuredLaw(Law):
    """A law of the catalogue: for this model on this hardware."""

    hardware: Name
    model: Name


class Price(Provenance):
    """Price per token read and written."""

    input: UsdPerToken
    output: UsdPerToken


class SlotsServer(Frozen):
    """`slots` servers, one subtask each."""

    kind: Literal["slots"] = "slots"
    slots: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)] = 1
    preemption: Literal["none", "resume"] = "none"
    """`resume`: a subtask that goes before one in service interrupts it; that goes on later from where it was."""


class BatchingServer(Frozen):
    """Continuous batching: resident requests share iterations; admission is bounded by sequences and KV memory."""

    kind: Literal["batching"]
    max_batch: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)]
    kv_tokens: Tokens | None = None
    """Tokens of context the KV memory holds; from the hardware's memory where left out."""
    chunk: Annotated[Tokens, Field(ge=1)] | None = None
    """Chunked prefill with this many tokens a chunk; whole prompts before any decode where left out."""


class Brownouts(Frozen):
    """Times in which an API has tighter limits on streams, on requests, or on both; what is in service goes on."""

    times: Faults
    streams: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)] | None = None
    request_rate: Annotated[PerSecond, Field(ge=1 / LONGEST_RUN_S)] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Brownouts:
        if self.streams is None and self.request_rate is None:
            raise ValueError("give streams, request_rate, or both: without a limit nothing would be different")
        return self


class ApiServer(Frozen):
    """A hosted API: a lognormal time-to-first-token overhead, a rate per stream, limits on streams and requests."""

    kind: Literal["api"]
    overhead_median: Seconds = 0.6
    overhead_sigma: Annotated[Number, Field(ge=0, le=5)] = 0.5
    streams: Annotated[Whole, Field(ge=1, le=MOST_AT_ONCE)] | None = None
    request_rate: Annotated[PerSecond, Field(ge=1 / LONGEST_RUN_S)] | None = None
    brownouts: Brownouts | None = None
    """Times in which it lets less through."""


Server = Annotated[SlotsServer | BatchingServer | ApiServer, Field(discriminator="kind")]
Discipline = Literal["agent", "fifo", "wspt", "srt"]

Factor = Annotated[Number, Field(gt=1, le=1000)]


class RandomSlowdown(Frozen):
    """Spells of slowness by chance, nobody is told of them; their lengths and those between them are exponential.

    Whether a run begins in a spell is drawn by their share of the time.
    """

    kind: Literal["random"]
    factor: Factor
    """Work takes this many times as long."""
    mean_between: Annotated[Seconds, Field(ge=SHORTEST_S)]
    """From the end of a spell to the beginning of the next."""
    mean_lasting: Annotated[Seconds, Field(ge=SHORTEST_S)]


class WrittenSlowdown(Frozen):
    """Spells of slowness by a timetable, nobody is told of them."""

    kind: Literal["timetable"]
    factor: Factor
    """Work takes this many times as long."""
    spells: Spells
    """Beginning and end of each."""

    @model_validator(mode="after")
    def _in_order(self) -> WrittenSlowdown:
        check_order(self.spells)
        return self


Slowdown = Annotated[RandomSlowdown | WrittenSlowdown, Field(discriminator="kind")]


class _Node(Frozen):
    id: Name
    hardware: Name
    models: Annotated[list[Name], Field(min_length=1)]
    law: dict[Name, Law] = {}
    """Serving laws that replace the catalogue's, by model."""
    memory: Bytes | None = None
    server: Server = SlotsServer()
    discipline: Discipline = "agent"
    speed: Annotated[Number, Field(ge=LEAST_FACTOR, le=LARGEST_FACTOR)] = 1.0
    """All service goes this much faster than the law says."""
    slowdown: Slowdown | None = None
    """Times in which service goes slower than that; loading a model does not, nor is anybody told."""
    crashes: Faults | None = None
    """Times in which it serves nothing; its links and what is stored on it are not concerned."""
    timeout: Annotated[Seconds, Field(gt=0)] | None = None
    """An attempt at a subtask that is not served here so long after it was sent is given up as lost."""
    idle_power: Watts | None = None
    busy_power: Watts | None = None
    tariff: UsdPerJoule = 0.0
    amortisation: UsdPerSecond | None = None


class EdgeNode(_Node):
    """A box in a production cell, with its links to the cloud and to the plant's LAN."""

    site: Name = "plant"
    uplink: Name | Link | None = None
    downlink: Name | Link | None = None
    lan: Name | Link | None = None


class CloudServer(_Node):
    """A server beyond the wide-area network, priced per token where a price is given."""

    price: Name | Price | None = None
    delay: Seconds = 0.0
    """One-way delay between the edge nodes' access links and this server."""


class Site(Frozen):
    """A plant; nodes of one site share its LAN."""

    id: Name
    description: str = ""


__all__ = [
    "ApiServer", "BatchingServer", "Brownouts", "CloudServer", "Discipline", "EdgeNode", "Hardware", "Law",
    "MeasuredLaw", "Model", "Price", "Provenance", "RandomSlowdown", "Server", "Site", "Skill", "SlotsServer",
    "Slowdown", "WrittenSlowdown",
]  # fmt: skip
