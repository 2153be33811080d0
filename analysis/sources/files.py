"""What may be opened as rows: a run directory, several, or a file with named columns; and how a database reads it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simoffload.record.durable import RecordError
from simoffload.record.manifest import MANIFEST_FILE
from simoffload.record.parts import part_files
from simoffload.record.rows import LAYOUTS, Layout
from simoffload.schema.problems import nearest

from .database import listed

READERS = {
    ".parquet": "read_parquet({files}, hive_partitioning = false, can_have_nan = true)",
    ".csv": "read_csv({files}, header = true, hive_partitioning = false)",
    ".csv.gz": "read_csv({files}, header = true, hive_partitioning = false)",
    ".tsv": "read_csv({files}, header = true, delim = '\t', hive_partitioning = false)",
}
"""By the end of a file's name.

Unless told otherwise, DuckDB takes a column for free of nan whose least and greatest value are written down in the
file, which leave nan out (duckdb/duckdb#25521): `isnan` is then false of all its values.
"""
_SQL_TYPES = {"q": "BIGINT", "i": "INTEGER", "b": "TINYINT", "d": "DOUBLE"}


@dataclass(frozen=True, slots=True)
class Source:
    """Rows in one place: its path, and what stands behind FROM; text is read once and kept, in the database's form."""

    path: Path
    table: str
    is_text: bool = False


def source_of(path: Path, kind: str) -> Source:
    """A run directory's rows of a kind, or a file's; RecordError when it is neither or cannot be trusted."""
    if path.is_dir():
        return Source(path, _run_table(path, kind))
    if not path.exists():
        raise RecordError(f"there is no '{path}'{_suggestion(path.name, _neighbours(path))}")
    ending = next((each for each in READERS if path.name.lower().endswith(each)), None)
    if ending is None:
        raise RecordError(f"'{path}' is no source of rows; allowed: run directories, {', '.join(READERS)}")
    if path.stat().st_size == 0:
        raise RecordError(f"'{path}' is empty")
    return Source(path, READERS[ending].format(files=listed([path])), is_text=ending != ".parquet")


def _run_table(directory: Path, kind: str) -> str:
    if not (directory / MANIFEST_FILE).is_file():
        raise RecordError(f"'{directory}' is no run directory: it has no {MANIFEST_FILE}")
    layouts = {layout.name: layout for layout in LAYOUTS}
    if kind not in layouts:
        raise RecordError(f"no rows are called '{kind}'; allowed: {', '.join(layouts)}{_suggestion(kind, layouts)}")
    files = part_files(directory, kind)
    return READERS[".parquet"].format(files=listed(files)) if files else _no_rows(layouts[kind])


def _no_rows(layout: Layout) -> str:
    columns = ", ".join(f'NULL::{_SQL_TYPES[column.code]} AS "{column.name}"' for column in layout.columns)
    return f"(SELECT {columns} LIMIT 0)"


def _neighbours(path: Path) -> Sequence[str]:
    try:
        return sorted(os.listdir(path.parent))
    except OSError:
        return []


def _suggestion(word: str, known: Iterable[str]) -> str:
    found = nearest(word, known)
    return "" if found is None else f"; did you mean '{found}'?"


def missing_column(name: str, where: str, columns: Sequence[str]) -> RecordError:
    """The error of asking for a column that is not there."""
    return RecordError(f"{where} has no column '{name}'; it has {', '.join(columns)}{_suggestion(name, columns)}")
