"""Rounded rows keep what statistics need of them, and take less room."""

from __future__ import annotations

import math
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.record.manifest import read_manifest
from simoffload.record.parts import read_table
from simoffload.record.rounding import BITS, Rounding
from simoffload.record.rows import LINKS, SUBTASKS, TASKS, Layout, as_array
from simoffload.run import simulation
from simoffload.run.resuming import resume
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from .strategies import packed, rows

RESOLUTIONS = st.sampled_from([1e-300, 1e-12, 1e-9, 5e-8, 1e-6, 0.3, 1.0])


@settings(max_examples=100)
@given(rows(), RESOLUTIONS)
def test_no_number_moves_by_more_than_is_said(drawn: Any, resolution_s: float) -> None:
    layout, values = drawn
    exact, rounded = packed(layout, values), Rounding(resolution_s).of(layout, packed(layout, values))
    assert len(rounded) == len(exact)
    before, after = as_array(layout, exact), as_array(layout, rounded)
    for column in layout.columns:
        was, now = before[column.name], after[column.name]
        if column.name.endswith("_s"):
            finite = np.isfinite(was)
            assert np.array_equal(was[~finite], now[~finite], equal_nan=True)
            assert ((now[finite] <= was[finite]) & (was[finite] - now[finite] <= max(resolution_s, 2.0**-99))).all()
        elif column.name.endswith(("_usd", "_j")) or column.name == "objective":
            normal = np.isfinite(was) & (np.abs(was) > 1e-290) & (np.abs(was) < 1e300)
            assert (np.abs(now[normal] - was[normal]) <= np.abs(was[normal]) * 2.0**-BITS).all()
        else:
            assert was.tobytes() == now.tobytes()


def test_without_a_resolution_rows_are_exact() -> None:
    exact = packed(LINKS, [(1, 2, 3, math.pi, math.pi, math.pi, math.pi, math.pi)])
    assert Rounding().of(LINKS, exact) is exact


@given(st.lists(st.floats(0, 1e10), min_size=2), RESOLUTIONS)
def test_order_and_equality_of_instants_stay_and_so_does_the_side_of_a_point_of_the_grid(
    instants: list[float], resolution_s: float
) -> None:
    rounded = instants_after(instants, resolution_s)
    order = np.argsort(instants, kind="stable")
    assert (np.diff(rounded[order]) >= 0).all()
    for point in (0.0, 1.0, 300.0, 86400.0):
        assert ((rounded < point) == (np.array(instants) < point)).all()


def instants_after(instants: list[float], resolution_s: float, warm_up_s: float = 0.0) -> np.ndarray[Any, Any]:
    values = [(0, 0, 0, 0.0, instant, 0.0, 0.0, 0.0) for instant in instants]
    return as_array(LINKS, Rounding(resolution_s, warm_up_s).of(LINKS, packed(LINKS, values)))["queued_s"]


@given(st.lists(st.floats(0, 1e10), min_size=2), RESOLUTIONS, st.floats(0, 1e6))
def test_whoever_came_when_tasks_were_measured_still_did(
    instants: list[float], resolution_s: float, warm_up_s: float
) -> None:
    rounded = instants_after([*instants, warm_up_s, math.nextafter(warm_up_s, 0.0)], resolution_s, warm_up_s)
    exact = np.array([*instants, warm_up_s, math.nextafter(warm_up_s, 0.0)])
    assert ((rounded >= warm_up_s) == (exact >= warm_up_s)).all()
    assert (np.diff(rounded[np.argsort(exact, kind="stable")]) >= 0).all()


def test_the_grid_is_a_power_of_two_of_a_second() -> None:
    assert instants_after([0.3, 0.26, 0.24, 7.99], 0.3).tolist() == [0.25, 0.25, 0.0, 7.75]


def recorded(directory: Path, *settings: str) -> dict[str, Any]:
    scenario = load_scenario("tiny", ["records.level=full", "horizon={tasks: 300}", *settings])
    return simulate(scenario, "eft", directory)


def size(directory: Path, layout: Layout) -> int:
    return sum(path.stat().st_size for path in (directory / layout.name).iterdir())


def test_a_run_with_a_resolution_has_the_summary_and_fingerprint_of_one_without() -> None:
    with tempfile.TemporaryDirectory() as folder:
        exact, coarse = Path(folder, "exact"), Path(folder, "coarse")
        one, other = recorded(exact), recorded(coarse, "records.resolution=50 ns")
        assert one["fingerprint"] == other["fingerprint"]
        assert one["tasks"] == other["tasks"] and one["nodes"] == other["nodes"]
        assert (read_manifest(exact).resolution_s, read_manifest(coarse).resolution_s) == (0.0, 5e-8)
        for layout in (TASKS, SUBTASKS, LINKS):
            assert size(coarse, layout) < 0.85 * size(exact, layout)
        table = read_table(coarse, "subtasks")
        ends = table["finish_s"].to_numpy()
        assert (ends * 2**25 == np.floor(ends * 2**25)).all()
        costs = table["cost_usd"].to_numpy()
        assert all(struct.pack("<d", cost)[:3] == b"\0\0\0" for cost in costs)


def test_a_resumed_run_rounds_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 1000)
    recorded(tmp_path / "straight", "records.resolution=50 ns")
    scenario = load_scenario("tiny", ["records={level: full, resolution: 50 ns}", "horizon={tasks: 300}"])
    looks = iter([True, False])
    simulate(scenario, "eft", tmp_path / "stopped", lambda progress: next(looks, False), rows_per_part=64)
    assert read_manifest(tmp_path / "stopped").status == "incomplete"
    resume(tmp_path / "stopped")
    for name in ("tasks", "subtasks", "links"):
        assert read_table(tmp_path / "stopped", name).equals(read_table(tmp_path / "straight", name))


@pytest.mark.parametrize("wrong", ["-1 ns", "2 us", "nan"])
def test_absurd_resolutions_are_refused(wrong: str) -> None:
    with pytest.raises(Exception, match="resolution"):
        load_scenario("tiny", [f"records.resolution={wrong}"])
