"""Bytes of a record: as many as the files have, and no fewer than the numbers hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.recording import bytes_by_column, floors, jobs_of, least_bytes, page, size_on_disk
from simoffload.record.parts import PartWriter
from simoffload.record.rows import NODES
from simoffload.schema import load_scenario

OBJECTIVE = "objective={latency_weight: 0.5, latency_reference: 20 s, cost_reference: 0.001 USD}"


def test_bytes_of_columns_are_those_of_the_files(tmp_path: Path) -> None:
    draws = np.random.default_rng(1)
    rows = np.zeros(1000, NODES.dtype)
    rows["time_s"] = draws.random(1000)
    writer = PartWriter(tmp_path, NODES, rows_per_part=500)
    writer.write(rows.tobytes())
    files = sorted((tmp_path / "nodes").iterdir())
    sizes = bytes_by_column(files)
    assert len(files) == 2
    assert list(sizes) == [column.name for column in NODES.columns]
    assert sizes["time_s"] > 6 > 1 > sizes["busy"]
    assert 1000 * sum(sizes.values()) < sum(file.stat().st_size for file in files)


@pytest.mark.parametrize("bits", [8, 20, 33])
def test_whole_numbers_of_so_many_random_bits_take_that_many(bits: int) -> None:
    draws = np.random.default_rng(2)
    base = 2.0**52
    values = base + draws.integers(0, 2**bits, 200_000).astype(float)
    found = 8 * least_bytes(values, base)
    share = len(np.unique(values)) / len(values)
    assert found == pytest.approx(bits * share, rel=0.02)


def test_what_is_known_already_takes_nothing() -> None:
    values = np.array([1.0, 2.0, np.nan, 3.0])
    assert least_bytes(values, values) == 0.0
    assert least_bytes(np.full(5, np.nan), 0.0) == 0.0


def test_the_page_tells_of_every_column_and_of_both_sums() -> None:
    scenario = load_scenario("tiny", [OBJECTIVE, "horizon={tasks: 20}"])
    assert size_on_disk(scenario, jobs_of(scenario)).bytes > 0
    names = (
        "ready_s",
        "entered_s",
        "start_s",
        "first_token_s",
        "finish_s",
        "expected_finish_s",
        "cost_usd",
        "energy_j",
    )
    least = floors({name: np.arange(9.0) + number for number, name in enumerate(names)})
    assert set(least) == set(names)
    text = page(9, {"task": 1.25, "finish_s": 5.0}, {"finish_s": 4.5})
    assert "6.2 bytes a row, and 5.8 at the least" in text
    assert "| finish_s | 5.00 | 4.50 |" in text
    assert "| task | 1.25 |  |" in text
