"""The numbers of a summary are those that the rows of the same run give, worked out again with numpy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from simoffload.analysis.runs import Run, open_run, read_columns
from simoffload.record.batches import Batches
from simoffload.record.parts import read_table
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario
from simoffload.schema.base import STAGES

WARM_UP_S = 150.0
SETTINGS = (
    "horizon={tasks: 300}", f"warm_up={WARM_UP_S} s", "records.level=full",
    "edges.audio-1.models=[qwen2-audio-7b-w4, qwen2.5-vl-3b-w4]", "edges.audio-1.memory=8 GB",
    "edges.text-1.server={kind: slots, slots: 3}", "workloads.request.weight={kind: choice, values: [1, 3]}",
)  # fmt: skip

Rows = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("run")
    simulate(scenario(), "random", directory)
    return open_run(directory)


def scenario() -> Scenario:
    return load_scenario("smart-factory", SETTINGS)


def rows_of(run: Run, name: str) -> Rows:
    return read_columns(run, name, read_table(run.directory, name).column_names)


@pytest.fixture(scope="module")
def tasks(run: Run) -> Rows:
    """Measured tasks."""
    rows = rows_of(run, "tasks")
    assert (rows["status"] == 0).all()
    return {name: values[rows["arrival_s"] >= WARM_UP_S] for name, values in rows.items()}


@pytest.fixture(scope="module")
def subtasks(run: Run) -> Rows:
    """All subtasks, with the arrival of their task."""
    rows, tasks = rows_of(run, "subtasks"), rows_of(run, "tasks")
    arrivals = np.empty(len(tasks["task"]))
    arrivals[tasks["task"]] = tasks["arrival_s"]
    return {**rows, "arrival_s": arrivals[rows["task"]]}


def last_arrival_s(run: Run) -> float:
    return float(rows_of(run, "tasks")["arrival_s"].max())


def within(run: Run, time_s: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Whether times lie where nodes and links are measured: from the end of the warm-up to the last arrival."""
    return (time_s > WARM_UP_S) & (time_s <= last_arrival_s(run))


def test_measured_tasks_are_those_that_arrive_after_the_warm_up(run: Run, tasks: Rows) -> None:
    assert 0 < run.summary.tasks.measured == len(tasks["task"]) < 300
    assert run.summary.tasks.arrived == run.summary.tasks.completed == 300


def test_batches_hold_the_latencies_of_measured_tasks_as_they_end(tasks: Rows) -> None:
    summary = simulate(scenario(), "random")
    batches = Batches.from_dict(json.loads(json.dumps(summary["latency_batches"])))
    latency_s = tasks["latency_s"][np.argsort(tasks["finish_s"], kind="stable")]
    size = batches.size
    expected = latency_s[: batches.full * size].reshape(-1, size).mean(axis=1)
    assert batches.count == len(latency_s)
    assert batches.means() == pytest.approx(expected.tolist(), rel=1e-12)
    assert batches.sketch().quantiles([0.5, 0.95, 0.99]) == [summary["latency_s"][p] for p in ("p50", "p95", "p99")]


def test_latency(run: Run, tasks: Rows) -> None:
    found, latency_s = run.summary.latency_s, tasks["latency_s"]
    assert latency_s == pytest.approx(tasks["finish_s"] - tasks["arrival_s"])
    assert found.mean == pytest.approx(latency_s.mean(), rel=1e-12)
    assert found.sd == pytest.approx(latency_s.std(ddof=1), rel=1e-9)
    assert (found.min, found.max) == (latency_s.min(), latency_s.max())


@pytest.mark.parametrize(("name", "share"), [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)])
def test_quantiles_are_within_their_relative_error(run: Run, tasks: Rows, name: str, share: float) -> None:
    error = 0.005
    exact = np.quantile(tasks["latency_s"], share, method="inverted_cdf")
    assert getattr(run.summary.latency_s, name) == pytest.approx(exact, rel=error * (1 + 1e-9))


def test_cost_energy_quality_and_deadlines(run: Run, tasks: Rows) -> None:
    summary = run.summary
    assert summary.cost_usd.mean == pytest.approx(tasks["cost_usd"].mean(), rel=1e-12)
    assert summary.cost_usd.total == pytest.approx(tasks["cost_usd"].sum(), rel=1e-12)
    assert summary.energy_j.mean == pytest.approx(tasks["energy_j"].mean(), rel=1e-12)
    correct = written(run)["correct"]["mean"]
    assert correct == pytest.approx((tasks["correct"] == 1).mean(), rel=1e-12)
    assert 0 < correct < 1
    assert written(run)["deadline"]["met"] == pytest.approx((tasks["latency_s"] <= 60.0).mean(), rel=1e-12)
    assert (tasks["deadline_met"] == (tasks["latency_s"] <= 60.0)).all()


def written(run: Run) -> dict[str, Any]:
    """The summary as it stands on disk."""
    content: dict[str, Any] = json.loads((run.directory / "summary.json").read_text())
    return content


def test_objective(run: Run, tasks: Rows) -> None:
    objective = written(run)["objective"]
    weight = objective["latency_weight"]
    delay = weight * tasks["weight"] * tasks["latency_s"] / objective["latency_reference_s"]
    expected = delay + (1 - weight) * tasks["cost_usd"] / objective["cost_reference_usd"]
    assert tasks["objective"] == pytest.approx(expected, rel=1e-12)
    assert objective["mean"] == pytest.approx(expected.mean(), rel=1e-12)
    assert set(tasks["weight"]) == {1.0, 3.0}


