"""`simoffload scenarios`: what comes with the package, to look at and to begin from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..record.durable import RecordError, write_durably
from .refusals import Refused, unknown

if TYPE_CHECKING:
    from ..schema.document import Tree

SCHEMA_FILE = "scenario.schema.json"
_EDITOR_LINE = re.compile(rf"(?<=\$schema=)\S*{re.escape(SCHEMA_FILE)}")


@click.group()
def scenarios() -> None:
    """List, show and copy the scenarios that come with simoffload."""


@scenarios.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print names, questions and files as JSON.")
def list_(as_json: bool) -> None:
    """List the scenarios, each with the question it lets one ask."""
    from ..schema import bundled_scenarios

    found = [(name, question(path.read_text(encoding="utf-8")), path) for name, path in bundled_scenarios().items()]
    if as_json:
        entries = [{"name": name, "question": asked, "file": str(path)} for name, asked, path in found]
        click.echo(json.dumps(entries, indent=2))
    else:
        from .tables import print_table

        print_table(("scenario", "question"), [(name, asked) for name, asked, _ in found])


@scenarios.command()
@click.argument("name")
def show(name: str) -> None:
    """Print a scenario's file."""
    click.echo(_bundled(name).read_text(encoding="utf-8"), nl=False)


@scenarios.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def copy(name: str, file: Path | None) -> None:
    """Copy a scenario, to change it as you like, to FILE or to a file of its own name.

    Files that it names, such as traces, are copied to the same places beside it. What it extends is not: that is found
    by name. Nothing is ever written over.
    """
    source = _bundled(name)
    target = file or Path(source.name)
    if target.is_dir():
        target = target / source.name
    copies = {target: _EDITOR_LINE.sub(SCHEMA_FILE, source.read_text(encoding="utf-8")).encode()}
    copies |= {target.parent / named: (source.parent / named).read_bytes() for named in named_files(source)}
    missing = {path: content for path, content in copies.items() if not _holds(path, content)}
    there = [f"'{path}' is there already and is not written over" for path in missing if path.exists()]
    if there:
        raise Refused(there)
    for path, content in missing.items():
        _write(path, content)
        click.echo(path)


def question(text: str) -> str:
    """The first sentence of a scenario's opening comment; empty if it has none."""
    for line in text.splitlines():
        said = line.removeprefix("#").strip()
        if not line.startswith("#"):
            break
        if said and not said.startswith("yaml-language-server"):
            return said
    return ""


def named_files(scenario: Path) -> list[str]:
    """The files that a scenario file itself names, without those named by what it extends, as they are written."""
    from ..schema.reader import parse, read_source

    return sorted(set(_files(parse(read_source(scenario)))))


def _files(tree: Tree) -> Iterator[str]:
    if isinstance(tree.value, dict):
        for key, child in tree.value.items():
            if key == "file" and isinstance(child.value, str):
                yield child.value
            yield from _files(child)
    elif isinstance(tree.value, list):
        for item in tree.value:
            yield from _files(item)


def _bundled(name: str) -> Path:
    from ..schema import bundled_scenarios

    known = bundled_scenarios()
    if name not in known:
        raise Refused([unknown("scenario", name, known)])
    return known[name]


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
    except OSError as error:
        raise click.ClickException(f"cannot write '{path}': {error.strerror or error}") from None
    except RecordError as error:
        raise click.ClickException(str(error)) from None
