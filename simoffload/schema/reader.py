"""YAML text, read into a document.

Scalars follow YAML 1.2: ``1e-3`` is a number, ``no`` and ``12:30:45`` are text, ``017`` is 17. A key given twice is an
error. Nothing but text, numbers, true, false, null, lists and maps can come out of a file, whatever its tags say, and
nesting, size and what aliases expand to are bounded. JSON is read as the YAML it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import yaml

from .document import Mark, Scalar, Source, Tree
from .problems import Problem, ScenarioError

LARGEST_FILE = 32 * 2**20
"""Bytes; longer scenario files are refused."""
DEEPEST = 64
"""Levels of lists and maps, aliases included."""
MOST_VALUES = 2_000_000
"""Values of a document once its aliases are written out."""

_LONGEST_INTEGER = 400
"""Characters; longer ones are beyond all floats."""
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}
_YAML = "tag:yaml.org,2002:"
_SCALAR_TAGS: dict[str, tuple[type, ...]] = {
    f"{_YAML}str": (str,),
    f"{_YAML}int": (int,),
    f"{_YAML}float": (float, int),
    f"{_YAML}bool": (bool,),
    f"{_YAML}null": (type(None),),
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_source(path: Path, shown: str | None = None) -> Source:
    """A scenario file's text; ScenarioError if it is none."""
    name = shown or str(path)
    try:
        mode = path.stat().st_mode
        data = _start_of(path) if S_ISREG(mode) else None
    except FileNotFoundError:
        raise _unreadable(name, "no such file") from None
    except (OSError, ValueError) as error:
        raise _unreadable(name, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if data is None:
        raise _unreadable(name, "is a directory, not a file" if S_ISDIR(mode) else "is not a regular file")
    if len(data) > LARGEST_FILE:
        raise _unreadable(name, f"is larger than {LARGEST_FILE // 2**20} MiB; a scenario is text and far smaller")
    if b"\x00" in data:
        raise _unreadable(name, "is a binary file; a scenario is UTF-8 text")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _unreadable(name, f"is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}") from None
    return Source(name, text, path.absolute().parent)


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE + 1)


def parse(source: Source) -> Tree:
    """The tree of a document with a map at its root; ScenarioError says what is wrong with it."""
    tree = parse_value(source)
    if not isinstance(tree.value, dict):
        empty = tree.value is None
        raise ScenarioError([tree.mark.problem("", "is empty" if empty else "expected keys and values at the top")])
    return tree


def parse_value(source: Source) -> Tree:
    """Like `parse`, for a document of any kind."""
    return _Builder(source).build()


