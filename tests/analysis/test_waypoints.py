"""Critical paths are found from the rows alone, and their parts add up to the latency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.analysis.runs import Columns, Run, read_columns
from simoffload.analysis.waypoints import critical_times, last_predecessors, trace_back, whole_tasks

TIMES = ("ready_s", "entered_s", "start_s", "finish_s")
STEPS = st.integers(0, 40).map(lambda k: k / 8)
GRAPHS = st.lists(
    st.tuples(st.sets(st.integers(0, 5), max_size=3), STEPS, STEPS, STEPS.map(lambda step: step + 0.125)),
    min_size=1,
    max_size=6,
)
"""Per subtask the numbers of its predecessors (those below its own count), transfer, waiting and service."""


def task_of(task: int, arrival: float, graph: Sequence[tuple[set[int], float, float, float]], home: float) -> Columns:
    """Rows of a task that runs alone: each subtask as soon as its predecessors are done."""
    rows: list[tuple[float, float, float, float]] = []
    for number, (before, transfer, waiting, service) in enumerate(graph):
        ready = max([arrival, *(rows[k][3] for k in before if k < number)])
        entered = ready + transfer
        rows.append((ready, entered, entered + waiting, entered + waiting + service))
    columns = {name: np.array([row[k] for row in rows]) for k, name in enumerate(TIMES)}
    done = float(columns["finish_s"].max()) + home
    return {**columns, "task": np.full(len(rows), task), "arrival_s": arrival, "done_s": done}


def joined(tasks: Sequence[Columns]) -> tuple[Columns, Columns]:
    """Task rows and subtask rows."""
    whole = {
        "task": np.array([int(each["task"][0]) for each in tasks]),
        "arrival_s": np.array([each["arrival_s"] for each in tasks]),
        "finish_s": np.array([each["done_s"] for each in tasks]),
        "subtasks": np.array([len(each["task"]) for each in tasks]),
    }
    return whole, {name: np.concatenate([each[name] for each in tasks]) for name in ("task", *TIMES)}


def shuffled(columns: Columns, seed: int) -> Columns:
    order = np.random.default_rng(seed).permutation(len(columns["task"]))
    return {name: column[order] for name, column in columns.items()}


CHAIN = [(set(), 0.5, 1.0, 2.0), ({0}, 0.0, 0.25, 1.0)]


def test_the_parts_of_a_chain_are_those_of_its_links() -> None:
    tasks, subtasks = joined([task_of(3, 10.0, CHAIN, home=0.125)])
    found = critical_times(tasks, subtasks)
    assert found.task.tolist() == [3]
    assert [float(part[0]) for part in found.parts_s] == [0.625, 1.25, 3.0]


def test_of_parallel_subtasks_the_last_one_counts() -> None:
    graph = [(set(), 0.0, 0.0, 1.0), (set(), 0.0, 4.0, 0.5), ({0, 1}, 0.0, 0.0, 2.0)]
    found = critical_times(*joined([task_of(0, 0.0, graph, home=0.0)]))
    assert [float(part[0]) for part in found.parts_s] == [0.0, 4.0, 2.5]


@given(st.lists(st.tuples(STEPS, GRAPHS, STEPS), min_size=1, max_size=5), st.integers(0, 99))
def test_the_parts_add_up_to_the_latency_in_whatever_order_rows_come(
    made: list[tuple[float, list[tuple[set[int], float, float, float]], float]], seed: int
) -> None:
    tasks, subtasks = joined([task_of(k, arrival, graph, home) for k, (arrival, graph, home) in enumerate(made)])
    found = critical_times(tasks, shuffled(subtasks, seed))
    assert found.task.tolist() == tasks["task"].tolist()
    assert sum(found.parts_s) == pytest.approx(tasks["finish_s"] - tasks["arrival_s"], abs=1e-9)
    assert all((part >= 0).all() for part in found.parts_s)


def test_tasks_do_not_mix_though_their_instants_coincide() -> None:
    _, subtasks = joined([task_of(k, 10.0, CHAIN, home=0.0) for k in range(3)])
    back = last_predecessors(subtasks["task"], subtasks["ready_s"], subtasks["finish_s"])
    assert back.tolist() == [-1, 0, -1, 2, -1, 4]


def test_a_subtask_that_took_no_time_is_passed_over() -> None:
    graph = [(set(), 0.0, 0.0, 1.0), ({0}, 0.0, 0.0, 0.0), ({1}, 0.0, 0.0, 2.0)]
    found = critical_times(*joined([task_of(0, 5.0, graph, home=0.0)]))
    assert [float(part[0]) for part in found.parts_s] == [0.0, 0.0, 3.0]


def test_no_rows_make_no_paths() -> None:
    empty = {name: np.zeros(0) for name in ("task", *TIMES)}
    tasks = {name: np.zeros(0) for name in ("task", "arrival_s", "finish_s", "subtasks")}
    assert critical_times(tasks, empty).tasks == 0


def test_tasks_that_lack_rows_are_left_out() -> None:
    tasks, subtasks = joined([task_of(k, 10.0, CHAIN, home=0.0) for k in range(3)])
    kept = {name: np.delete(column, 3) for name, column in subtasks.items()}
    assert whole_tasks(tasks, kept["task"]).tolist() == [True, False, True]
    assert critical_times(tasks, kept).task.tolist() == [0, 2]


def test_a_path_that_does_not_lead_back_to_the_arrival_is_left_out() -> None:
    tasks, subtasks = joined([task_of(k, 10.0, CHAIN, home=0.0) for k in range(2)])
    subtasks["ready_s"][0] = 10.5
    assert critical_times(tasks, subtasks).task.tolist() == [1]


def test_paths_of_a_run_are_those_of_its_measured_tasks(run: Run) -> None:
    found = trace_back(run)
    tasks = read_columns(run, "tasks", ["task", "arrival_s", "latency_s"])
    latency = dict(zip(tasks["task"].tolist(), tasks["latency_s"].tolist(), strict=True))
    measured = tasks["task"][tasks["arrival_s"] >= run.warm_up_s]
    assert found.task.tolist() == measured.tolist()
    assert sum(found.parts_s) == pytest.approx([latency[task] for task in found.task.tolist()])
