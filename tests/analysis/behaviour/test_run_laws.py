"""The records of a run obey the laws, and records that were tampered with do not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simoffload.analysis.behaviour.latency_split import breakdown, critical_splits, sibling_splits
from simoffload.analysis.behaviour.laws import CONSERVATION, FLOW, LITTLE, UTILISATION, Law
from simoffload.analysis.behaviour.run_laws import Laws, Unchecked, laws_in_words, laws_of, laws_of_all
from simoffload.analysis.runs import Run, open_run
from simoffload.record.manifest import read_manifest, write_manifest
from simoffload.record.parts import PartWriter, read_table
from simoffload.record.rows import LAYOUTS, Layout
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from ..synthetic import edit_json


def rewritten(run: Run, directory: Path, name: str, change: Callable[[np.ndarray[Any, Any]], Any]) -> Run:
    """The run with other rows of a kind."""
    shutil.copytree(run.directory, directory)
    layout: Layout = next(each for each in LAYOUTS if each.name == name)
    table = read_table(directory, name)
    array = np.zeros(table.num_rows, dtype=layout.dtype)
    for column in layout.columns:
        array[column.name] = table.column(column.name).to_numpy()
    shutil.rmtree(directory / name)
    writer = PartWriter(directory, layout)
    writer.write(change(array).tobytes())
    writer.flush()
    manifest = read_manifest(directory)
    others = tuple(part for part in manifest.parts if not part.file.startswith(f"{name}/"))
    write_manifest(directory, manifest.model_copy(update={"parts": (*others, *writer.parts)}))
    return open_run(directory)


def broken(run: Run) -> set[tuple[str, str]]:
    return {(law.name, law.where) for law in laws_of(run).checked if not law.holds()}


def test_all_laws_hold_of_a_run(simulated: Run) -> None:
    found = laws_of(simulated)
    assert found.hold
    assert found.unchecked == ()
    places = {name: {law.where for law in found.checked if law.name == name} for name in (LITTLE, UTILISATION, FLOW)}
    assert places[UTILISATION] == places[FLOW] == set(simulated.summary.nodes)
    assert places[LITTLE] == {"system", *simulated.summary.nodes, *simulated.summary.links}
    assert [law.unit for law in found.checked if law.name == CONSERVATION] == ["USD", "J"]
    assert max(law.residual for law in found.checked) < 1e-12
    assert sum(law.left for law in found.checked) > 0


def with_resolution(directory: Path, resolution: str) -> Run:
    records = f"records={{level: full, resolution: {resolution}}}"
    simulate(load_scenario("tiny", [records, "horizon={tasks: 200}", "warm_up=10 s"]), "eft", directory)
    return open_run(directory)


def test_all_laws_hold_of_rounded_rows_and_a_lost_row_is_still_found(tmp_path: Path) -> None:
    run = with_resolution(tmp_path / "run", "50 ns")
    found = laws_of(run)
    assert found.hold
    assert max(law.residual for law in found.checked) > 1e-11
    assert max(law.slack for law in found.checked if law.name == LITTLE) < 1e-3
    assert broken(rewritten(run, tmp_path / "other", "subtasks", lambda rows: np.delete(rows, 100)))


def test_whoever_arrives_as_the_warm_up_ends_is_measured_in_rounded_rows_too(tmp_path: Path) -> None:
    settings = [
        "records={level: full, resolution: 100 ns}",
        "workloads.request.arrivals={kind: periodic, period: 20.1 s, aligned: true}",
        "warm_up=60.3 s",
        "horizon={tasks: 100}",
    ]
    simulate(load_scenario("tiny", settings), "eft", tmp_path / "run")
    assert laws_of(open_run(tmp_path / "run")).hold


def test_the_laws_hold_where_a_horizon_in_time_finds_the_plant_empty(tmp_path: Path) -> None:
    settings = ["records.level=full", "horizon={time: 900 s}", "seed=3"]
    simulate(load_scenario("tiny", settings), "eft", tmp_path / "run")
    found = laws_of(open_run(tmp_path / "run"))
    assert found.hold and not found.unchecked


def test_times_that_are_off_by_more_than_the_resolution_are_found(tmp_path: Path) -> None:
    run = with_resolution(tmp_path / "run", "1 us")
    edit_json(run.directory / "manifest.json", "resolution_s", value=1e-12)
    assert not laws_of(open_run(run.directory)).hold


def interrupting(directory: Path, slots: int) -> Run:
    """Two classes at a station, of which one interrupts the other."""
    server = f"edges.station.server={{kind: slots, slots: {slots}, preemption: resume}}"
    settings = [server, "horizon.tasks=500", "warm_up=20 s", "telemetry_interval=5 s", "records.level=full"]
    simulate(load_scenario("theory/priority", settings), "all-edge", directory)
    return open_run(directory)


def test_one_server_is_at_work_while_some_service_is_under_way(tmp_path: Path) -> None:
    found = laws_of(interrupting(tmp_path / "run", 1))
    assert found.hold and found.unchecked == ()
    (law,) = (law for law in found.checked if law.name == UTILISATION)
    assert 0.5 < law.left < 1


def test_what_interrupted_services_at_several_servers_took_is_not_told_by_rows(tmp_path: Path) -> None:
    found = laws_of(interrupting(tmp_path / "run", 2))
    assert found.hold
    assert [(each.name, each.where, each.reason) for each in found.unchecked] == [
        (UTILISATION, "station", "services were interrupted, and rows do not tell for how long")
    ]


def test_a_row_that_is_missing_is_found(simulated: Run, tmp_path: Path) -> None:
    run = rewritten(simulated, tmp_path / "run", "subtasks", lambda rows: rows[:-1])
    node = list(run.summary.nodes)[
        int(read_table(simulated.directory, "subtasks", ["node"]).column("node")[-1].as_py())
    ]
    assert {(LITTLE, node), (UTILISATION, node)} <= broken(run)
    assert {where for _, where in broken(run)} <= {node, "system"}


def test_a_row_that_is_there_twice_is_found(simulated: Run, tmp_path: Path) -> None:
    run = rewritten(simulated, tmp_path / "run", "links", lambda rows: np.append(rows, rows[rows["start_s"] > 30]))
    assert {law for law, _ in broken(run)} == {LITTLE}


def test_costs_that_do_not_add_up_are_found(simulated: Run, tmp_path: Path) -> None:
    def dearer(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows["cost_usd"][-1] *= 1.5
        return rows

    assert broken(rewritten(simulated, tmp_path / "run", "tasks", dearer)) == {(CONSERVATION, "system")}


def test_latencies_that_are_not_the_times_spent_are_found(simulated: Run, tmp_path: Path) -> None:
    def slower(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows["latency_s"][3] += 0.01
        return rows

    assert broken(rewritten(simulated, tmp_path / "run", "tasks", slower)) == {(LITTLE, "system")}


@pytest.mark.parametrize("level", ["full", "sampled"])
def test_what_tasks_cost_is_what_their_subtasks_and_the_attempts_that_were_lost_did(level: str, tmp_path: Path) -> None:
    spells = ", ".join(f"[{start} s, {start + 20} s]" for start in range(40, 1000, 60))
    crashes = f"edges.text.crashes={{kind: timetable, spells: [{spells}]}}"
    settings = [crashes, "horizon={tasks: 40}", "warm_up=100 s", f"records={{level: {level}, sample: 0.5}}"]
    simulate(load_scenario("tiny", settings), "all-edge", tmp_path / "run")
    run = open_run(tmp_path / "run")
    assert run.summary.faults is not None
    assert run.summary.faults.lost_energy_j > 0
    laws = laws_of(run)
    assert laws.hold
    nodes = {law.where for law in laws.checked if law.name == LITTLE} - {"system"}
    assert nodes == (set(run.summary.nodes) if level == "full" else set())
    costs = [law for law in laws.checked if law.name == CONSERVATION]
    assert [law.right_is for law in costs] == [
        f"{what} of subtasks and of lost attempts" for what in ("cost", "energy")
    ]

    def cheaper(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows["energy_j"][rows["task"].argmax()] *= 0.5
        return rows

    assert broken(rewritten(run, tmp_path / "other", "attempts", cheaper)) == {(CONSERVATION, "system")}


FAULTY = """
extends: bad-day
name: worse
horizon: {tasks: 80}
warm_up: 2 min
records: {level: full}
quality: {verify: {false_alarm: 0.2}}
faults: {waiting: WAITING}
edges:
  - {id: text-1, crashes: &often {kind: exponential, mean_up: 2 min, mean_down: 30 s}}
  - {id: text-2, crashes: *often, timeout: 20 s}
  - {id: image-1, crashes: *often}
