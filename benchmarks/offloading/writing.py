"""The rows of the SimPy program as Parquet files, one of each kind, when the run is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

SUBTASKS = (
    "task", "subtask", "stage", "modality", "node", "ready_s", "entered_s", "start_s", "first_token_s", "finish_s",
    "prompt_tokens", "output_tokens", "expected_output", "cost_usd", "energy_j", "correct",
)  # fmt: skip
TASKS = (
    "task", "workload", "home", "arrival_s", "finish_s", "subtasks", "latency_s", "cost_usd", "energy_j", "weight",
    "objective", "correct", "deadline_met",
)  # fmt: skip
LINKS = ("task", "subtask", "link", "bytes", "queued_s", "end_s", "delivered_s")
NODES = ("time_s", "node", "in_queue", "in_service")


def write_rows(directory: Path, name: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Write `<name>.parquet`."""
    table = pa.Table.from_arrays([pa.array(column) for column in zip(*rows, strict=True)], list(columns))
    parquet.write_table(table, directory / f"{name}.parquet", compression="zstd")
