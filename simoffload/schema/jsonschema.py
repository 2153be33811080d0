"""The JSON Schema of scenario files, for editors: what may stand where, with each key's description.

It accepts what the loader accepts short of what a schema cannot say (names that must exist, graphs that must have an
order). A file that extends another may leave out any key, as the other may have it.
"""

from __future__ import annotations

import ast
import copy
import inspect
import sys
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from .scenario import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PARTIAL = "-in-part"
_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}


def json_schema() -> dict[str, Any]:
    """The schema of a scenario file, of draft 2020-12."""
    whole = Scenario.model_json_schema(schema_generator=_Generator)
    definitions = whole.pop("$defs")
    extends = {
        "description": "What this scenario extends: files, or names of bundled scenarios; later ones win.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    part = _in_part(whole)
    part["properties"]["extends"] = extends
    definitions |= {name + _PARTIAL: _in_part(definition) for name, definition in definitions.items()}
    definitions |= {"Scenario": whole, "Scenario" + _PARTIAL: part}
    return {
        "$schema": DIALECT,
        "title": "simoffload scenario",
        "if": {"type": "object", "required": ["extends"]},
        "then": {"$ref": "#/$defs/Scenario" + _PARTIAL},
        "else": {"$ref": "#/$defs/Scenario"},
        "$defs": definitions,
    }


class _Generator(GenerateJsonSchema):
    """Adds the docstrings below fields as descriptions, asks for each `kind`, and writes defaults with their units."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        if "kind" in result.get("properties", {}):
            result["required"] = list(dict.fromkeys(["kind", *result.get("required", [])]))
        for name, description in _field_docstrings(schema["cls"]).items():
            if name in result.get("properties", {}):
                result["properties"][name].setdefault("description", description)
        return result

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        result = super().function_after_schema(schema)
        if result.get("type") in ("number", "integer"):
            bounds: dict[str, Any] = getattr(schema["function"]["function"], "keywords", {})
            result |= {_BOUNDS[name]: value for name, value in bounds.items() if name in _BOUNDS}
        return result

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        result = super().default_schema(schema)
        written = schema["schema"].get("serialization", {}).get("function")
        default = schema.get("default")
        if written is not None and isinstance(default, float):
            result["default"] = written(default)
        elif isinstance(default, BaseModel):
            result["default"] = default.model_dump(mode="json", exclude_none=True)
        return result


def _field_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The strings that stand below the fields of a model and of those it extends."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        module = sys.modules[cls.__module__]
        if module.__name__.startswith(__name__.rpartition(".")[0]):
            found |= _docstrings_of(module.__name__).get(cls.__name__.partition("[")[0], {})
    return found


@cache
def _docstrings_of(module: str) -> dict[str, dict[str, str]]:
    """By class and field, the string statements that follow the fields of a module's classes."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return {
        node.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in zip(node.body, node.body[1:], strict=False)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for node in classes
    }


def _in_part(schema: Any) -> Any:
    """The schema with no key required, referring to definitions changed likewise."""
    if isinstance(schema, list):
        return [_in_part(item) for item in schema]
    if not isinstance(schema, dict):
        return copy.copy(schema)
    changed = {}
    for key, value in schema.items():
        if key == "$ref":
            changed[key] = value + _PARTIAL
        elif key == "oneOf":
            changed["anyOf"] = _in_part(value)
        elif key not in ("required", "discriminator"):
            changed[key] = _in_part(value)
    return changed
