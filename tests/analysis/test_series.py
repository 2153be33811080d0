"""Series of a run are its measured tasks or subtasks, each once, in the order of time."""

from __future__ import annotations

import numpy as np
import pytest

from simoffload.analysis.runs import Run, open_run, read_columns
from simoffload.analysis.series import QUANTITIES, quantity, series_of

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


def test_times_of_subtasks_add_up_to_what_each_took(run: Run) -> None:
    rows = read_columns(run, "subtasks", ["ready_s", "finish_s"])
    kept = rows["ready_s"] >= WARM_UP_S
    took = (rows["finish_s"] - rows["ready_s"])[kept][np.argsort(rows["finish_s"][kept], kind="stable")]
    parts = sum(series_of(run, name) for name in ("transfer", "waiting", "service"))
    assert parts == pytest.approx(took)


def test_every_quantity_has_a_name_and_finite_values(run: Run) -> None:
    for name in QUANTITIES:
        assert quantity(name).name == name
        assert np.isfinite(series_of(run, name)).all()
    assert series_of(run, "cost").mean() == pytest.approx(1000 * run.summary.cost_usd.mean)