def scalar(text: str) -> Scalar:
    """The value of an unquoted scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        if len(text) >= _LONGEST_INTEGER:
            return float(text) if base == 10 else math.inf
        return int(text[2:], base) if base != 10 else int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    return (-math.inf if infinite[1] == "-" else math.inf) if infinite else text


def _unreadable(name: str, message: str) -> ScenarioError:
    return ScenarioError([Problem(name, 0, 0, "", message)])


@dataclass(slots=True)
class _Open:
    """A list or map whose end has not been seen."""

    mark: Mark
    anchor: str | None
    items: list[Tree]
    fields: dict[str, Tree] | None = None
    keys: dict[str, Mark] = field(default_factory=dict)
    key: tuple[str, Mark, bool] | None = None
    """Key that waits for its value, and whether it is the merge key."""
    merged: list[Tree] = field(default_factory=list)


class _Builder:
    """Builds the tree from the reader's events with a stack of its own, so that no nesting exhausts Python's."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.anchors: dict[str, Tree | None] = {}
        self.open: list[_Open] = []
        self.root: Tree | None = None

    def build(self) -> Tree:
        """Read to the end."""
        for event in self._events():
            self._take(event)
        if self.problems:
            raise ScenarioError(self.problems)
        return self.root or Tree(None, Mark(self.source, 0, 0))

    def _events(self) -> Iterator[yaml.Event]:
        try:
            yield from yaml.parse(self.source.text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            raise ScenarioError([*self.problems, self._syntax(error)]) from None
        except yaml.reader.ReaderError as error:
            line = self.source.text.count("\n", 0, error.position) + 1
            column = error.position - self.source.text.rfind("\n", 0, error.position)
            character = error.character if isinstance(error.character, str) else chr(error.character)
            message = f"character {character!r} cannot stand in a YAML file"
            raise ScenarioError([*self.problems, Mark(self.source, line, column).problem("", message)]) from None
        except UnicodeError:
            raise ScenarioError([Mark(self.source, 0, 0).problem("", "is not UTF-8 text")]) from None

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        place = error.problem_mark or error.context_mark
        mark = Mark(self.source, place.line + 1, place.column + 1) if place else Mark(self.source, 0, 0)
        message = error.problem or error.context or "cannot be read"
        if "\t" in self.source.line(mark.line)[: mark.column]:
            message = "a tab indents this line; use spaces"
        elif "mapping values are not allowed" in message:
            message = "a second ':' in one line; quote the text that holds it, or start a new line"
        elif error.context and error.context_mark and error.context_mark.line + 1 != mark.line:
            message += f" ({error.context} that starts in line {error.context_mark.line + 1})"
        return mark.problem("", f"not valid YAML: {message}")

    def _take(self, event: yaml.Event) -> None:
        start = event.start_mark
        mark = Mark(self.source, start.line + 1, start.column + 1) if start else Mark(self.source, 0, 0)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, mark)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, mark)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._start(event, mark)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self._end()
        elif isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise self._fatal(mark, "a second document starts here; a scenario is one document")

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        if not event.value.isascii() and _SURROGATE.search(event.value):
            raise self._fatal(mark, "not valid YAML: found invalid Unicode character")
        if self._wants_key():
            self._key(event.value, event.implicit[0] and event.value == "<<", mark)
            return
        value: Scalar = event.value
        if event.tag not in (None, "!"):
            value = self._tagged(event.value, event.tag, mark)
        elif event.tag is None and event.implicit[0]:
            value = scalar(event.value)
        self._add(Tree(value, mark), event.anchor)

    def _tagged(self, text: str, tag: str, mark: Mark) -> Scalar:
        kinds = _SCALAR_TAGS.get(tag)
        if kinds is None:
            self._unknown_tag(tag, mark)
            return text
        value = text if kinds == (str,) else scalar(text)
        if not isinstance(value, kinds):
            self.problems.append(mark.problem("", f"{text!r} is no {tag.removeprefix(_YAML)}, as its tag says"))
        return value

    def _unknown_tag(self, tag: str, mark: Mark) -> None:
        shown = tag.replace(_YAML, "!!", 1)
        self.problems.append(mark.problem("", f"tag '{shown}' is not allowed; write plain values"))

    def _wants_key(self) -> bool:
        return bool(self.open) and self.open[-1].fields is not None and self.open[-1].key is None

    def _key(self, text: str, merges: bool, mark: Mark) -> None:
        here = self.open[-1]
        here.key = (text, mark, merges)
        if merges:
            return
        if text in here.keys:
            first = here.keys[text].line
            self.problems.append(mark.problem("", f"duplicate key '{text}' (first in line {first})"))
        else:
            here.keys[text] = mark

    def _alias(self, name: str | None, mark: Mark) -> None:
        if self._wants_key():
            raise self._fatal(mark, "an alias cannot stand for a key")
        if name is None or name not in self.anchors:
            raise self._fatal(mark, f"alias '*{name}' has no anchor '&{name}' before it")
        tree = self.anchors[name]
        if tree is None:
            raise self._fatal(mark, f"alias '*{name}' stands inside the value it is an alias of")
        self._add(tree, None)

    def _start(self, event: yaml.CollectionStartEvent, mark: Mark) -> None:
        is_map = isinstance(event, yaml.MappingStartEvent)
        if self._wants_key():
            raise self._fatal(mark, f"a {'map' if is_map else 'list'} cannot be a key")
        if len(self.open) >= DEEPEST:
            raise self._fatal(mark, f"nested more than {DEEPEST} levels deep")
        if event.tag not in (None, "!", _YAML + ("map" if is_map else "seq")):
            self._unknown_tag(event.tag, mark)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.open.append(_Open(mark, event.anchor, [], {} if is_map else None))

    def _end(self) -> None:
        done = self.open.pop()
        if done.fields is None:
            tree = Tree(done.items, done.mark)
        else:
            fields, keys = done.fields, done.keys
            for other in done.merged:
                inherited = other.value if isinstance(other.value, dict) else {}
                fields = {**inherited, **fields}
                keys = {**other.keys, **keys}
            tree = Tree(fields, done.mark, keys)
        self._add(tree, done.anchor)

    def _add(self, tree: Tree, anchor: str | None) -> None:
        if tree.depth + len(self.open) > DEEPEST:
            raise self._fatal(tree.mark, f"nested more than {DEEPEST} levels deep")
        if tree.size > MOST_VALUES:
            raise self._fatal(tree.mark, f"its aliases expand to more than {MOST_VALUES} values")
        if anchor:
            self.anchors[anchor] = tree
        if not self.open:
            self.root = tree
            return
        here = self.open[-1]
        if here.fields is None:
            here.items.append(tree)
            return
        assert here.key is not None
        (key, mark, merges), here.key = here.key, None
        if merges:
            here.merged.extend(self._mergeable(tree, mark))
        else:
            here.fields.setdefault(key, tree)

    def _mergeable(self, tree: Tree, mark: Mark) -> list[Tree]:
        items = tree.value if isinstance(tree.value, list) else [tree]
        if not all(isinstance(item.value, dict) for item in items):
            self.problems.append(mark.problem("", "'<<' merges a map, or a list of maps, into this one"))
        return items

    def _fatal(self, mark: Mark, message: str) -> ScenarioError:
        return ScenarioError([*self.problems, mark.problem("", message)])
