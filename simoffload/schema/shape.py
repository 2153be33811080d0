"""The shape of the models: which annotation stands at a place that a validation error names.

A pydantic location such as ``('edges', 0, 'uplink', 'Link', 'channel', 'constant', 'rate')`` mixes the way through
the data with the members of unions that were tried. Walking the models alongside tells one from the other, and finds
the model whose keys, or the quantity whose unit, a message has to name.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from ..quantities import Quantity
from .document import TreePath


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error is: the way through the data, what may stand there, which members of open unions were taken."""

    path: TreePath
    kinds: tuple[object, ...]
    forks: tuple[tuple[TreePath, str], ...] = ()
    is_key: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the models that may stand there."""
        return tuple(dict.fromkeys(key for kind in self.kinds for key in _fields(kind)))

    @property
    def quantity(self) -> Quantity | None:
        """The quantity that is read there."""
        marks = [mark for kind in self.kinds for mark in getattr(kind, "__metadata__", ())]
        return next((mark for mark in marks if isinstance(mark, Quantity)), None)

    @property
    def words(self) -> tuple[str, ...]:
        """The words of a literal, or the kinds of a map, that may stand there."""
        return tuple(dict.fromkeys(str(word) for kind in self.kinds for word in _words(kind)))

    @property
    def expected(self) -> list[str]:
        """What may stand there, in words."""
        return list(dict.fromkeys(_in_words(kind) for kind in self.kinds))


def place_of(model: type[BaseModel], location: Sequence[str | int]) -> Place:
    """The place that a location of a validation error of `model` names."""
    path: list[str | int] = []
    forks: list[tuple[TreePath, str]] = []
    kinds: tuple[object, ...] = (model,)
    around: tuple[object, ...] = ()
    for part in location:
        if part == "[key]" and _keys_of(around):
            return Place(tuple(path), _keys_of(around), tuple(forks), is_key=True)
        if len(kinds) > 1:
            if not all(_model(kind) for kind in kinds):
                forks.append((tuple(path), str(part)))
            kinds = tuple(kind for kind in kinds if _is_tagged(kind, str(part)))
            continue
        path.append(part)
        around, kinds = kinds, _members(_child(kinds[0], part)) if kinds else ()
    return Place(tuple(path), kinds, tuple(forks))


def _members(annotation: object) -> tuple[object, ...]:
    """The members of a union, None left out, each with the metadata around it."""
    bare, metadata = _bare(annotation)
    if get_origin(bare) in (Union, types.UnionType):
        members = [member for part in get_args(bare) if part is not type(None) for member in _members(part)]
        return tuple(members)
    return (Annotated[(bare, *metadata)],) if metadata else (bare,)


def _bare(annotation: object) -> tuple[Any, tuple[object, ...]]:
    if get_origin(annotation) is Annotated:
        bare, *metadata = get_args(annotation)
        return bare, tuple(metadata)
    return annotation, ()


def _model(kind: object) -> type[BaseModel] | None:
    bare, _ = _bare(kind)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _fields(kind: object) -> tuple[str, ...]:
    model = _model(kind)
    return tuple(model.model_fields) if model else ()


def _child(kind: object, part: str | int) -> object:
    model = _model(kind)
    if model:
        field = model.model_fields.get(str(part))
        if field is None:
            return None
        return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
    bare, _ = _bare(kind)
    arguments = get_args(bare)
    return arguments[-1] if get_origin(bare) in (list, dict) and arguments else None


def _keys_of(kinds: tuple[object, ...]) -> tuple[object, ...]:
    dicts = [get_args(_bare(kind)[0]) for kind in kinds if get_origin(_bare(kind)[0]) is dict]
    return tuple(_members(arguments[0])[0] for arguments in dicts if arguments)


def _words(kind: object) -> tuple[object, ...]:
    model = _model(kind)
    if model:
        return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
    bare, _ = _bare(kind)
    return get_args(bare) if get_origin(bare) is Literal else ()


def _is_tagged(kind: object, tag: str) -> bool:
    model = _model(kind)
    if model:
        return tag in (_words(kind) or (model.__name__,))
    bare, _ = _bare(kind)
    origin = get_origin(bare)
    if origin is Literal:
        return tag.startswith("literal")
    if origin is list:
        return tag.startswith("list")
    return not tag.startswith(("literal", "list")) and tag[:1].islower()


def _in_words(kind: object) -> str:
    bare, _ = _bare(kind)
    origin = get_origin(bare)
    if _model(kind):
        return "a map"
    if origin is Literal:
        return " or ".join(f"'{value}'" for value in get_args(bare))
    if origin is list:
        items = " of names" if _bare(get_args(bare)[0])[0] is str else ""
        return f"a list{items}"
    return {dict: "a map", str: "a name", float: "a number", int: "a whole number"}.get(origin or bare, "another value")
