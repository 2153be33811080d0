"""Quantities as fields of pydantic models: text with a unit in a file, a float in SI units in the program.

``Seconds`` reads ``20 ms`` and holds 0.02; dumping a model writes text that reads back as the same float, bit for bit.
Where a unit belongs a bare number is an error, except 0. ``Fraction``, ``Number`` and ``Whole`` have no unit.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from . import units
from .units import Dimension, UnitError

LARGEST_NUMBER = 1e30
"""Bare numbers beyond this are taken for mistakes."""

_DECIMAL = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_PERCENTAGE = re.compile(rf"\s*({_DECIMAL})\s*%\s*")
_KINDS = {type(None): "nothing", bool: "a truth value", str: "text", int: "a number", float: "a number"}


def kind_of(value: object) -> str:
    """What a value of a file is, in words."""
    return _KINDS.get(type(value), "a list" if isinstance(value, list) else "a map")


def _refused(message: str, allowed: tuple[str, ...] = (), suggestion: str | None = None) -> PydanticCustomError:
    return PydanticCustomError(
        "quantity", "{problem}", {"problem": message, "allowed": list(allowed), "suggestion": suggestion}
    )


@dataclass(frozen=True, slots=True)
class Quantity:
    """Marks a float field as a quantity of a dimension."""

    dimension: Dimension

    def read(self, value: object) -> float:
        """The SI value of a number and unit."""
        try:
            if isinstance(value, str):
                return units.parse(value, self.dimension)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return units.bare(value, self.dimension)
        except UnitError as error:
            raise _refused(error.message, error.allowed, error.suggestion) from None
        example = self.dimension.examples[0]
        raise _refused(f"expected {self.dimension.phrase} such as '{example}', not {kind_of(value)}")

    def write(self, value: Any) -> Any:
        """Text that `read` reads as the same float; what is no float (another member of a union) is left as it is."""
        return units.write(value, self.dimension) if isinstance(value, float) else value

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, serialization=core_schema.plain_serializer_function_ser_schema(self.write)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        sign = "[+-]?" if self.dimension.signed else "[+]?"
        spellings = "|".join(re.escape(unit) for unit in self.dimension.units)
        text = {
            "type": "string",
            "pattern": rf"^\s*(?:{sign}{_DECIMAL}\s*(?:{spellings})|0)\s*$",
            "examples": list(self.dimension.examples),
        }
        return {"anyOf": [text, {"const": 0}]}


@dataclass(frozen=True, slots=True)
class _Bare:
    """Marks a float field as a bare finite number."""

    def read(self, value: object) -> float:
        """The number itself."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            quoted = isinstance(value, str) and re.fullmatch(rf"\s*[+-]?{_DECIMAL}\s*", value)
            raise _refused(f"expected a number{' without quotes' if quoted else ''}, not {_shown(value)}")
        if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
            raise _refused(f"expected a finite number of sensible size, not {_shown(value)}")
        return float(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, json_schema_input_schema=core_schema.float_schema()
        )


@dataclass(frozen=True, slots=True)
class _Share:
    """Marks a float field as a share: a bare number from 0 to 1, or a percentage."""

    def read(self, value: object) -> float:
        """The share as a number from 0 to 1."""
        wanted = "a number from 0 to 1, or a percentage such as '30 %'"
        if isinstance(value, str) and len(value) < 200:
            match = _PERCENTAGE.fullmatch(value)
            if match is None:
                raise _refused(f"expected {wanted}, not {_shown(value)}")
            value = float(match[1]) / 100
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise _refused(f"expected {wanted}, not {_shown(value)}")
        return float(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        percentage = {"type": "string", "pattern": rf"^\s*{_DECIMAL}\s*%\s*$", "examples": ["30 %"]}
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, percentage]}


@dataclass(frozen=True, slots=True)
class _Integer:
    """Marks an int field as a bare whole number; 1e5 counts as one."""

    def read(self, value: object) -> int:
        """The number itself."""
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not isinstance(value, (int, float)):
            raise _refused(f"expected a whole number, not {_shown(value)}")
        return int(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.read, json_schema_input_schema=core_schema.int_schema()
        )


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "...")
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    return repr(value) if isinstance(value, (int, float)) else kind_of(value)


Seconds = Annotated[float, Quantity(units.TIME)]
Bytes = Annotated[float, Quantity(units.DATA)]
BitsPerSecond = Annotated[float, Quantity(units.BIT_RATE)]
BytesPerSecond = Annotated[float, Quantity(units.BYTE_RATE)]
FlopsPerSecond = Annotated[float, Quantity(units.COMPUTE_RATE)]
Watts = Annotated[float, Quantity(units.POWER)]
Joules = Annotated[float, Quantity(units.ENERGY)]
JoulesPerToken = Annotated[float, Quantity(units.ENERGY_PER_TOKEN)]
Usd = Annotated[float, Quantity(units.MONEY)]
UsdPerToken = Annotated[float, Quantity(units.PRICE_PER_TOKEN)]
UsdPerJoule = Annotated[float, Quantity(units.PRICE_OF_ENERGY)]
UsdPerSecond = Annotated[float, Quantity(units.COST_RATE)]
Tokens = Annotated[float, Quantity(units.TOKENS)]
TokensPerSecond = Annotated[float, Quantity(units.TOKEN_RATE)]
SecondsPerToken = Annotated[float, Quantity(units.TIME_PER_TOKEN)]
PerSecond = Annotated[float, Quantity(units.FREQUENCY_OF_EVENTS)]
Hertz = Annotated[float, Quantity(units.FREQUENCY)]
Metres = Annotated[float, Quantity(units.LENGTH)]
Decibels = Annotated[float, Quantity(units.RATIO_IN_DECIBELS)]
DecibelMilliwatts = Annotated[float, Quantity(units.POWER_IN_DECIBELS)]
BytesPerToken = Annotated[float, Quantity(units.DATA_PER_TOKEN)]
Fraction = Annotated[float, _Share()]
Number = Annotated[float, _Bare()]
Whole = Annotated[int, _Integer()]
PositiveNumber = Annotated[Number, Field(gt=0)]
PositiveWhole = Annotated[Whole, Field(ge=1)]
