"""Quantities as fields of pydantic models: text with a unit in a file, a float in SI units in the program.

``Seconds`` reads ``20 ms`` and holds 0.02; dumping a model writes text that reads back as the same float, bit for bit.
Where a unit belongs a bare number is an error, except 0. ``Fraction``, ``Number`` and ``Whole`` have no unit.
"""

from __future__ import annotations

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
_NUMERIC = re.compile(rf"\s*[+-]?{_DECIMAL}\s*")
_PERCENTAGE = re.compile(rf"\s*({_DECIMAL})\s*%\s*")
_KINDS = {type(None): "nothing", bool: "a truth value", str: "text", int: "a number", float: "a number"}


def kind_of(value: object) -> str:
    """What a value of a file is, in words."""
    return _KINDS.get(type(value), "a list" if isinstance(value, list) else "a map")


def shown(value: object) -> str:
    """A value of a file as a message shows it: itself if it is short, else what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "...")
    if isinstance(value, int) and abs(value) >= 10**40:
        return "a number of more than 40 digits"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value) if isinstance(value, (int, float)) else kind_of(value)


def _unquoted(value: object) -> str:
    return " without quotes" if isinstance(value, str) and _NUMERIC.fullmatch(value) else ""


def refused(message: str, allowed: tuple[str, ...] = (), suggestion: str | None = None) -> PydanticCustomError:
    """The error of a value that cannot be read."""
    return PydanticCustomError(
        "quantity", "{problem}", {"problem": message, "allowed": list(allowed), "suggestion": suggestion}
    )


@dataclass(frozen=True, slots=True)
class Quantity:
    """Marks a float field as a quantity of a dimension."""

    dimension: Dimension

    @property
    def phrase(self) -> str:
        """What is expected, with an example."""
        return f"{self.dimension.phrase} such as '{self.dimension.examples[0]}'"

    @property
    def json_schema(self) -> dict[str, Any]:
        """Text of a number and a unit, or 0."""
        sign = "[+-]?" if self.dimension.signed else "[+]?"
        spellings = "|".join(re.escape(unit) for unit in self.dimension.units)
        pattern = rf"^\s*(?:{sign}{_DECIMAL}\s*(?:{spellings})|0)\s*$"
        text = {"type": "string", "pattern": pattern, "examples": list(self.dimension.examples)}
        return {"anyOf": [text, {"const": 0}]}

    def read(self, value: object) -> float:
        """The SI value of a number and unit."""
        try:
            if isinstance(value, str):
                return units.parse(value, self.dimension)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return units.bare(value, self.dimension)
        except UnitError as error:
            raise refused(error.message, error.allowed, error.suggestion) from None
        raise refused(f"expected {self.phrase}, not {kind_of(value)}")

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
        return self.json_schema


@dataclass(frozen=True, slots=True)
class Bare:
    """Marks a float field as a bare finite number."""

    @property
    def phrase(self) -> str:
        """What is expected."""
        return "a number"

    @property
    def json_schema(self) -> dict[str, Any]:
        """A number."""
        return {"type": "number"}

    def read(self, value: object) -> float:
        """The number itself."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refused(f"expected a number{_unquoted(value)}, not {shown(value)}")
        if not abs(value) <= LARGEST_NUMBER:
            raise refused(f"expected a finite number of sensible size, not {shown(value)}")
        return float(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, core_schema.float_schema())


@dataclass(frozen=True, slots=True)
class _Share:
    """Marks a float field as a share: a bare number from 0 to 1, or a percentage."""

    def read(self, value: object) -> float:
        """The share as a number from 0 to 1."""
        given, wanted = value, "a number from 0 to 1, or a percentage such as '30 %'"
        if isinstance(value, str) and len(value) < 200:
            match = _PERCENTAGE.fullmatch(value)
            if match is None:
                raise refused(f"expected {wanted}, not {shown(value)}")
            value = float(match[1]) / 100
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise refused(f"expected {wanted}, not {shown(given)}")
        return float(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        up_to_100 = r"(?:100(?:\.0*)?|[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)"
        percentage = {"type": "string", "pattern": rf"^\s*{up_to_100}\s*%\s*$", "examples": ["30 %"]}
        return {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, percentage]}


@dataclass(frozen=True, slots=True)
class _Integer:
    """Marks an int field as a bare whole number; 1e5 counts as one."""

    def read(self, value: object) -> int:
        """The number itself."""
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or not isinstance(value, (int, float)):
            raise refused(f"expected a whole number{_unquoted(value)}, not {shown(value)}")
        return int(value)

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, core_schema.int_schema())


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
Number = Annotated[float, Bare()]
Whole = Annotated[int, _Integer()]
PositiveNumber = Annotated[Number, Field(gt=0)]
PositiveWhole = Annotated[Whole, Field(ge=1)]
