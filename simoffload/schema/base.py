"""What every part of a scenario shares: frozen models that refuse unknown keys, names, modalities, stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from ..quantities import Bare, Quantity, kind_of, refused

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=80)]
"""An identifier: letters, digits, dots, dashes and underscores, at most 80 characters."""

Modality = Literal["text", "image", "audio", "sensor"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
"""Modalities in the order in which the simulator numbers them; text, number 0, is what later stages speak."""

STAGES = ("explain", "analyze", "generate")
"""The three stages of a task, first to last. Only the first one reads raw payloads; the others read text."""


class Frozen(BaseModel):
    """A part of a scenario: immutable once read, and strict about keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class PlainOr:
    """Marks a map with a kind, for which a plain quantity may stand: ``{kind: constant, <key>: quantity}``."""

    key: str
    quantity: Quantity | Bare

    def spell_out(self, value: object) -> object:
        """The map that a plain quantity stands for."""
        if isinstance(value, (dict, BaseModel)):
            return value
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return {"kind": "constant", self.key: value}
        raise refused(f"expected {self.quantity.phrase}, or a map with a kind, not {kind_of(value)}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.spell_out, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [self.quantity.json_schema, handler(schema)]}
