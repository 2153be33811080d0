"""Columns of files are accounted for as those of runs are, in memory or part by part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simoffload.analysis.columns import account_of_files
from simoffload.record.durable import RecordError

from .queues import waits


def write(path: Path, values: object, name: str = "wait_s") -> Path:
    column = np.asarray(values)
    lines = [f"number,{name}", *(f"{number},{value!r}" for number, value in enumerate(column.tolist()))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_column_has_a_mean_and_quantiles(tmp_path: Path) -> None:
    values = waits(0.5, 60_000, 1)
    found = account_of_files([write(tmp_path / "a.csv", values)], "wait_s", None, 0.95, 0.05)
    assert found.mean.value == pytest.approx(values[found.mean.cut :].mean(), rel=1e-3)
    assert found.mean.low < 1.0 < found.mean.high


def test_files_are_replications(tmp_path: Path) -> None:
    files = [write(tmp_path / f"{seed}.csv", waits(0.5, 10_000, seed)) for seed in range(3)]
    assert account_of_files(files, "wait_s", None, 0.95, 0.05).mean.method == "pooled batches"


def test_rows_can_be_put_in_order(tmp_path: Path) -> None:
    values = waits(0.7, 5_000, 2)
    ordered = account_of_files([write(tmp_path / "a.csv", values)], "wait_s", None, 0.95, 0.05)
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "b.csv").write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n", encoding="utf-8")
    assert account_of_files([tmp_path / "b.csv"], "wait_s", "number", 0.95, 0.05) == ordered


def test_a_large_file_is_read_part_by_part(tmp_path: Path) -> None:
    values = waits(0.5, 60_000, 1)
    file = write(tmp_path / "a.csv", values)
    streamed = account_of_files([file], "wait_s", None, 0.95, 0.05, in_memory=1000)
    whole = account_of_files([file], "wait_s", None, 0.95, 0.05)
    assert streamed.mean.method.startswith("few batches of a stream")
    assert streamed.mean.value == pytest.approx(whole.mean.value, rel=0.03)
    with pytest.raises(RecordError, match="more than 1000 rows and cannot be put in the order of 'number'"):
        account_of_files([file], "wait_s", "number", 0.95, 0.05, in_memory=1000)


def test_what_is_no_number_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [1.0, 2.0])
    with pytest.raises(RecordError, match="has no column 'wait'; it has number, wait_s; did you mean 'wait_s'"):
        account_of_files([tmp_path / "a.csv"], "wait", None, 0.95, 0.05)
    (tmp_path / "b.csv").write_text("wait_s\n", encoding="utf-8")
    with pytest.raises(RecordError, match="has no rows"):
        account_of_files([tmp_path / "b.csv"], "wait_s", None, 0.95, 0.05)


def test_a_file_that_is_given_twice_is_no_replication(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", waits(0.5, 2_000, 1))
    (tmp_path / "b.csv").symlink_to(file)
    for again in (file, tmp_path / "b.csv"):
        with pytest.raises(RecordError, match="are one file; replications need their own"):
            account_of_files([file, again], "wait_s", None, 0.95, 0.05)
