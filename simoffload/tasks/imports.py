"""Graphs from files: workflows in WfFormat, plans in HybridFlow's XML, and plain JSON.

A file says which subtasks there are and which come after which; it may also say how long they are. What it leaves out
is drawn from the workload's stages, as for any template. Files are data from elsewhere: they are read up to a size,
XML without document types or entities, and whatever is wrong is a `GraphError` that names the file and the element.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from xml.parsers import expat

from ..schema.base import MODALITIES, STAGES
from .graph import TEXT, GraphError, TaskGraph, build_graph, stages_by_place

LARGEST_FILE = 20_000_000
"""Bytes of a file that is read."""
MOST_SUBTASKS = 10_000
_LARGEST_NUMBER = 1e12


@dataclass(frozen=True, slots=True)
class Hint:
    """What a file says of a subtask; None where it says nothing."""

    prompt_tokens: float | None = None
    """Own prompt, payload included."""
    output_tokens: float | None = None
    """Expected length of the answer."""
    demand_s: float | None = None
    payload_bytes: float | None = None
    difficulty: float | None = None


_KEYS = ("id", "stage", "modality", "after", *(field.name for field in fields(Hint)))
"""Keys of a subtask in plain JSON."""


@dataclass(frozen=True, slots=True)
class ImportedGraph:
    """A graph with what the file says of each subtask."""

    graph: TaskGraph
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A subtask as a file has it."""

    name: str
    after: Sequence[str]
    hint: Hint
    stage: int | None = None
    """None for the one that its place gives it."""
    modality: int = TEXT


def import_graph(path: str | Path, format: str | None = None) -> ImportedGraph:
    """The graph in a file; GraphError where it is none, OSError where the file cannot be read.

    `format` is wfformat, hybridflow or json; without it a file that ends in .xml is a plan, and one that ends in .json
    is a workflow if it has the key `workflow`, else plain.
    """
    path = Path(path)
    try:
        entries = list(_entries(path, format))
        if len(entries) > MOST_SUBTASKS:
            raise GraphError(f"{len(entries)} subtasks; at most {MOST_SUBTASKS} are read")
        return ImportedGraph(_graph(entries), tuple(entry.hint for entry in entries))
    except GraphError as error:
        raise GraphError(f"{path}: {error}") from None


