"""The recorder: what is measured, what is kept, and one fingerprint whatever is kept."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from simoffload.record.manifest import PartInfo, read_manifest
from simoffload.record.parts import read_table
from simoffload.record.rows import LOSSES
from simoffload.run.recorder import Recorder
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
from simoffload.schema.scenario import Objective
from simoffload.world.occupancy import Occupancy
from tests.decision.by_hand import CHAIN, CLOUD, ONE, PRESS, Told, plant, play, task, world_of

LAYOUT_NAMES = ("tasks", "subtasks", "links", "nodes")
OBJECTIVE = Objective(latency_weight=0.25, latency_reference="10 s", cost_reference="0.01 USD")  # type: ignore[arg-type]


def recorder(directory: Path | None = None, kept_one_in: int = 0, warm_up_s: float = 0.0) -> Recorder:
    return Recorder(OBJECTIVE, 3, warm_up_s, directory, kept_one_in, lambda parts: None)


def test_levels_keep_more_or_less_of_the_same_run(tmp_path: Path) -> None:
    rows, fingerprints = {}, {}
    for level in ("off", "sampled", "full"):
        settings = ["horizon={tasks: 40}", f"records={{level: {level}, sample: 0.25}}"]
        fingerprints[level] = simulate(load_scenario("tiny", settings), "random", tmp_path / level)["fingerprint"]
        rows[level] = {name: read_table(tmp_path / level, name) for name in ("tasks", "subtasks", "links", "nodes")}
    assert len(set(fingerprints.values())) == 1
    assert all(table.num_rows == 0 for table in rows["off"].values())
    assert sorted(rows["full"]["tasks"].column("task").to_pylist()) == list(range(40))
    kept = set(rows["sampled"]["tasks"].column("task").to_pylist())
    assert 0 < len(kept) < 40
    for name in ("tasks", "subtasks", "links"):
        whole = [row for row in rows["full"][name].to_pylist() if row["task"] in kept]
        assert str(rows["sampled"][name].to_pylist()) == str(whole)
    assert rows["sampled"]["nodes"].equals(rows["full"]["nodes"])


def test_all_rows_go_on_to_new_part_files_at_the_same_moment(tmp_path: Path) -> None:
    scenario = load_scenario("tiny", ["horizon={tasks: 200}", "records.level=full"])
    whole = simulate(scenario, "random", tmp_path / "whole")
    assert simulate(scenario, "random", tmp_path / "cut", rows_per_part=300)["fingerprint"] == whole["fingerprint"]
    parts = read_manifest(tmp_path / "cut").parts
    rows = {name: [part.rows for part in parts if part.file.startswith(f"{name}/")] for name in LAYOUT_NAMES}
    together = [sum(ended) for ended in zip(*rows.values(), strict=True)]
    assert len(together) > 3
    # rows count once they are handed on by their buffers, which hold fewer than 300 of each kind
    assert all(300 <= each < 5 * 300 for each in together[:-1])
    for name in LAYOUT_NAMES:
        cut, at_once = (str(read_table(tmp_path / run, name).to_pylist()) for run in ("cut", "whole"))
        assert cut == at_once


def test_an_attempt_that_was_lost_has_a_row(tmp_path: Path) -> None:
    crashes = "edges.text.crashes={kind: timetable, spells: [[40 s, 60 s], [100 s, 120 s], [160 s, 190 s]]}"
    settings = [crashes, "edges.text.timeout=40 s", "horizon={tasks: 20}", "warm_up=0 s", "records.level=full"]
    lost = simulate(load_scenario("tiny", settings), "all-edge", tmp_path)["faults"]["attempts_lost"]
    rows = read_table(tmp_path, "attempts").to_pylist()
    assert {cause: sum(row["cause"] == number for row in rows) for number, cause in enumerate(LOSSES)} == lost
    crashed = [row for row in rows if LOSSES[row["cause"]] == "crash"]
    assert crashed
    assert {(row["node"], row["lost_s"]) for row in crashed} <= {(0, 40.0), (0, 100.0), (0, 160.0)}
    for row in rows:
        assert row["ready_s"] <= row["lost_s"]
        begun = not math.isnan(row["start_s"])
        assert not begun or row["ready_s"] <= row["entered_s"] <= row["start_s"] <= row["lost_s"]
        assert (row["energy_j"] > 0) == (begun and row["lost_s"] > row["start_s"])


def test_without_a_directory_too_the_fingerprint_is_the_same(tmp_path: Path) -> None:
    scenario = load_scenario("tiny", ["horizon={tasks: 20}", "records.level=full"])
    assert simulate(scenario, "random")["fingerprint"] == simulate(scenario, "random", tmp_path)["fingerprint"]


def test_the_manifest_says_how_many_tasks_are_kept(tmp_path: Path) -> None:
    for records, kept in (("off", 0), ("full", 1), ("sampled, sample: 0.1", 10), ("sampled, sample: 0.9", 1)):
        directory = tmp_path / str(len(records))
        simulate(load_scenario("tiny", ["horizon={tasks: 2}", f"records={{level: {records}}}"]), "random", directory)
        assert read_manifest(directory).kept_one_in == kept


def test_tasks_that_arrive_in_the_warm_up_are_rows_and_in_no_statistic(tmp_path: Path) -> None:
    world = world_of(plant(), Told(PRESS, PRESS, CLOUD))
    witness = recorder(tmp_path, 1, warm_up_s=5.0)
    world.dispatcher._witness = witness
    early, late = task(ONE, 4.9, demand_s=2.0), task(ONE, 5.0, demand_s=2.0)
    play(world, early, late, task(ONE, 6.0, demand_s=2.0, prompt=100))
    witness.close()
    assert sum(part.rows for part in witness.parts if part.file.startswith("tasks/")) == 3
    assert witness.latency_s.count == witness.objective.count == witness.cost_usd.count == 2
    assert [node.subtasks for node in witness.nodes] == [1, 0, 1]
    assert witness.stages["explain"].waiting_s.count == 2


def test_the_objective_weighs_latency_and_cost_against_their_references() -> None:
    world = world_of(plant(), Told(CLOUD, CLOUD, CLOUD))
    world.dispatcher._witness = witness = recorder()
    play(world, task(CHAIN, 1.0, prompt=[100, 100, 100], demand_s=4.0, weight=3.0))
    # each: (0.05 + 0.1 + 4) / 4 s and 100 tokens; the last answer needs 20 ms + 10 ms to come home
    latency_s, cost_usd = 3 * 4.15 / 4 + 0.03, 300e-6
    assert witness.latency_s.mean == pytest.approx(latency_s)
    assert witness.cost_usd.mean == pytest.approx(cost_usd)
    assert witness.objective.mean == pytest.approx(0.25 * 3 * latency_s / 10 + 0.75 * cost_usd / 0.01)


def test_a_task_is_right_if_all_its_sinks_are_and_in_time_if_it_has_a_deadline() -> None:
    world = world_of(plant(), Told(PRESS, PRESS, PRESS))
    world.dispatcher._witness = witness = recorder()
    play(
        world,
        task(ONE, 0.0, demand_s=1.0, difficulty=-9.0, deadline_s=1.0),
        task(ONE, 2.0, demand_s=1.0, difficulty=9.0, deadline_s=0.9),
        task(ONE, 4.0, demand_s=1.0, difficulty=-9.0),
    )
    assert (witness.correct.count, witness.correct.mean) == (3, pytest.approx(2 / 3))
    assert (witness.deadline_met.count, witness.deadline_met.mean) == (2, 0.5)


def test_a_dropped_task_has_missed_its_deadline_if_it_has_one() -> None:
    witness = recorder()
    for deadline_s in (5.0, math.inf):
        course: Any = SimpleNamespace(task=task(ONE, 0.0, deadline_s=deadline_s), cost_usd=0.0, energy_j=0.0)
        witness.task_dropped(course, 1.0)
    assert (witness.deadline_met.count, witness.deadline_met.mean) == (1, 0.0)
    assert witness.losses.dropped_tasks == 2


def test_stages_tell_transfer_waiting_and_service_apart() -> None:
    world = world_of(plant(), Told(CLOUD, CLOUD))
    world.dispatcher._witness = witness = recorder()
    play(world, task(ONE, 0.0, payload_bytes=1e6, demand_s=8.0), task(ONE, 0.5, payload_bytes=1e6, demand_s=8.0))
    explain = witness.stages["explain"]
    # there at 1.03 and 2.03, served until 3.03 and 5.03
    assert (explain.transfer_s.min, explain.transfer_s.max) == pytest.approx((1.03, 1.53))
    assert (explain.waiting_s.min, explain.waiting_s.max) == pytest.approx((0.0, 1.0))
    assert explain.service_s.mean == pytest.approx(2.0)


def test_node_rows_are_averages_over_their_stretch(tmp_path: Path) -> None:
    parts: list[PartInfo] = []
    witness = Recorder(OBJECTIVE, 1, 0.0, tmp_path, 1, lambda found: parts.__setitem__(slice(None), found))
    occupancy = Occupancy()
    occupancy.enter(1.0)
    occupancy.begin(2.0, 1.0)
    witness.nodes_seen([occupancy], 4.0)
    witness.nodes_seen([occupancy], 4.0)
    occupancy.leave(5.0)
    witness.nodes_seen([occupancy], 6.0)
    witness.close()
    from pyarrow import parquet

    rows = parquet.read_table(tmp_path / parts[0].file).to_pylist()
    assert rows == [
        {"time_s": 4.0, "node": 0, "in_queue": 0.25, "in_service": 0.5, "busy": 0.5},
        {"time_s": 6.0, "node": 0, "in_queue": 0.0, "in_service": 0.5, "busy": 0.5},
    ]


def test_what_is_left_in_the_system_is_a_row_without_an_end(tmp_path: Path) -> None:
    settings = ["horizon={time: 60 s}", "records.level=full", "workloads.request.arrivals.rate=0.5 /s"]
    summary = simulate(load_scenario("tiny", settings), "all-edge", tmp_path)
    rows = read_table(tmp_path, "tasks").to_pylist()
    left = [row for row in rows if row["status"] == 2]
    assert len(left) == summary["tasks"]["in_system"] > 0
    assert len(rows) == summary["tasks"]["arrived"]
    assert all(math.isnan(row["finish_s"]) and math.isnan(row["latency_s"]) for row in left)
    assert {(row["correct"], row["deadline_met"]) for row in left} == {(-1, -1)}
    assert [row["status"] for row in rows] == sorted(row["status"] for row in rows)
