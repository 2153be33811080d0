"""The parts of a latency add up to it, along the critical path and side by side."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.behaviour.latency_split import (
    PARTS,
    LatencySplit,
    along_critical_path,
    breakdown,
    critical_splits,
    sibling_splits,
    side_by_side,
)
from simoffload.analysis.runs import Run, open_run, read_columns
from simoffload.schema.base import STAGES

from ..synthetic import Setup, write_run
from .invented import TASKS, Graph, records, shuffled

Made = list[tuple[float, Graph, float]]
VIEWS = pytest.mark.parametrize("view", [along_critical_path, side_by_side])

FORK = [
    (set(), (0.5, 1.0, 0.0, 0.5, 1.0)),
    (set(), (0.0, 0.0, 2.0, 1.0, 4.0)),
    ({0, 1}, (0.25, 0.0, 0.0, 0.0, 2.0)),
]
"""The first ends 4 s before the second, for which the third waits."""


def parts(split: LatencySplit) -> dict[str, float]:
    return {name: float(split.parts_s[0, place]) for place, name in enumerate(PARTS) if split.parts_s[0, place]}


def test_along_the_path_only_its_own_steps_count() -> None:
    split = along_critical_path(*records([(10.0, FORK, 0.125)]))
    assert parts(split) == {"transfer": 0.25, "swap": 2.0, "prefill": 1.0, "decode": 6.0, "home": 0.125}
    assert split.latency_s.tolist() == [9.375]


def test_side_by_side_siblings_share_and_wait_for_the_last() -> None:
    split = side_by_side(*records([(10.0, FORK, 0.125)]))
    assert parts(split) == {
        "transfer": 0.25 + 0.25, "queueing": 0.5, "swap": 1.0, "prefill": 0.75, "decode": 2.5 + 2.0, "siblings": 2.0,
        "home": 0.125,
    }  # fmt: skip


def test_a_chain_looks_the_same_in_both_views() -> None:
    rows = records([(1.0, [(set(), (0.5, 1.0, 0.0, 1.0, 1.0)), ({0}, (0.0, 0.25, 0.0, 0.5, 0.5))], 0.5)])
    assert (along_critical_path(*rows).parts_s == side_by_side(*rows).parts_s).all()


@VIEWS
@given(made=TASKS, seed=st.integers(0, 99))
def test_the_parts_add_up_in_whatever_order_rows_come(view: Callable[..., LatencySplit], made: Made, seed: int) -> None:
    tasks, subtasks = records(made)
    split = view(tasks, shuffled(subtasks, seed))
    assert split.task.tolist() == tasks["task"].tolist()
    assert split.parts_s.sum(axis=1) == pytest.approx(tasks["finish_s"] - tasks["arrival_s"], abs=1e-9)
    assert (split.seconds >= 0).all()
    assert np.bincount(split.step_of, split.weight * (split.seconds[:, PARTS.index("decode")] > 0)).min() > 0


@VIEWS
@given(made=TASKS)
def test_stages_and_nodes_add_up_to_the_mean(view: Callable[..., LatencySplit], made: Made) -> None:
    tasks, subtasks = records(made)
    found = breakdown([view(tasks, subtasks)])
    latency = float((tasks["finish_s"] - tasks["arrival_s"]).mean())
    assert found.latency_s == pytest.approx(latency, abs=1e-9)
    for by in (found.by_stage, found.by_node):
        assert sum(by.values()) == pytest.approx(found.mean_s, abs=1e-9)


@given(TASKS, TASKS)
def test_means_over_pieces_are_means_over_all(first: Made, second: Made) -> None:
    pieces = breakdown([along_critical_path(*records(first)), along_critical_path(*records(second))])
    together = breakdown([along_critical_path(*records([*first, *second]))])
    assert pieces.tasks == together.tasks
    assert pieces.mean_s == pytest.approx(together.mean_s, abs=1e-9)
    assert pieces.by_node.keys() == together.by_node.keys()


def test_a_task_that_cannot_be_traced_is_counted() -> None:
    tasks, subtasks = records([(10.0, FORK, 0.0)] * 2)
    subtasks["ready_s"][1] = 10.5
    split = along_critical_path(tasks, subtasks)
    assert (split.task.tolist(), split.untraced) == ([1], 1)


def test_means_of_nothing_are_nan() -> None:
    found = breakdown([])
    assert math.isnan(found.latency_s)
    assert math.isnan(found.part("transfer", "home"))
    assert side_by_side(*records([])).parts_s.shape == (0, len(PARTS))
    assert (found.tasks, dict(found.by_stage)) == (0, {})


@pytest.mark.parametrize("splits", [critical_splits, sibling_splits])
@pytest.mark.parametrize("at_once", [7, 1000])
def test_a_run_is_split_in_pieces(run: Run, splits: Callable[..., list[LatencySplit]], at_once: int) -> None:
    tasks = read_columns(run, "tasks", ["task", "arrival_s", "latency_s"])
    measured = tasks["arrival_s"] >= run.warm_up_s
    latency = dict(zip(tasks["task"].tolist(), tasks["latency_s"].tolist(), strict=True))
    pieces = list(splits(run, at_once))
    assert sorted(task for piece in pieces for task in piece.task.tolist()) == sorted(tasks["task"][measured].tolist())
    for piece in pieces:
        assert piece.parts_s.sum(axis=1) == pytest.approx([latency[task] for task in piece.task.tolist()], abs=1e-9)
    found = breakdown(pieces)
    assert found.untraced == 0
    assert [STAGES[stage] for stage in found.by_stage] == list(STAGES)
    assert found.latency_s == pytest.approx(tasks["latency_s"][measured].mean())


def test_a_run_without_rows_has_no_splits(tmp_path: Path) -> None:
    write_run(tmp_path / "run", setup=Setup(tasks=5), rows=False)
    assert breakdown(critical_splits(open_run(tmp_path / "run"))).tasks == 0
