"""Part files: rows as Parquet, each file written whole, so that a run that is killed loses only what was in memory.

Numbers of tasks are stored as differences, other whole numbers by dictionary. Floats are stored byte by byte of equal
weight, which packs what neighbours have in common; but as they are where some recur, like the instant at which several
subtasks of a task become ready, because a value that is split into bytes is not found again. All are compressed with
zstd, and read back bit for bit; rows may be rounded before.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .durable import RecordError, contents, write_durably
from .manifest import ROWS_PER_PART, PartInfo, read_manifest
from .rounding import EXACT, Rounding
from .rows import LAYOUTS, Layout, as_array

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

_SAMPLE = 4096
"""Rows at the beginning of a part by which the encoding of a column of floats is chosen."""
_RECURRING = 0.25, 0.75
"""Floats of which so large a share is distinct are stored as they are: of fewer ones, each byte has few values, too."""
_LABEL = b"simoffload.rows"
_hash = partial(blake2b, digest_size=16)


class PartWriter:
    """Writes rows of a layout as `<layout>/part-<number>.parquet` in a run directory.

    `parts` lists what has been written; the caller puts it into the manifest, without which nobody reads it. Pickles
    with the rows held back and the number of parts: `continue_in` says where they are and which they were. Rows are
    written as they are, or rounded.
    """

    __slots__ = ("_directory", "_layout", "_listed", "_pending", "_rounding", "_size", "_written", "parts")

    def __init__(
        self, run_directory: Path, layout: Layout, rows_per_part: int = ROWS_PER_PART, rounding: Rounding = EXACT
    ) -> None:
        self._directory = run_directory
        self._layout = layout
        self._rounding = rounding
        self._size = layout.size * rows_per_part
        self._pending = bytearray()
        self.parts: tuple[PartInfo, ...] = ()
        self._listed: dict[str, str] = {}
        """Files that must come out as they were, and their hashes."""

    def repeat(self, listed: Sequence[PartInfo]) -> None:
        """Refuse to replace any of these parts by another one."""
        self._listed = {part.file: part.blake2b for part in listed}

    def continue_in(self, run_directory: Path, listed: Sequence[PartInfo]) -> None:
        """Go on from a pickle; of `listed` parts the first ones are its own. RecordError when there are fewer."""
        own = [part for part in listed if part.file.startswith(f"{self._layout.name}/")]
        if len(own) < self._written:
            raise RecordError(f"{run_directory} lists {len(own)} parts of '{self._layout.name}' of {self._written}")
        self._directory = run_directory
        self.parts = tuple(own[: self._written])

    def __getstate__(self) -> tuple[Layout, int, bytes, int, Rounding]:
        return self._layout, self._size, bytes(self._pending), len(self.parts), self._rounding

    def __setstate__(self, state: tuple[Layout, int, bytes, int, Rounding]) -> None:
        self._layout, self._size, pending, self._written, self._rounding = state
        self._pending = bytearray(pending)
        self._listed = {}

    def write(self, rows: bytes | bytearray | memoryview) -> bool:
        """Take rows; whether that completed a part. RecordError when a part cannot be written: its rows are kept."""
        self._pending += rows
        before = len(self.parts)
        while len(self._pending) >= self._size:
            self._write_part(self._size)
        return len(self.parts) > before

    def flush(self) -> bool:
        """Write the rows held back, if any, as a smaller part; whether there were any."""
        if not self._pending:
            return False
        self._write_part(len(self._pending))
        return True

    def _write_part(self, size: int) -> None:
        rows = self._rounding.of(self._layout, bytes(memoryview(self._pending)[:size]))
        file = f"{self._layout.name}/part-{len(self.parts):05}.parquet"
        path = self._directory / file
        content = _to_parquet(self._layout, rows)
        digest = _hash(content).hexdigest()
        if self._listed.get(file, digest) != digest:
            raise RecordError(
                f"{self._directory}: {file} does not come out as it was before the run was interrupted, so the run "
                "does not repeat itself: has its agent changed, or does it draw random numbers of its own?"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"cannot write {path}: {error.strerror}") from error
        write_durably(path, content)
        first, last = _span(self._layout, rows)
        part = PartInfo(
            file=file,
            rows=size // self._layout.size,
            first_s=first,
            last_s=last,
            blake2b=digest,
        )
        self.parts = (*self.parts, part)
        del self._pending[:size]


def _span(layout: Layout, rows: bytes) -> tuple[float | None, float | None]:
    """First and last time of the rows, those without one (nan) aside."""
    times = as_array(layout, rows)[layout.time]
    known = times[~np.isnan(times)]
    return (float(known.min()), float(known.max())) if known.size else (None, None)


def _schema(layout: Layout) -> pa.Schema:
    import pyarrow as pa

    fields = [pa.field(column.name, pa.type_for_alias(column.arrow_type), nullable=False) for column in layout.columns]
    return pa.schema(fields, metadata={_LABEL: layout.name.encode()})


def _to_parquet(layout: Layout, rows: bytes) -> Any:
    """The bytes of a Parquet file with these rows."""
    import pyarrow as pa
    from pyarrow import parquet

    array = as_array(layout, rows)
    columns = [_column(array[column.name], column.arrow_type) for column in layout.columns]
    sink = pa.BufferOutputStream()
    parquet.write_table(
        pa.Table.from_arrays(columns, schema=_schema(layout)),
        sink,
        compression="zstd",
        compression_level=1,
        write_statistics=[column.name for column in layout.columns if not _has_nan(array[column.name])],
        use_dictionary=[column.name for column in layout.columns if column.code in "ib"],
        column_encoding={c.name: _encoding(array[c.name]) for c in layout.columns if c.code in "qd"},
    )
    return sink.getvalue()


def _has_nan(values: NDArray[Any]) -> bool:
    """Whether the least and the greatest value would say too little: some readers take a column with both for sound."""
    return values.dtype.kind == "f" and bool(np.isnan(values).any())


def _encoding(values: NDArray[Any]) -> str:
    """What suits a column of numbers that go by no dictionary."""
    if values.dtype.kind == "i":
        return "DELTA_BINARY_PACKED"
    sample = values[:_SAMPLE]
    least, most = _RECURRING
    recur = least <= len(np.unique(sample)) / len(sample) < most
    return "PLAIN" if recur else "BYTE_STREAM_SPLIT"


def _column(values: NDArray[Any], arrow_type: str) -> Any:
    """Numbers as an Arrow array: what `pa.array` makes of them, without pandas, which that imports."""
    import pyarrow as pa

    return pa.Array.from_buffers(
        pa.type_for_alias(arrow_type), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))]
    )


def read_table(run_directory: Path, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows of a layout that the manifest vouches for, in the order of writing; `columns` picks some.

    RecordError when the directory has no manifest, the layout or a column does not exist, or a part is missing,
    damaged or not the one that was written.
    """
    import pyarrow as pa

    tables = list(read_parts(run_directory, name, columns))
    return pa.concat_tables(tables) if tables else _picked(_layout(name), columns).empty_table()


