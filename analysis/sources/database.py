"""A database in memory that reads files where they lie, DuckDB, set up so that equal questions have equal answers.

It works on one thread, because sums of floats depend on their order and threads race; it keeps to a limit of memory
and puts what is more into a temporary folder; it fetches nothing from a network.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simoffload.record.durable import RecordError

MEMORY = "1GB"
"""What the database may use, answers aside."""


class Database:
    """An open database; `close` it to be rid of its temporary folder."""

    __slots__ = ("_connection", "_folder")

    def __init__(self, memory: str = MEMORY) -> None:
        """RecordError when `memory` is no amount, as "1GB" is."""
        import duckdb

        self._folder = TemporaryDirectory(prefix="simoffload-")
        settings: dict[str, Any] = {
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": self._folder.name,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            self._connection = duckdb.connect(config=settings)
        except duckdb.Error as error:
            self._folder.cleanup()
            raise RecordError(f"a database with {memory} of memory cannot be opened: {_first_line(error)}") from None
        self._connection.execute("SET enable_progress_bar = false")
        self._connection.execute("SET python_enable_replacements = false")
        # else max() of a Parquet column that could hold nan is nan, read off the file's statistics (duckdb 2.0.1)
        self._connection.execute("SET disabled_optimizers = 'statistics_propagation'")

    def ask(self, sql: str) -> dict[str, NDArray[Any]]:
        """Execute a statement; its answer's columns by name, with nan among numbers and None elsewhere for gaps.

        RecordError with what the database has against the statement, or against a file.
        """
        import duckdb

        try:
            answer = self._connection.execute(sql).fetchnumpy()
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise RecordError(_first_line(error)) from None
        return {name: _without_mask(column) for name, column in answer.items()}

    def stream(self, sql: str, rows: int) -> Iterator[NDArray[Any]]:
        """The first column of an answer, about so many rows at a time, without gaps; RecordError as for `ask`."""
        import duckdb

        try:
            for batch in self._connection.sql(sql).to_arrow_reader(rows):
                yield batch.column(0).to_numpy(zero_copy_only=False)
        except duckdb.Error as error:
            raise RecordError(_first_line(error)) from None

    def close(self) -> None:
        """Let go of the memory and the temporary folder."""
        self._connection.close()
        self._folder.cleanup()


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def real(number: float) -> str:
    """A float as SQL writes it, to the last bit."""
    return f"{number!r}::DOUBLE"


def listed(files: Sequence[Path]) -> str:
    """A list of files as SQL writes it, each meant as it stands: without patterns, and from the root."""
    return "[" + ", ".join(f"'{_literal(file)}'" for file in files) + "]"


def _literal(file: Path) -> str:
    return re.sub(r"([*?\[])", r"[\1]", os.path.abspath(file)).replace("'", "''")


def _first_line(error: Exception) -> str:
    """What is wrong, without the advice that follows; of a line of CSV all three lines that tell which and what."""
    lines = [line.strip() for line in str(error).splitlines()]
    head = lines[:3] if "CSV Error" in lines[0] else lines[:1]
    return "; ".join(line for line in head if line)


def _without_mask(column: Any) -> NDArray[Any]:
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    if not column.mask.any():
        return np.asarray(column.data)
    is_number = column.dtype.kind in "iufb"
    filled: NDArray[Any] = column.data.astype(np.float64 if is_number else object)
    filled[column.mask] = np.nan if is_number else None
    return filled
