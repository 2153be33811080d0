"""The rows of a record, and the buffer in which a run packs them.

A row is packed bytes, little-endian without gaps, the same on every machine; a `Layout` names its columns in order,
which are the columns of the Parquet files too. Packing into one preallocated buffer is the fastest way Python has to
keep a row; who wants the rows takes them a buffer at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .durable import RecordError

ARROW_TYPES = {"q": "int64", "i": "int32", "b": "int8", "d": "float64"}
"""The Arrow type of each struct code in use."""

_MIXER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name and its struct code, one of `ARROW_TYPES`."""

    name: str
    code: str

    @property
    def arrow_type(self) -> str:
        """Name of its Arrow type."""
        return ARROW_TYPES[self.code]


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of row; `time` is the one that tells when a row was written."""

    name: str
    time: str
    columns: tuple[Column, ...]

    @property
    def format(self) -> str:
        """The row as `struct` reads it."""
        return "<" + "".join(column.code for column in self.columns)

    @property
    def size(self) -> int:
        """Bytes of a row."""
        return struct.calcsize(self.format)

    @property
    def dtype(self) -> np.dtype[np.void]:
        """The row as a numpy structured type."""
        return np.dtype([(column.name, "<" + column.code.replace("b", "i1")) for column in self.columns])


def _layout(name: str, time: str, columns: str) -> Layout:
    pairs = (column.split(":") for column in columns.split())
    return Layout(name, time, tuple(Column(name, code) for name, code in pairs))


TASKS = _layout(
    "tasks",
    "finish_s",
    "task:q workload:i home:i arrival_s:d finish_s:d status:b subtasks:i latency_s:d cost_usd:d energy_j:d weight:d"
    " objective:d correct:b deadline_met:b",
)
"""Tasks; correct is -1 where there is no answer, deadline_met where there is no deadline or the task is not over."""
COMPLETED, DROPPED, IN_SYSTEM = 0, 1, 2
"""Status of a task."""

SUBTASKS = _layout(
    "subtasks",
    "finish_s",
    "task:q subtask:i stage:b modality:b node:i ready_s:d entered_s:d start_s:d first_token_s:d finish_s:d"
    " prompt_tokens:i output_tokens:i expected_output:d swap_s:d cost_usd:d energy_j:d priority:d expected_finish_s:d"
    " correct:b",
)
"""Subtasks, each with its instants; expected_finish_s is nan where no estimate was made."""

LINKS = _layout("links", "delivered_s", "task:q subtask:i link:i bytes:d queued_s:d start_s:d end_s:d delivered_s:d")
"""Transfers; `subtask` is the one that needs the bytes, the sink itself for the way home."""

NODES = _layout("nodes", "time_s", "time_s:d node:i in_queue:d in_service:d busy:d")
"""Nodes: averages over the stretch that ends at time_s."""

ATTEMPTS = _layout(
    "attempts",
    "lost_s",
    "task:q subtask:i node:i cause:b ready_s:d entered_s:d start_s:d lost_s:d cost_usd:d energy_j:d",
)
"""Attempts at subtasks that ended without an answer; `cause` is a place in `LOSSES`, instants that never came are nan.

What they cost and used is part of what their tasks did. Nothing else has rows of them.
"""
LOSSES = ("crash", "turned_away", "timeout", "dropped", "rejected")
"""What ends an attempt without an answer that counts; dropped: its task was given up for another subtask's sake;
rejected: its answer did not pass its check."""

LAYOUTS = (TASKS, SUBTASKS, LINKS, NODES, ATTEMPTS)


class RowBuffer:
    """Rows of one layout on their way to `on_full(layout, rows)`, which must use the bytes before it returns.

    Pickles with the rows it holds.
    """

    __slots__ = ("_capacity", "_data", "_filled", "_layout", "_limit", "_on_full", "_pack_into", "_size")

    _layout: Layout
    _capacity: int
    _on_full: Callable[[Layout, memoryview], None]
    _data: bytearray
    _filled: int
    _pack_into: Callable[..., None]

    def __init__(self, layout: Layout, capacity_rows: int, on_full: Callable[[Layout, memoryview], None]) -> None:
        if capacity_rows < 1:
            raise ValueError(f"a buffer of {capacity_rows} rows holds nothing")
        self.__setstate__((layout, capacity_rows, on_full, b""))

    def add(self, *values: float) -> None:
        """Keep a row: the values of its columns in order; RecordError when one does not fit its column."""
        filled = self._filled
        try:
            self._pack_into(self._data, filled, *values)
        except struct.error as error:
            fault = self._fault(values) or error
            raise RecordError(f"a row of '{self._layout.name}' cannot be packed: {fault}") from None
        self._filled = filled = filled + self._size
        if filled == self._limit:
            self.flush()

    def flush(self) -> None:
        """Hand on the rows held, if any."""
        if self._filled:
            rows = memoryview(self._data)[: self._filled]
            self._filled = 0
            self._on_full(self._layout, rows)

    def _fault(self, values: tuple[float, ...]) -> str | None:
        """Which value does not fit its column, None if it is their number that is wrong."""
        for column, value in zip(self._layout.columns, values, strict=False):
            try:
                struct.pack("<" + column.code, value)
            except struct.error:
                return f"{column.name} = {value!r} is no {column.arrow_type}"
        return None

    def __getstate__(self) -> tuple[Any, ...]:
        return self._layout, self._capacity, self._on_full, bytes(self._data[: self._filled])

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._layout, self._capacity, self._on_full, held = state
        self._size = self._layout.size
        self._limit = self._size * self._capacity
        self._data = bytearray(held).ljust(self._limit, b"\0")
        self._filled = len(held)
        self._pack_into = struct.Struct(self._layout.format).pack_into


def as_array(layout: Layout, rows: bytes | bytearray | memoryview) -> NDArray[np.void]:
    """The rows as a numpy structured array on the same memory."""
    return np.frombuffer(rows, layout.dtype)


def sampled(layout: Layout, rows: bytes | bytearray | memoryview, one_in: int) -> bytes | memoryview:
    """The rows of about one task in `one_in`, the same tasks in every layout; rows without a task are all kept.

    Tasks are picked by a hash of their number (Knuth's multiplicative one), so that no rhythm of arrivals is singled
    out and no random number is drawn.
    """
    if one_in <= 1 or layout.columns[0].name != "task":
        return memoryview(rows)
    array = as_array(layout, rows)
    mixed = (array["task"].astype(np.uint64) * _MIXER) >> np.uint64(32)
    kept: NDArray[np.void] = array[mixed % np.uint64(one_in) == 0]
    return kept.tobytes()
