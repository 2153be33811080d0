"""Columns of files as quantities: what any simulator, or a plant, has written down row by row, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simoffload.record.batches import Batches
from simoffload.record.durable import RecordError

from .account import Account, Quantity, account_of_batches, account_of_runs
from .runs import Floats
from .sources.rows import Rows, open_rows

IN_MEMORY = 20_000_000
"""So many values are looked at one by one; of more, batches are kept as they are read."""


def account_of_files(
    files: Sequence[Path], column: str, order: str | None, level: float, wanted: float, in_memory: int = IN_MEMORY
) -> Account:
    """A column of a file, or of several, which then are replications.

    Rows are in the order of time, by the column `order` or as they stand. RecordError when a file cannot be read, has
    no such column or not numbers in it, holds more than can be sorted or taken together, or is
    given twice.
    """
    quantity = Quantity(column, "", "row")
    _check_different(files)
    large = [path for path in files if _count(path) > in_memory]
    if not large:
        return account_of_runs(quantity, [_series(path, column, order) for path in files], level, wanted)
    if len(files) > 1 or order is not None:
        what = "cannot be taken together with others" if len(files) > 1 else f"cannot be put in the order of '{order}'"
        raise RecordError(f"'{large[0]}' has more than {in_memory} rows and {what}")
    with open_rows(large[0]) as rows:
        return account_of_batches(quantity, _batches(rows, column, large[0]), level, wanted)


def _check_different(files: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in files:
        place = path.resolve()
        if place in seen:
            raise RecordError(f"'{path}' and '{seen[place]}' are one file; replications need their own")
        seen[place] = path


def _count(path: Path) -> int:
    with open_rows(path) as rows:
        return rows.count


def _series(path: Path, column: str, order: str | None) -> Floats:
    with open_rows(path) as rows:
        if not rows.count:
            raise RecordError(f"'{path}' has no rows")
        values = rows.array(column).astype(np.float64)
        if order is not None:
            values = values[np.argsort(rows.array(order), kind="stable")]
    return values


def _batches(rows: Rows, column: str, path: Path) -> Batches:
    batches = Batches()
    for part in rows.stream(column):
        try:
            batches.add_many(part)
        except ValueError as error:
            raise RecordError(f"'{path}': column '{column}': {error}") from None
    return batches
