"""Names: everything that a scenario refers to must exist, and every id must be given once.

These checks look at the plain data, so that a wrong name is reported together with whatever else is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from .base import NAME_PATTERN
from .document import TreePath
from .findings import Finding, unknown
from .problems import nearest
from .scenario import Catalogue

_LINKS = ("uplink", "downlink", "lan")
_MOST_ITEMS = 20_000
"""Of a list so many are looked at; there is none of which a scenario may hold as many."""


def name_findings(data: Any, bundled: Catalogue) -> Iterator[Finding]:
    """Unknown names and duplicate ids of a scenario's plain data, which may be wrong in any other way."""
    edges, clouds = list(_items(data, "edges")), list(_items(data, "clouds"))
    sites, workloads = list(_items(data, "sites")), list(_items(data, "workloads"))
    own = _map(data, "catalogue")
    hardware = {**bundled.hardware, **_map(own, "hardware")}
    models = {**bundled.models, **_map(own, "models")}
    prices = {**bundled.prices, **_map(own, "prices")}
    yield from _duplicates([*edges, *clouds], "node")
    yield from _duplicates(sites, "site")
    yield from _duplicates(workloads, "workload")
    for path, node in [*edges, *clouds]:
        yield from _text(path, node, "hardware", "hardware", hardware)
        yield from _texts((*path, "models"), node.get("models"), "model", models)
        yield from _repeated((*path, "models"), node.get("models"), "model")
        yield from _laws_of_node(path, node)
        yield from _text(path, node, "price", "price", prices)
        for kind in _LINKS:
            yield from _text(path, node, kind, "link", _map(data, "links"))
    site_names = _ids(sites) or ["plant"]
    for path, edge in edges:
        yield from _text(path, edge, "site", "site", site_names)
    for path, law in _items(own, "laws"):
        yield from _text(("catalogue", *path), law, "hardware", "hardware", hardware)
        yield from _text(("catalogue", *path), law, "model", "model", models)
    homes = _ids(edges)
    for path, workload in workloads:
        if homes:
            yield from _texts((*path, "homes"), workload.get("homes"), "edge node", homes)
        yield from _repeated((*path, "homes"), workload.get("homes"), "home")
        yield from _written((*path, "template"), _map(workload, "template"))


def _map(data: Any, key: str) -> dict[str, Any]:
    value = data.get(key) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


def _items(data: Any, key: str) -> Iterator[tuple[TreePath, dict[str, Any]]]:
    value = data.get(key) if isinstance(data, dict) else None
    for number, item in enumerate(islice(value, _MOST_ITEMS) if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield (key, number), item


def _ids(items: Iterable[tuple[TreePath, dict[str, Any]]]) -> list[str]:
    return [item["id"] for _, item in items if isinstance(item.get("id"), str)]


def _duplicates(items: Iterable[tuple[TreePath, dict[str, Any]]], what: str) -> Iterator[Finding]:
    seen = set()
    for path, item in items:
        name = item.get("id")
        if isinstance(name, str):
            if name in seen:
                yield Finding((*path, "id"), f"duplicate {what} id '{name}'")
            seen.add(name)


def _text(path: TreePath, item: dict[str, Any], key: str, what: str, known: Iterable[str]) -> Iterator[Finding]:
    name = item.get(key)
    if isinstance(name, str) and name not in known and re.match(NAME_PATTERN, name):
        yield unknown((*path, key), what, name, known)


def _texts(path: TreePath, names: Any, what: str, known: Iterable[str]) -> Iterator[Finding]:
    names = list(islice(names, _MOST_ITEMS)) if isinstance(names, list) else []
    if names:
        known = dict.fromkeys(known)
    for number, name in enumerate(names):
        if isinstance(name, str) and name not in known:
            yield unknown((*path, number), what, name, known)


def _laws_of_node(path: TreePath, node: dict[str, Any]) -> Iterator[Finding]:
    models = node.get("models")
    hosted = [name for name in models if isinstance(name, str)] if isinstance(models, list) else []
    for name in _map(node, "law"):
        if name not in hosted:
            message = f"this node hosts no model '{name}'"
            yield Finding((*path, "law", name), message, tuple(hosted), nearest(name, hosted), at_key=True)


def _repeated(path: TreePath, names: Any, what: str) -> Iterator[Finding]:
    seen = set()
    for number, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str):
            if name in seen:
                yield Finding((*path, number), f"{what} '{name}' is listed twice")
            seen.add(name)


def _written(path: TreePath, template: dict[str, Any]) -> Iterator[Finding]:
    subtasks = [((*path, *way), subtask) for way, subtask in _items(template, "subtasks")]
    yield from _duplicates(subtasks, "subtask")
    known = _ids(subtasks)
    for way, subtask in subtasks:
        yield from _texts((*way, "after"), subtask.get("after"), "subtask", known)