clouds:
  - {id: cloud, timeout: 10 s}
"""


@pytest.mark.parametrize("waiting", ["migrate", "stay", "drop"])
def test_the_laws_of_nodes_hold_where_attempts_are_lost(waiting: str, tmp_path: Path) -> None:
    (tmp_path / "worse.yaml").write_text(FAULTY.replace("WAITING", waiting))
    simulate(load_scenario(str(tmp_path / "worse.yaml")), "eft", tmp_path / "run")
    run = open_run(tmp_path / "run")
    faults = run.summary.faults
    assert faults is not None
    assert {cause for cause, count in faults.attempts_lost.items() if count} >= {"crash", "timeout", "rejected"}
    found = laws_of(run)
    assert found.hold
    assert {law.where for law in found.checked if law.name == UTILISATION} == set(run.summary.nodes)
    assert {law.where for law in found.checked if law.name == FLOW} == set(run.summary.nodes)
    assert {each.name for each in found.unchecked} == {LITTLE}  # of links

    def longer(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows["start_s"][np.flatnonzero(~np.isnan(rows["start_s"]))[0]] -= 1.0
        return rows

    assert [law for law, _ in broken(rewritten(run, tmp_path / "other", "attempts", longer))] == [UTILISATION]


@pytest.mark.parametrize(
    ("file", "where", "value", "reason"),
    [
        ("summary.json", ("tasks", "in_system"), 3, "3 tasks were in the system at the end"),
        ("manifest.json", ("kept_one_in",), 10, "rows are kept of one task in 10"),
    ],
)
def test_what_stations_saw_beyond_the_rows_is_not_held_against_them(
    simulated: Run, tmp_path: Path, file: str, where: tuple[str, ...], value: int, reason: str
) -> None:
    shutil.copytree(simulated.directory, tmp_path / "run")
    edit_json(tmp_path / "run" / file, *where, value=value)
    found = laws_of(open_run(tmp_path / "run"))
    assert {law.where for law in found.checked} == {"system"}
    assert found.hold
    assert all(each.reason.startswith(reason) for each in found.unchecked)
    assert {each.where for each in found.unchecked} == {*simulated.summary.nodes, *simulated.summary.links}


def test_latencies_of_a_run_are_split_without_remainder(simulated: Run) -> None:
    for pieces in (list(critical_splits(simulated)), list(sibling_splits(simulated))):
        for piece in pieces:
            assert np.abs(piece.parts_s.sum(axis=1) - piece.latency_s).max() < 1e-9
            assert (piece.seconds > -1e-9).all()
        found = breakdown(pieces)
        assert (found.tasks, found.untraced) == (simulated.summary.tasks.measured, 0)
        assert found.latency_s == pytest.approx(simulated.summary.latency_s.mean, rel=1e-12)


def test_a_law_that_fails_is_named_with_both_sides() -> None:
    laws = Laws(
        (Law("Little", "cloud", 3.0, 2.0, "integral", "sum", "s"), Law("flow", "system", 1.0, 1.0, "in", "out", "")),
        (Unchecked("utilisation", "edge", "it crashed"), Unchecked("flow", "edge", "it crashed")),
    )
    assert laws_in_words(laws) == (
        "1 of 2 checks FAIL: Little at cloud, integral is 3.00000 s, sum 2.00000. "
        "Not checked: utilisation and flow at edge, it crashed."
    )


def test_each_law_that_fails_is_named_with_where_it_does_worst() -> None:
    little = [Law("Little", f"node-{place}", 2.0, 2.0 + place, "integral", "sum", "s") for place in range(7)]
    flow = Law("flow", "cloud", 5, 4, "in", "out", "")
    assert laws_in_words(Laws((*little, flow), ())) == (
        "7 of 8 checks FAIL: Little at node-6, integral is 2.00000 s, sum 8.00000, and at 5 other places; "
        "flow at cloud, in is 5, out 4."
    )


def test_only_what_was_checked_is_said_to_hold() -> None:
    law = Law(LITTLE, "system", 1.0, 1.0, "integral", "sum", "s")
    found = Laws((law,), tuple(Unchecked(UTILISATION, f"node-{place}", "no rows") for place in range(9)))
    assert laws_in_words(found) == (
        "Little's law holds in 1 check; the largest residual is 0.0e+00. "
        "Not checked: utilisation law at 9 places, no rows."
    )
    assert laws_in_words(Laws((), ())) == "No law could be checked."


def test_the_laws_of_several_runs_are_held_against_each(simulated: Run) -> None:
    one, both = laws_of(simulated), laws_of_all([simulated, simulated])
    assert both.checked == one.checked * 2
    assert both.unchecked == one.unchecked * 2
