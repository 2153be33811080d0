"""Layers: a scenario that extends others, and values set on the command line.

``extends`` names files, seen from the file in which it stands, or bundled scenarios; later ones go over earlier ones
and the extending file over all. Maps merge key by key, lists whose items all have an ``id`` merge by it, all other
values replace. A map that names another ``kind`` replaces what was there, and so does a horizon. Every value keeps the
place where it was written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..quantities import shown
from .document import Mark, Source, Tree, TreePath
from .problems import Problem, ScenarioError, nearest
from .reader import DEEPEST, MOST_VALUES, parse, parse_value, read_source

SUFFIXES = (".yaml", ".yml", ".json")
_DEFAULT_KINDS = ("slots", "constant")
"""Kinds that a map without `kind` has; extending it by that kind is no change."""
_ALTERNATIVES = ("tasks", "time")
"""Keys of the horizon, of which there is one."""
MOST_LAYERS = 64
"""Files that one extends, and that a chain of them goes through."""
_PART = re.compile(r'"([^"]*)"|\'([^\']*)\'|([^."\']+)')


class Layers:
    """Reads files with all that they extend, each once."""

    def __init__(self, bundled: Mapping[str, Path]) -> None:
        self.bundled = bundled
        self._read: dict[str, Tree] = {}

    def file(self, path: Path, shown: str, mark: Mark | None = None, chain: tuple[str, ...] = ()) -> Tree:
        """The tree of a file, over those it extends; `mark` is where `chain`'s last file asked for it."""
        real = os.path.realpath(path)
        if real in chain and mark:
            names = [os.path.basename(name) for name in (*chain[chain.index(real) :], real)]
            raise ScenarioError([mark.problem("extends", f"extends goes in a circle: {' -> '.join(names)}")])
        if len(chain) > MOST_LAYERS and mark:
            raise ScenarioError([mark.problem("extends", f"extends goes through more than {MOST_LAYERS} files")])
        if real not in self._read:
            try:
                source = read_source(path, shown)
            except ScenarioError as error:
                if mark is None:
                    raise
                raise ScenarioError([mark.problem("extends", p.headline) for p in error.problems]) from None
            self._read[real] = self.extended(parse(source), (*chain, real))
        return self._read[real]

    def extended(self, tree: Tree, chain: tuple[str, ...] = ()) -> Tree:
        """A document over those it extends, without the key ``extends``."""
        assert isinstance(tree.value, dict)
        wanted = tree.value.get("extends")
        if wanted is None:
            return tree
        own = {key: value for key, value in tree.value.items() if key != "extends"}
        items = wanted.value if isinstance(wanted.value, list) else [wanted]
        if len(items) > MOST_LAYERS:
            message = f"has {len(items)} items; at most {MOST_LAYERS}"
            raise ScenarioError([tree.key_mark(("extends",)).problem("extends", message)])
        base: Tree | None = None
        for item in items:
            if not isinstance(item.value, str):
                message = "expected a file or the name of a bundled scenario, or a list of them"
                raise ScenarioError([item.mark.problem("extends", message)])
            layer = self._layer(item.value, item.mark, chain)
            base = layer if base is None else merged(base, layer)
        top = Tree(own, tree.mark, {key: mark for key, mark in tree.keys.items() if key != "extends"})
        whole = top if base is None else merged(base, top)
        if whole.size > MOST_VALUES:
            message = f"this and what it extends hold more than {MOST_VALUES} values"
            raise ScenarioError([tree.key_mark(("extends",)).problem("extends", message)])
        return whole

    def _layer(self, name: str, mark: Mark, chain: tuple[str, ...]) -> Tree:
        path = mark.source.directory / name
        if name in self.bundled and not os.path.isfile(path):
            return self.file(self.bundled[name], str(self.bundled[name]), mark, chain)
        if name.endswith(SUFFIXES) or os.path.exists(path):
            shown = os.path.normpath(os.path.join(os.path.dirname(mark.source.name), name))
            return self.file(path, shown, mark, chain)
        message = f"'{name}' is neither a file nor a bundled scenario"
        raise ScenarioError(
            [mark.problem("extends", message, allowed=sorted(self.bundled), suggestion=nearest(name, self.bundled))]
        )


def merged(base: Tree, over: Tree, path: TreePath = ()) -> Tree:
    """`over` laid over `base`."""
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        if path == ("horizon",) or _other_kind(base.value, over.value):
            return over
        fields = dict(base.value)
        for key, value in over.value.items():
            fields[key] = merged(fields[key], value, (*path, key)) if key in fields else value
        return Tree(fields, over.mark, {**base.keys, **over.keys})
    if isinstance(base.value, list) and isinstance(over.value, list) and base.value and over.value:
        ids = [_id(item) for item in base.value]
        if None not in ids and all(_id(item) is not None for item in over.value):
            return _merged_by_id(base.value, ids, over, path)
    return over