def test_costs_of_tasks_are_those_of_their_subtasks(run: Run, tasks: Rows, subtasks: Rows) -> None:
    for name in ("cost_usd", "energy_j"):
        totals = np.bincount(subtasks["task"], subtasks[name])
        assert tasks[name] == pytest.approx(totals[tasks["task"]], rel=1e-9)


def test_stages(run: Run, subtasks: Rows) -> None:
    for number, name in enumerate(STAGES):
        mine = (subtasks["stage"] == number) & (subtasks["arrival_s"] >= WARM_UP_S)
        found = run.summary.stages[name]
        assert found.count == mine.sum() > 0
        times = {
            "transfer_s": subtasks["entered_s"] - subtasks["ready_s"],
            "waiting_s": subtasks["start_s"] - subtasks["entered_s"],
            "service_s": subtasks["finish_s"] - subtasks["start_s"],
        }
        for part, values in times.items():
            assert getattr(found, part).mean == pytest.approx(values[mine].mean(), rel=1e-9)


def test_nodes_count_what_measured_tasks_did_there(run: Run, subtasks: Rows) -> None:
    measured = subtasks["arrival_s"] >= WARM_UP_S
    for number, found in enumerate(run.summary.nodes.values()):
        mine = measured & (subtasks["node"] == number)
        assert found.share_of_subtasks == pytest.approx(mine.sum() / measured.sum())
        assert found.energy_j == pytest.approx(subtasks["energy_j"][mine].sum(), rel=1e-9)
        service_s = (subtasks["finish_s"] - subtasks["start_s"])[mine]
        assert found.service_s.mean == pytest.approx(service_s.mean(), rel=1e-9)


def test_nodes_count_what_happened_there_after_the_warm_up(run: Run, subtasks: Rows) -> None:
    window = run.summary.window_s
    assert (window.begin, window.end) == (WARM_UP_S, last_arrival_s(run))
    duration_s = window.end - window.begin
    assert duration_s < run.summary.simulated_s - WARM_UP_S
    for number, found in enumerate(run.summary.nodes.values()):
        mine = subtasks["node"] == number
        started = mine & within(run, subtasks["start_s"])
        waited_s = (subtasks["start_s"] - subtasks["entered_s"])[started]
        assert found.waiting_s.mean == pytest.approx(waited_s.mean(), rel=1e-9)
        assert found.arrivals == (mine & within(run, subtasks["entered_s"])).sum()
        assert found.completions == (mine & within(run, subtasks["finish_s"])).sum()
        assert found.throughput_per_s == pytest.approx(found.completions / duration_s)
        assert found.swaps == (started & (subtasks["swap_s"] > 0)).sum()
        assert found.little_residual < 1e-9
    assert run.summary.nodes["audio-1"].swaps > 0
    assert ((subtasks["swap_s"] > 0) & (subtasks["start_s"] <= WARM_UP_S)).any(), (
        "some in the warm-up, which do not count"
    )


def test_time_averages_of_nodes_are_those_of_their_rows(run: Run) -> None:
    rows = rows_of(run, "nodes")
    ends = np.unique(rows["time_s"])
    widths = dict(zip(ends, np.diff(ends, prepend=0.0), strict=True))
    for number, found in enumerate(run.summary.nodes.values()):
        mine = (rows["node"] == number) & within(run, rows["time_s"])
        width = np.array([widths[end] for end in rows["time_s"][mine]])
        assert width.sum() == pytest.approx(last_arrival_s(run) - WARM_UP_S, rel=1e-9)
        waiting, serving, busy = (
            (rows[name][mine] * width).sum() / width.sum() for name in ("in_queue", "in_service", "busy")
        )
        assert found.queue_length.mean == pytest.approx(waiting, rel=1e-9)
        assert found.in_system.mean == pytest.approx(waiting + serving, rel=1e-9)
        expected = busy if found.kind == "batching" else serving / (3 if number == 0 else 1)
        assert found.utilisation == pytest.approx(expected, rel=1e-9)


def test_links_count_what_they_carried_after_the_warm_up(run: Run) -> None:
    rows = rows_of(run, "links")
    for number, (name, found) in enumerate(run.summary.links.items()):
        mine = rows["link"] == number
        assert mine.any(), name
        ended = mine & within(run, rows["end_s"])
        started = mine & within(run, rows["start_s"])
        assert found.transfers == ended.sum()
        assert found.bytes == pytest.approx(rows["bytes"][ended].sum())
        assert found.waiting_s.mean == pytest.approx(
            (rows["start_s"] - rows["queued_s"])[started].mean(), rel=1e-9, abs=1e-12
        )
        assert found.little_residual < 1e-9


def test_a_summary_of_nothing_has_nulls_and_no_numbers() -> None:
    late = load_scenario("tiny", ["horizon={tasks: 5}", "warm_up=100000 s", "objective.latency_reference=1 s"])
    summary = simulate(late, "random")
    assert summary["tasks"] == {"arrived": 5, "completed": 5, "dropped": 0, "in_system": 0, "measured": 0}
    assert {summary["latency_s"][name] for name in ("mean", "sd", "min", "max", "p50", "p95", "p99")} == {None}
    assert summary["objective"]["mean"] is summary["cost_usd"]["mean"] is summary["correct"]["mean"] is None
    assert {node["share_of_subtasks"] for node in summary["nodes"].values()} == {None}
