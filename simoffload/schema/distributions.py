"""Distributions a scenario can name: of token counts, payload sizes, service demands, weights, difficulty.

A plain quantity stands for a constant: ``output: 120 tok`` is ``output: {kind: constant, value: 120 tok}``.
"""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from ..quantities import Bytes, Number, PositiveNumber, Seconds, Tokens
from .base import Frozen

Q = TypeVar("Q")


class Constant(Frozen, Generic[Q]):
    """Always the same value."""

    kind: Literal["constant"] = "constant"
    value: Q


class Uniform(Frozen, Generic[Q]):
    """Uniform between `low` and `high`."""

    kind: Literal["uniform"]
    low: Q
    high: Q


class Exponential(Frozen, Generic[Q]):
    """Exponential with the given mean."""

    kind: Literal["exponential"]
    mean: Q


class Lognormal(Frozen, Generic[Q]):
    """Lognormal with the given mean and coefficient of variation, clipped to [min, max]."""

    kind: Literal["lognormal"]
    mean: Q
    cv: PositiveNumber
    min: Q | None = None
    max: Q | None = None


class Normal(Frozen, Generic[Q]):
    """Normal with the given mean and standard deviation, clipped to [min, max]."""

    kind: Literal["normal"]
    mean: Q
    sd: Q
    min: Q | None = None
    max: Q | None = None


class Choice(Frozen, Generic[Q]):
    """One of `values`, with probability proportional to `weights` (equal where left out)."""

    kind: Literal["choice"]
    values: Annotated[list[Q], Field(min_length=1)]
    weights: list[Annotated[Number, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _weights_match(self) -> Choice[Q]:
        if self.weights is not None:
            if len(self.weights) != len(self.values):
                raise ValueError(
                    f"{len(self.weights)} weights for {len(self.values)} values; give one weight per value"
                )
            if sum(self.weights) <= 0:
                raise ValueError("weights add up to 0; at least one must be positive")
        return self


class Empirical(Frozen, Generic[Q]):
    """Resampled, with replacement, from a column of a request trace file."""

    kind: Literal["empirical"]
    file: str
    column: Literal["prompt_tokens", "output_tokens"]
    format: str | None = None


def _plain_is_constant(value: object) -> object:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return {"kind": "constant", "value": value}
    return value


_BY_KIND = Field(discriminator="kind")
_PLAIN = BeforeValidator(_plain_is_constant)

TokenDistribution = Annotated[
    Constant[Tokens]
    | Uniform[Tokens]
    | Exponential[Tokens]
    | Lognormal[Tokens]
    | Normal[Tokens]
    | Choice[Tokens]
    | Empirical[Tokens],
    _BY_KIND,
    _PLAIN,
]
SecondDistribution = Annotated[
    Constant[Seconds]
    | Uniform[Seconds]
    | Exponential[Seconds]
    | Lognormal[Seconds]
    | Normal[Seconds]
    | Choice[Seconds]
    | Empirical[Seconds],
    _BY_KIND,
    _PLAIN,
]
ByteDistribution = Annotated[
    Constant[Bytes]
    | Uniform[Bytes]
    | Exponential[Bytes]
    | Lognormal[Bytes]
    | Normal[Bytes]
    | Choice[Bytes]
    | Empirical[Bytes],
    _BY_KIND,
    _PLAIN,
]
NumberDistribution = Annotated[
    Constant[Number]
    | Uniform[Number]
    | Exponential[Number]
    | Lognormal[Number]
    | Normal[Number]
    | Choice[Number]
    | Empirical[Number],
    _BY_KIND,
    _PLAIN,
]
