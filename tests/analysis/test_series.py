"""Series of a run are its measured tasks or subtasks, each once, in the order of time."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.runs import Run, open_run, read_columns
from simoffload.analysis.series import QUANTITIES, quantity, series_of
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

from .synthetic import WARM_UP_S, Setup, write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    directory = tmp_path_factory.mktemp("series") / "run"
    write_run(directory, setup=Setup(tasks=120))
    return open_run(directory)


def test_latencies_are_those_of_the_summary_in_the_order_of_arrival(run: Run) -> None:
    found = series_of(run, "latency")
    assert len(found) == run.summary.tasks.measured
    assert found.mean() == pytest.approx(run.summary.latency_s.mean)
    rows = read_columns(run, "tasks", ["task", "arrival_s", "latency_s"])
    by_task = dict(zip(rows["task"].tolist(), rows["latency_s"].tolist(), strict=True))
    measured = sorted(rows["task"][rows["arrival_s"] >= WARM_UP_S].tolist())
    assert found.tolist() == [by_task[task] for task in measured]


@pytest.fixture(scope="module")
def dropping(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of which tasks are dropped, before and after its warm-up."""
    directory = tmp_path_factory.mktemp("dropping") / "run"
    settings = ["horizon={tasks: 150}", "warm_up=60 s", "records.level=full", "faults.in_service=drop"]
    simulate(load_scenario("bad-day", [*settings, "faults.waiting=drop"]), "eft", directory)
    return open_run(directory)


def test_dropped_tasks_count_in_cost_and_objective_as_they_do_in_the_summary(dropping: Run) -> None:
    summary = dropping.summary
    dropped = summary.faults.dropped if summary.faults else 0
    assert dropped > 0
    assert len(series_of(dropping, "latency")) == summary.tasks.measured
    assert len(series_of(dropping, "objective")) == summary.tasks.measured + dropped
    assert series_of(dropping, "objective").mean() == pytest.approx(summary.objective.mean)
    assert series_of(dropping, "cost").mean() == pytest.approx(1000 * summary.cost_usd.mean)
    assert series_of(dropping, "energy").mean() == pytest.approx(summary.energy_j.mean)


@pytest.mark.parametrize("name", ["transfer", "waiting", "service"])
def test_subtasks_are_those_of_the_summary(name: str, dropping: Run) -> None:
    stages = dropping.summary.stages.values()
    total = sum(stage.count for stage in stages)
    found = series_of(dropping, name)
    assert len(found) == total
    assert found.mean() == pytest.approx(sum(s.count * getattr(s, f"{name}_s").mean for s in stages) / total)


def test_times_of_subtasks_add_up_to_what_each_took(run: Run) -> None:
    rows = read_columns(run, "subtasks", ["task", "ready_s", "finish_s"])
    tasks = read_columns(run, "tasks", ["task", "arrival_s"])
    kept = np.isin(rows["task"], tasks["task"][tasks["arrival_s"] >= WARM_UP_S])
    took = (rows["finish_s"] - rows["ready_s"])[kept][np.argsort(rows["finish_s"][kept], kind="stable")]
    parts = sum(series_of(run, name) for name in ("transfer", "waiting", "service"))
    assert parts == pytest.approx(took)


def test_every_quantity_has_a_name_and_finite_values(run: Run) -> None:
    for name in QUANTITIES:
        assert quantity(name).name == name
        assert np.isfinite(series_of(run, name)).all()
    assert series_of(run, "cost").mean() == pytest.approx(1000 * run.summary.cost_usd.mean)
