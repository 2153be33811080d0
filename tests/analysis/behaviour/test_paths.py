"""Critical paths are found from the rows alone."""

from __future__ import annotations

import numpy as np

from simoffload.analysis.behaviour.paths import critical_paths, last_predecessors, whole_tasks
from simoffload.analysis.runs import Columns

from .invented import columns, records

CHAIN = [(set(), (0.5, 1.0, 0.0, 1.0, 1.0)), ({0}, (0.0, 0.25, 0.0, 0.5, 0.5))]


def steps(tasks: Columns, subtasks: Columns, links: Columns | None = None) -> list[list[int]]:
    """For each traced task the numbers of the subtasks on its path, from the last to the first."""
    paths = critical_paths(tasks, subtasks, links)
    numbers = subtasks["subtask"][paths.step]
    return [numbers[paths.step_of == place].tolist() for place in range(len(paths.task))]


def test_a_chain_is_its_own_path() -> None:
    assert steps(*records([(10.0, CHAIN, 0.125)])) == [[1, 0]]


def test_of_parallel_subtasks_the_last_one_is_on_the_path() -> None:
    graph = [
        (set(), (0.0, 0.0, 0.0, 0.0, 1.0)),
        (set(), (0.0, 4.0, 0.0, 0.0, 0.5)),
        ({0, 1}, (0.0, 0.0, 0.0, 1.0, 1.0)),
    ]
    assert steps(*records([(0.0, graph, 0.0)])) == [[2, 1]]


def test_tasks_do_not_mix_though_their_instants_coincide() -> None:
    _, subtasks = records([(10.0, CHAIN, 0.0)] * 3)
    back = last_predecessors(subtasks["task"], subtasks["ready_s"], subtasks["finish_s"])
    assert back.tolist() == [-1, 0, -1, 2, -1, 4]


def test_a_subtask_that_took_no_time_is_passed_over() -> None:
    graph = [(set(), (0.0, 0.0, 0.0, 0.0, 1.0)), ({0}, (0.0,) * 5), ({1}, (0.0, 0.0, 0.0, 0.0, 2.0))]
    assert steps(*records([(5.0, graph, 0.0)])) == [[2, 0]]


def test_of_several_sinks_the_one_whose_answer_came_home_last_ends_the_path() -> None:
    graph = [(set(), (0.0, 0.0, 0.0, 0.0, 1.0)), (set(), (0.0, 0.0, 0.0, 0.0, 2.0))]
    tasks, subtasks = records([(3.0, graph, 1.5)] * 2)
    moves = [(0, 0, 5.0), (0, 0, 6.5), (0, 1, 5.25), (1, 1, 6.5), (7, 0, 6.5)]
    links = columns(("task", "subtask", "delivered_s"), moves)
    assert steps(tasks, subtasks, links) == [[0], [1]]
    assert steps(tasks, subtasks) == [[1], [1]]
    assert steps(tasks, subtasks, columns(("task", "subtask", "delivered_s"), [])) == [[1], [1]]


def test_no_rows_make_no_paths() -> None:
    tasks, subtasks = records([])
    assert steps(tasks, subtasks) == []


def test_tasks_that_lack_rows_are_left_out() -> None:
    tasks, subtasks = records([(10.0, CHAIN, 0.0)] * 3)
    kept = {name: np.delete(column, 3) for name, column in subtasks.items()}
    assert whole_tasks(tasks, kept["task"]).tolist() == [True, False, True]
    assert critical_paths(tasks, kept).task.tolist() == [0, 2]


def test_a_path_that_does_not_lead_back_to_the_arrival_is_left_out() -> None:
    tasks, subtasks = records([(10.0, CHAIN, 0.0)] * 2)
    subtasks["ready_s"][0] = 10.5
    paths = critical_paths(tasks, subtasks)
    assert (paths.task.tolist(), paths.step_of.tolist()) == ([1], [0, 0])