def _entries(path: Path, format: str | None) -> Iterator[_Entry]:
    with open(path, "rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise GraphError(f"larger than {LARGEST_FILE} bytes")
    if format == "hybridflow" or (format is None and path.suffix.lower() == ".xml"):
        return _plan(content)
    if format is None and path.suffix.lower() != ".json":
        raise GraphError("its name does not tell the format; give one of wfformat, hybridflow, json")
    data = _json(content)
    if format == "wfformat" or (format is None and "workflow" in data):
        return _workflow(data)
    return _plain(data)


def _graph(entries: Sequence[_Entry]) -> TaskGraph:
    places = {entry.name: number for number, entry in enumerate(entries)}
    if len(places) < len(entries):
        twice = next(entry.name for number, entry in enumerate(entries) if places[entry.name] != number)
        raise GraphError(f"two subtasks are called '{twice}'")
    predecessors = []
    for entry in entries:
        for name in entry.after:
            if name not in places:
                raise GraphError(f"subtask '{entry.name}' comes after '{name}', which does not exist")
        predecessors.append([places[name] for name in dict.fromkeys(entry.after)])
    by_place = stages_by_place(predecessors)
    stages = [by_place[number] if entry.stage is None else entry.stage for number, entry in enumerate(entries)]
    return build_graph(stages, [entry.modality for entry in entries], predecessors, list(places))


def _plain(data: Mapping[str, Any]) -> Iterator[_Entry]:
    """`{"subtasks": [{"id": .., "stage": .., "modality": .., "after": [..], "prompt_tokens": .., ..}, ..]}`."""
    for number, item in enumerate(_maps(data, "subtasks", "the file")):
        name = _name(item, "id", f"subtask {number + 1}")
        where = f"subtask '{name}'"
        unknown = [key for key in item if key not in _KEYS]
        if unknown:
            raise GraphError(f"{where}: unknown key '{unknown[0]}'; there are {', '.join(_KEYS)}")
        hint = Hint(
            prompt_tokens=_amount(item, "prompt_tokens", where),
            output_tokens=_amount(item, "output_tokens", where),
            demand_s=_amount(item, "demand_s", where),
            payload_bytes=_amount(item, "payload_bytes", where),
            difficulty=_amount(item, "difficulty", where, least=-_LARGEST_NUMBER),
        )
        modality = _one_of(item, "modality", MODALITIES, where)
        stage = _one_of(item, "stage", STAGES, where)
        yield _Entry(name, _names(item, "after", where), hint, stage, TEXT if modality is None else modality)


def _workflow(data: Mapping[str, Any]) -> Iterator[_Entry]:
    """WfFormat 1.5 or later (github.com/wfcommons/WfFormat).

    A task's measured run time is its demand; its payload is the files it reads that no task writes. Files from task to
    task are not taken over: here tasks hand on answers, whose lengths come from the workload's stages.
    """
    workflow = _map(data, "workflow", "the file")
    specification = _map(workflow, "specification", "workflow")
    tasks = _maps(specification, "tasks", "workflow.specification")
    sizes = {
        _name(file, "id", "a file"): _amount(file, "sizeInBytes", f"file '{file['id']}'") or 0.0
        for file in _maps(specification, "files", "workflow.specification", optional=True)
    }
    runtimes = {
        _name(run, "id", "a task of workflow.execution"): _amount(run, "runtimeInSeconds", f"task '{run['id']}'")
        for run in _maps(_map(workflow, "execution", "workflow", optional=True), "tasks", "execution", optional=True)
    }
    names = [_name(task, "id", f"task {number + 1}") for number, task in enumerate(tasks)]
    parents: dict[str, list[str]] = {name: [] for name in names}
    written: set[str] = set()
    for name, task in zip(names, tasks, strict=True):
        where = f"task '{name}'"
        parents[name] += _names(task, "parents", where)
        written.update(_names(task, "outputFiles", where))
        for child in _names(task, "children", where):
            if child not in parents:
                raise GraphError(f"{where} has the child '{child}', which does not exist")
            parents[child].append(name)
    for name, task in zip(names, tasks, strict=True):
        brought = [file for file in _names(task, "inputFiles", f"task '{name}'") if file not in written]
        payload = math.fsum(sizes.get(file, 0.0) for file in brought) if sizes else None
        yield _Entry(name, parents[name], Hint(demand_s=runtimes.get(name), payload_bytes=payload))


def _plan(content: bytes) -> Iterator[_Entry]:
    """`<Plan><Step ID="2" Task="..." Difficulty="3" Token="30" Rely="1"/></Plan>`, as HybridFlow's planner writes.

    Token is the answer's expected length. Difficulty, 1 to 9, becomes (Difficulty - 5) / 2: from -2 to 2 on the
    logistic scale of the models' skills.
    """
    for number, step in enumerate(_steps(content)):
        name = _name(step, "ID", f"step {number + 1}")
        where = f"step '{name}'"
        difficulty = _amount(step, "Difficulty", where)
        hint = Hint(
            output_tokens=_amount(step, "Token", where),
            difficulty=None if difficulty is None else (difficulty - 5) / 2,
        )
        yield _Entry(name, [before.strip() for before in step.get("Rely", "").split(",") if before.strip()], hint)


def _steps(content: bytes) -> list[dict[str, str]]:
    """The attributes of all Step elements, empty numbers left out."""
    steps: list[dict[str, str]] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag == "Step":
            steps.append({key: value for key, value in attributes.items() if key == "Rely" or value.strip()})

    def refuse(*declaration: object) -> None:
        raise GraphError("a document type or entity is declared; plans are read without either")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, GraphError):
            raise
        raise GraphError(f"no XML: {error}") from None
    if not steps:
        raise GraphError("there is no <Step .../> in it")
    return steps


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise GraphError(f"no JSON: {error}") from None
    if not isinstance(data, dict):
        raise GraphError("expected a map at the top")
    return data


def _map(data: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> Mapping[str, Any]:
    value = data.get(key, {} if optional else None)
    if not isinstance(value, dict):
        raise GraphError(f"{where} needs a map '{key}'")
    return value


def _maps(data: Mapping[str, Any], key: str, where: str, *, optional: bool = False) -> list[dict[str, Any]]:
    value = data.get(key, [] if optional else None)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise GraphError(f"{where} needs a list of maps '{key}'")
    return value


def _name(data: Mapping[str, Any], key: str, where: str) -> str:
    value = data.get(key)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise GraphError(f"{where} needs a name '{key}'")
    return str(value).strip()


def _names(data: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, (str, int)) for item in value):
        raise GraphError(f"{where}: '{key}' is not a list of names")
    return [str(item).strip() for item in value]


def _one_of(data: Mapping[str, Any], key: str, known: Sequence[str], where: str) -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if value not in known:
        raise GraphError(f"{where}: '{key}' is none of {', '.join(known)}")
    return known.index(value)


def _amount(data: Mapping[str, Any], key: str, where: str, *, least: float = 0.0) -> float | None:
    """A number between `least` and 1e12, None where there is none."""
    value = data.get(key)
    if value is None:
        return None
    try:
        amount = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        amount = math.nan
    if not least <= amount <= _LARGEST_NUMBER:
        raise GraphError(f"{where}: '{key}' is no number from {least:g} to {_LARGEST_NUMBER:g}")
    return amount