def _merged_by_id(base: list[Tree], ids: list[str | None], over: Tree, path: TreePath) -> Tree:
    assert isinstance(over.value, list)
    items = list(base)
    places: dict[str | None, int] = {}
    for place, name in enumerate(ids):
        places.setdefault(name, place)
    for item in over.value:
        place = places.get(_id(item), -1)
        if place >= 0:
            items[place] = merged(items[place], item, (*path, place))
        else:
            items.append(item)
    return Tree(items, over.mark)


def _id(tree: Tree) -> str | None:
    name = tree.value.get("id") if isinstance(tree.value, dict) else None
    return None if name is None or isinstance(name.value, (dict, list)) else str(name.value)


def _other_kind(base: dict[str, Tree], over: dict[str, Tree]) -> bool:
    if "kind" not in over:
        return False
    kind = over["kind"].value
    return kind != base["kind"].value if "kind" in base else kind not in _DEFAULT_KINDS


def overridden(tree: Tree, overrides: Sequence[str]) -> Tree:
    """The tree with each ``path=value`` set in turn; ScenarioError with all that cannot be set."""
    problems: list[Problem] = []
    for text in overrides:
        path, equals, value = text.partition("=")
        mark = Mark(Source(f"--set '{text}'", value, Path.cwd()), 0, 0)
        parts = [a or b or c for a, b, c in _PART.findall(path)]
        try:
            if not equals or not parts or ".".join(parts) != re.sub("[\"']", "", path.strip()):
                raise _Unset("expected path=value, such as edges.text-1.speed=2")
            if len(parts) > DEEPEST:
                raise _Unset(f"more than {DEEPEST} levels deep")
            if parts == ["extends"]:
                raise _Unset("extends cannot be set; name the scenario to start from instead")
            tree = _put(tree, tuple(parts), _marked(parse_value(mark.source), mark), mark)
        except _Unset as error:
            problems.append(mark.problem("", error.args[0], allowed=error.allowed, suggestion=error.suggestion))
        except ScenarioError as error:
            problems += [mark.problem(".".join(parts), problem.message) for problem in error.problems]
    if problems:
        raise ScenarioError(problems)
    return tree


class _Unset(Exception):
    """A value that cannot be set."""

    def __init__(self, message: str, allowed: Sequence[str] = (), suggestion: str | None = None) -> None:
        super().__init__(message)
        self.allowed = allowed
        self.suggestion = suggestion


def _marked(tree: Tree, mark: Mark) -> Tree:
    """The tree with `mark` for every place in it."""
    if isinstance(tree.value, dict):
        fields = {key: _marked(child, mark) for key, child in tree.value.items()}
        return Tree(fields, mark, dict.fromkeys(fields, mark))
    return Tree([_marked(item, mark) for item in tree.value] if isinstance(tree.value, list) else tree.value, mark)


def _put(tree: Tree, parts: tuple[str, ...], value: Tree, mark: Mark, path: TreePath = ()) -> Tree:
    """A copy of the tree with the value at a path; keys that are missing on the way are added."""
    if not parts:
        return value
    if isinstance(tree.value, list):
        number, used = _item(tree.value, parts, ".".join(map(str, path)))
        items = list(tree.value)
        items[number] = _put(items[number], parts[used:], value, mark, (*path, number))
        return Tree(items, tree.mark)
    if tree.value is not None and not isinstance(tree.value, dict):
        place = f"{'.'.join(map(str, path))} is {shown(tree.value)}"
        raise _Unset(f"{place}, which holds no '{parts[0]}'; set it as a whole")
    fields = dict(tree.value or {})
    used = next((n for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in fields), 1)
    key = ".".join(parts[:used])
    if path == ("horizon",) and key in _ALTERNATIVES:
        fields = {name: child for name, child in fields.items() if name not in _ALTERNATIVES or name == key}
    fields[key] = _put(fields.get(key, Tree(None, mark)), parts[used:], value, mark, (*path, key))
    return Tree(fields, tree.mark, {**{name: tree.keys.get(name, mark) for name in fields}, key: mark})


def _item(items: list[Tree], parts: tuple[str, ...], where: str) -> tuple[int, int]:
    """The number of the item that the path names by id or by number, and how many parts its name takes."""
    ids = [_id(item) for item in items]
    for used in range(len(parts), 0, -1):
        name = ".".join(parts[:used])
        if name in ids:
            return ids.index(name), used
    if re.fullmatch("[0-9]{1,9}", parts[0]) and int(parts[0]) < len(items):
        return int(parts[0]), 1
    names = [name for name in ids if name is not None]
    if not names:
        raise _Unset(f"{where} has no item '{parts[0]}'; it has {len(items)}, counted from 0")
    raise _Unset(f"{where} has no item '{parts[0]}'", names, nearest(parts[0], names))