def read_parts(run_directory: Path, name: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The same rows part by part, for records larger than memory."""
    layout = _layout(name)
    schema = _picked(layout, columns)
    for part in read_manifest(run_directory).parts:
        if part.file.startswith(f"{name}/"):
            yield _read_part(run_directory / part.file, part, _schema(layout)).select(schema.names)


def part_files(run_directory: Path, name: str) -> list[Path]:
    """The files of a layout in the order of writing, each the one that was written; RecordError as for `read_table`.

    For programs that read Parquet themselves.
    """
    layout = _layout(name)
    parts = [part for part in read_manifest(run_directory).parts if part.file.startswith(f"{layout.name}/")]
    for part in parts:
        _content(run_directory / part.file, part)
    return [run_directory / part.file for part in parts]


def _layout(name: str) -> Layout:
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    raise RecordError(f"no rows are called '{name}'; there are {', '.join(layout.name for layout in LAYOUTS)}")


def _picked(layout: Layout, columns: Sequence[str] | None) -> pa.Schema:
    import pyarrow as pa

    schema = _schema(layout)
    if columns is None:
        return schema
    for column in columns:
        if column not in schema.names:
            raise RecordError(f"'{layout.name}' has no column '{column}'; it has {', '.join(schema.names)}")
    return pa.schema([schema.field(column) for column in columns])


def _content(path: Path, part: PartInfo) -> bytes:
    """The bytes of a part, which are those that were written."""
    try:
        content = contents(path)
    except OSError as error:
        raise RecordError(f"cannot read {path}, which the manifest lists: {error.strerror}") from error
    if _hash(content).hexdigest() != part.blake2b:
        raise RecordError(f"{path} is damaged or from another run: it is not the file that the manifest lists")
    return content


def _read_part(path: Path, part: PartInfo, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    from pyarrow import parquet

    content = _content(path, part)
    try:
        table = parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise RecordError(f"{path} is not Parquet: {' '.join(str(error).split())}") from error
    if table.num_rows != part.rows or not table.schema.equals(schema):
        raise RecordError(f"{path} does not hold {part.rows} rows of '{part.file.partition('/')[0]}'")
    return table
