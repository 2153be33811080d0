"""Distributions a scenario can name: of token counts, payload sizes, service demands, weights, difficulty.

A plain quantity stands for a constant: ``output: 120 tok`` is ``output: {kind: constant, value: 120 tok}``.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from .. import units
from ..quantities import Bare, Bytes, Number, PositiveNumber, Quantity, Seconds, Tokens
from ..traces.formats import RequestFormat
from .base import Frozen, PlainOr

Q = TypeVar("Q")
M = TypeVar("M")


def _in_order(model: M, low: Any, high: Any, low_name: str, high_name: str) -> M:
    if low is not None and high is not None and low > high:
        raise ValueError(f"{low_name} is above {high_name}")
    return model


class _Of(Frozen, Generic[Q]):
    """A distribution of a quantity; the name of the quantity tells its classes apart, so that they can be pickled."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """The distribution with its quantity, such as ``Uniform[time]``."""
        marks = [mark for mark in getattr(params[0], "__metadata__", ()) if isinstance(mark, Quantity)]
        return f"{cls.__name__}[{marks[0].dimension.name if marks else 'number'}]"


class Constant(_Of[Q], Generic[Q]):
    """Always the same value."""

    kind: Literal["constant"] = "constant"
    value: Q


class Uniform(_Of[Q], Generic[Q]):
    """Uniform between `low` and `high`."""

    kind: Literal["uniform"]
    low: Q
    high: Q

    @model_validator(mode="after")
    def _ordered(self) -> Uniform[Q]:
        return _in_order(self, self.low, self.high, "low", "high")


class Exponential(_Of[Q], Generic[Q]):
    """Exponential with the given mean."""

    kind: Literal["exponential"]
    mean: Annotated[Q, Field(ge=0)]


class Lognormal(_Of[Q], Generic[Q]):
    """Lognormal with the given mean and coefficient of variation, clipped to [min, max]."""

    kind: Literal["lognormal"]
    mean: Annotated[Q, Field(gt=0)]
    cv: PositiveNumber
    min: Q | None = None
    max: Q | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Lognormal[Q]:
        return _in_order(self, self.min, self.max, "min", "max")


class Normal(_Of[Q], Generic[Q]):
    """Normal with the given mean and standard deviation, clipped to [min, max]."""

    kind: Literal["normal"]
    mean: Q
    sd: Annotated[Q, Field(ge=0)]
    min: Q | None = None
    max: Q | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Normal[Q]:
        return _in_order(self, self.min, self.max, "min", "max")


class Choice(_Of[Q], Generic[Q]):
    """One of `values`, with probability proportional to `weights` (equal where left out)."""

    kind: Literal["choice"]
    values: Annotated[list[Q], Field(min_length=1)]
    weights: list[Annotated[Number, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _weights_match(self) -> Choice[Q]:
        if self.weights is not None:
            if len(self.weights) != len(self.values):
                raise ValueError(f"{len(self.weights)} weights for {len(self.values)} values; give one for each")
            if sum(self.weights) <= 0:
                raise ValueError("weights add up to 0; at least one must be positive")
        return self


class Empirical(Frozen):
    """Resampled, with replacement, from a column of a request trace file."""

    kind: Literal["empirical"]
    file: str
    column: Literal["prompt_tokens", "output_tokens"]
    format: RequestFormat | None = None


_BY_KIND = Field(discriminator="kind")

TokenDistribution = Annotated[
    Constant[Tokens]
    | Uniform[Tokens]
    | Exponential[Tokens]
    | Lognormal[Tokens]
    | Normal[Tokens]
    | Choice[Tokens]
    | Empirical,
    _BY_KIND,
    PlainOr("value", Quantity(units.TOKENS)),
]
SecondDistribution = Annotated[
    Constant[Seconds]
    | Uniform[Seconds]
    | Exponential[Seconds]
    | Lognormal[Seconds]
    | Normal[Seconds]
    | Choice[Seconds],
    _BY_KIND,
    PlainOr("value", Quantity(units.TIME)),
]
ByteDistribution = Annotated[
    Constant[Bytes] | Uniform[Bytes] | Exponential[Bytes] | Lognormal[Bytes] | Normal[Bytes] | Choice[Bytes],
    _BY_KIND,
    PlainOr("value", Quantity(units.DATA)),
]
NumberDistribution = Annotated[
    Constant[Number] | Uniform[Number] | Exponential[Number] | Lognormal[Number] | Normal[Number] | Choice[Number],
    _BY_KIND,
    PlainOr("value", Bare()),
]
