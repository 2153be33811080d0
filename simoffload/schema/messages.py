"""Messages: what a validation found, said in the words of a scenario and at the place in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from .. import units
from ..quantities import kind_of, shown
from .document import Tree
from .problems import Problem, nearest
from .scenario import Scenario
from .shape import Place, place_of

NEWEST_SCHEMA = 1
MOST_ERRORS = 2000
"""As many errors of a validation are told."""

Details = Mapping[str, Any]
"""One error as pydantic describes it."""
Said = tuple[str, Sequence[str], str | None]
"""A message, what is allowed, and what was probably meant."""

_WRONG_KIND = {"string_type", "list_type", "dict_type", "model_type", "model_attributes_type", "literal_error"}


def problems_of(error: ValidationError, model: type[BaseModel], tree: Tree) -> list[Problem]:
    """Everything a validation found wrong, unions reduced to the one message that helps."""
    found = [(place_of(model, one["loc"]), one) for one in error.errors(include_url=False)[:MOST_ERRORS]]
    return [_problem(model, place, one, tree) for place, one in _reduced(found)]


def _reduced(found: Sequence[tuple[Place, Details]]) -> Iterable[tuple[Place, Details]]:
    """Of the errors of a union's members only those of the member that was meant, or one that names the members."""
    groups: dict[object, list[tuple[Place, Details]]] = {}
    for number, (place, one) in enumerate(found):
        groups.setdefault(place.forks[0][0] if place.forks else number, []).append((place, one))
    for group in groups.values():
        yield from _of_union(group) if group[0][0].forks else group


def _of_union(group: list[tuple[Place, Details]]) -> list[tuple[Place, Details]]:
    path = group[0][0].forks[0][0]
    meant = [(place, one) for place, one in group if place.path != path or one["type"] not in _WRONG_KIND]
    words = [word for place, one in group if one["type"] == "literal_error" for word in place.words]
    if not meant:
        kinds = tuple(kind for place, _ in group for kind in place.kinds)
        return [(Place(path, kinds), {**group[0][1], "type": "none_of_union"})]
    place, one = meant[0]
    if words and one["type"] == "quantity" and one["ctx"]["allowed"]:
        context = {**one["ctx"], "allowed": [*one["ctx"]["allowed"], *words]}
        if isinstance(one["input"], str):
            context["suggestion"] = nearest(one["input"], words) or context["suggestion"]
        return [(place, {**one, "ctx": context})]
    return meant


def _problem(model: type[BaseModel], place: Place, one: Details, tree: Tree) -> Problem:
    path = place.path
    if one["type"] == "extra_forbidden":
        key, allowed = str(one["loc"][-1]), place_of(model, one["loc"][:-1]).keys
        if model is Scenario and len(path) == 1:
            allowed = (*allowed, "extends")
        said: Said = (f"unknown key '{key}'", allowed, nearest(key, allowed))
        mark, where = tree.key_mark(path), path[:-1]
    elif one["type"] in ("missing", "union_tag_not_found"):
        where = path[:-1] if one["type"] == "missing" else path
        key = str(path[-1]) if one["type"] == "missing" else "kind"
        said = (f"missing key '{key}'", place.words if key == "kind" else (), None)
        mark = tree.key_mark(where)
    else:
        said = _SAYINGS.get(one["type"], _anything_else)(place, one)
        whole = place.is_key or one["type"] == "value_error"
        mark, where = tree.key_mark(path) if whole else tree.find(path).mark, path
        if one["type"] == "union_tag_invalid":
            mark, where = tree.find((*path, "kind")).mark, (*path, "kind")
    return mark.problem(tree.where(where), said[0], allowed=said[1], suggestion=said[2])


def _quantity(place: Place, one: Details) -> Said:
    context = one["ctx"]
    return context["problem"], context["allowed"], context["suggestion"]


def _bound(relation: str, name: str) -> Callable[[Place, Details], Said]:
    def say(place: Place, one: Details) -> Said:
        limit = one["ctx"][name]
        quantity = place.quantity
        text = units.write(float(limit), quantity.dimension) if quantity else shown(limit)
        given = one["input"] if isinstance(one["input"], str) else shown(one["input"])
        return f"must be {relation} {text}, not {given}", (), None

    return say


def _literal(place: Place, one: Details) -> Said:
    given = one["input"]
    name = "modality" if place.is_key or "modalities" in place.path[-2:-1] else str(place.path[-1])
    if name == "schema_version" and given == str(NEWEST_SCHEMA):
        return f"expected {given} without quotes", (), None
    if name == "schema_version" and isinstance(given, (int, str)) and not isinstance(given, bool):
        return f"unknown schema_version {shown(given)}; the newest known is {NEWEST_SCHEMA}", (), None
    if not isinstance(given, str):
        return f"expected {_either(place.words)}, not {shown(given)}", (), None
    return f"unknown {name} {shown(given)}", place.words, nearest(given, place.words)


def _kind(place: Place, one: Details) -> Said:
    tag = str(one["ctx"]["tag"])
    return f"unknown kind {shown(tag)}", place.words, nearest(tag, place.words)


def _text(place: Place, one: Details) -> Said:
    given = one["input"]
    if isinstance(given, (bool, int, float)):
        return f"expected text, not {shown(given)}; put it in quotes", (), None
    return f"expected text, not {kind_of(given)}", (), None


def _name(place: Place, one: Details) -> Said:
    given = shown(one["input"])
    return f"{given} is no name: letters, digits, '.', '_' and '-', beginning with a letter or a digit", (), None


def _long_name(place: Place, one: Details) -> Said:
    return f"{shown(one['input'])} has more than {one['ctx']['max_length']} characters", (), None


def _short(place: Place, one: Details) -> Said:
    least, has = one["ctx"]["min_length"], one["ctx"]["actual_length"]
    return f"{'is empty' if has == 0 else f'has only {has}'}; at least {least} needed", (), None


def _long(place: Place, one: Details) -> Said:
    return f"has more than {one['ctx']['max_length']} items", (), None


def _wrong_kind(expected: str) -> Callable[[Place, Details], Said]:
    return lambda place, one: (f"expected {expected}, not {_given(one['input'])}", (), None)


def _none_of_union(place: Place, one: Details) -> Said:
    given, words = one["input"], place.words
    suggestion = nearest(given, words) if isinstance(given, str) else None
    return f"expected {' or '.join(place.expected)}, not {_given(given)}", (), suggestion


def _value(place: Place, one: Details) -> Said:
    return str(one["ctx"]["error"]), (), None


def _anything_else(place: Place, one: Details) -> Said:
    return f"{shown(one['input'])} cannot stand here", (), None


def _given(value: object) -> str:
    return kind_of(value) if value is None or isinstance(value, (list, dict)) else shown(value)


def _either(words: Sequence[str]) -> str:
    return " or ".join(words)


_SAYINGS: dict[str, Callable[[Place, Details], Said]] = {
    "quantity": _quantity,
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
    "literal_error": _literal,
    "union_tag_invalid": _kind,
    "string_type": _text,
    "string_pattern_mismatch": _name,
    "string_too_long": _long_name,
    "too_short": _short,
    "too_long": _long,
    "bool_type": _wrong_kind("true or false"),
    "list_type": _wrong_kind("a list"),
    "dict_type": _wrong_kind("a map"),
    "model_type": _wrong_kind("a map"),
    "model_attributes_type": _wrong_kind("a map"),
    "none_of_union": _none_of_union,
    "value_error": _value,
}
