"""Links and the channels that set their rate over time."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .. import units
from ..quantities import (
    BitsPerSecond,
    DecibelMilliwatts,
    Decibels,
    Fraction,
    Hertz,
    Metres,
    Number,
    PositiveNumber,
    Quantity,
    Seconds,
    Whole,
)
from .base import Frozen, PlainOr
from .faults import Faults
from .limits import LARGEST_FACTOR, LEAST_FACTOR, MOST_COPIES, MOST_STATES, SHORTEST_S

_Lasting = Annotated[Seconds, Field(ge=SHORTEST_S)]


class ConstantChannel(Frozen):
    """A rate that never changes."""

    kind: Literal["constant"] = "constant"
    rate: Annotated[BitsPerSecond, Field(gt=0)]


class GilbertElliottChannel(Frozen):
    """Two states, good and bad, with exponential sojourns (Gilbert 1960, Elliott 1963)."""

    kind: Literal["gilbert-elliott"]
    good: Annotated[BitsPerSecond, Field(gt=0)]
    bad: BitsPerSecond
    mean_good: _Lasting
    mean_bad: _Lasting


class MarkovChannel(Frozen):
    """n states with exponential sojourns; `transition[i][j]` is the chance that j follows i (diagonal 0)."""

    kind: Literal["markov"]
    rates: Annotated[list[BitsPerSecond], Field(min_length=2, max_length=MOST_STATES)]
    mean_sojourn: list[_Lasting]
    transition: list[list[Fraction]] | None = None

    @model_validator(mode="after")
    def _square(self) -> MarkovChannel:
        n = len(self.rates)
        if len(self.mean_sojourn) != n:
            raise ValueError(f"{n} rates but {len(self.mean_sojourn)} mean_sojourn; give one per state")
        if max(self.rates) <= 0:
            raise ValueError("every rate is 0; at least one state must carry data")
        if self.transition is not None:
            if len(self.transition) != n or any(len(row) != n for row in self.transition):
                raise ValueError(f"transition must be {n} rows of {n} numbers")
            for i, row in enumerate(self.transition):
                if row[i] != 0 or abs(sum(row) - 1) > 1e-9:
                    raise ValueError(f"row {i} of transition must add up to 1 with 0 on the diagonal")
        return self


class LogAutoregressiveChannel(Frozen):
    """AR(1) in the logarithm of the rate, held for `step`: log r' = m + rho (log r - m) + s sqrt(1-rho^2) z."""

    kind: Literal["ar1"]
    median: Annotated[BitsPerSecond, Field(gt=0)]
    sigma: Annotated[Number, Field(ge=0, le=5)]
    rho: Annotated[Number, Field(ge=0, lt=1)]
    step: _Lasting = 1.0


class IndoorFactoryChannel(Frozen):
    """Shannon rate over TR 38.901 InF path loss, with shadowing and Rayleigh block fading.

    Line of sight and shadowing are drawn again every `shadowing_time`, fading every `block`.
    """

    kind: Literal["inf"]
    environment: Literal["SL", "DL", "SH", "DH", "HH"] = "DH"
    distance: Annotated[Metres, Field(ge=1, le=600)]
    carrier: Annotated[Hertz, Field(ge=0.5e9, le=100e9)] = 3.7e9
    bandwidth: Annotated[Hertz, Field(gt=0)] = 20e6
    power: DecibelMilliwatts = 23.0
    noise_figure: Decibels = 7.0
    clutter_size: Annotated[Metres, Field(gt=0)] = 2.0
    clutter_density: Annotated[Number, Field(gt=0, lt=1)] = 0.6
    clutter_height: Annotated[Metres, Field(gt=0)] = 6.0
    base_height: Annotated[Metres, Field(gt=0)] = 8.0
    device_height: Annotated[Metres, Field(gt=0)] = 1.5
    block: _Lasting = 0.1
    shadowing_time: _Lasting = 5.0
    efficiency: Annotated[Number, Field(gt=0, le=1)] = 0.65
    max_spectral_efficiency: PositiveNumber = 7.4


class TraceChannel(Frozen):
    """Playback of a rate trace file, from `offset`, scaled, and from its start again at its end."""

    kind: Literal["trace"]
    file: str
    format: Literal["two-column", "mahimahi", "g-nettrack"] | None = None
    column: Literal["up", "down"] = "down"
    scale: Annotated[Number, Field(ge=LEAST_FACTOR, le=LARGEST_FACTOR)] = 1.0
    offset: Seconds = 0.0


Channel = Annotated[
    ConstantChannel
    | GilbertElliottChannel
    | MarkovChannel
    | LogAutoregressiveChannel
    | IndoorFactoryChannel
    | TraceChannel,
    Field(discriminator="kind"),
]


class Link(Frozen):
    """A link: a queue of transfers served one at a time at the channel's rate, then a propagation delay."""

    channel: Annotated[Channel, PlainOr("rate", Quantity(units.BIT_RATE))]
    delay: Seconds = 0.0
    discipline: Literal["agent", "fifo"] = "agent"
    copies: Annotated[Whole, Field(ge=1, le=MOST_COPIES)] = 1
    """Parallel carriers of the same kind (bonded radios); each carries one transfer at a time."""
    outages: Faults | None = None
    """Times in which nothing gets through; transfers under way go on afterwards."""
