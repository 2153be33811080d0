"""Rows are packed as their layout says, reach their taker once and in order, and are sampled by task."""

from __future__ import annotations

import pickle
import struct
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.record.durable import RecordError
from simoffload.record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout, RowBuffer, as_array, sampled

from .strategies import packed, rows


class Taker:
    """Keeps the bytes it is handed, by layout, and how often it is."""

    buffer: RowBuffer

    def __init__(self) -> None:
        self.taken: defaultdict[str, bytes] = defaultdict(bytes)
        self.times = 0

    def take(self, layout: Layout, given_rows: memoryview) -> None:
        self.taken[layout.name] += given_rows
        self.times += 1


@given(rows(), st.integers(1, 20))
def test_rows_arrive_whole_and_in_order_whatever_the_capacity(drawn: Any, capacity: int) -> None:
    layout, values = drawn
    taker = Taker()
    buffer = RowBuffer(layout, capacity, taker.take)
    for each in values:
        buffer.add(*each)
    assert taker.times == len(values) // capacity
    buffer.flush()
    buffer.flush()
    assert taker.taken[layout.name] == packed(layout, values)
    assert taker.times == -(-len(values) // capacity)


@given(rows(), st.integers(1, 20), st.integers(0, 40))
def test_a_buffer_continues_from_a_pickle(drawn: Any, capacity: int, cut: int) -> None:
    layout, values = drawn
    taker = Taker()
    buffer = RowBuffer(layout, capacity, taker.take)
    for each in values[:cut]:
        buffer.add(*each)
    taker, buffer = pickle.loads(pickle.dumps((taker, buffer)))
    for each in values[cut:]:
        buffer.add(*each)
    buffer.flush()
    assert taker.taken[layout.name] == packed(layout, values)


def test_a_buffer_and_its_taker_may_hold_one_another_in_a_pickle() -> None:
    taker = Taker()
    taker.buffer = RowBuffer(NODES, 3, taker.take)
    taker.buffer.add(1.0, 2, 0.5, 0.5, 1.0)
    add, taker = pickle.loads(pickle.dumps((taker.buffer.add, taker)))
    add(2.0, 2, 0.5, 0.5, 1.0)
    taker.buffer.add(3.0, 2, 0.5, 0.5, 1.0)
    assert as_array(NODES, taker.taken["nodes"])["time_s"].tolist() == [1, 2, 3]


@given(rows())
def test_the_array_of_rows_has_the_columns_of_the_layout(drawn: Any) -> None:
    layout, values = drawn
    array = as_array(layout, packed(layout, values))
    assert layout.dtype.itemsize == layout.size == struct.calcsize(layout.format)
    for number, column in enumerate(layout.columns):
        expected = np.array([each[number] for each in values], dtype=layout.dtype[column.name])
        np.testing.assert_array_equal(array[column.name], expected)


def test_columns_have_distinct_names_and_each_layout_has_its_time() -> None:
    for layout in LAYOUTS:
        names = [column.name for column in layout.columns]
        assert len(set(names)) == len(names)
        assert layout.time in names
    assert [layout.name for layout in LAYOUTS] == ["tasks", "subtasks", "links", "nodes", "attempts"]


@pytest.mark.parametrize("number", range(len(SUBTASKS.columns)))
def test_a_value_that_does_not_fit_is_named(number: int) -> None:
    column = SUBTASKS.columns[number]
    values: list[Any] = [0] * len(SUBTASKS.columns)
    values[number] = "text" if column.code == "d" else 2**70
    taker = Taker()
    buffer = RowBuffer(SUBTASKS, 2, taker.take)
    with pytest.raises(RecordError, match=f"row of 'subtasks' cannot be packed: {column.name} = .* is no"):
        buffer.add(*values)
    buffer.flush()
    assert taker.times == 0


def test_a_row_with_too_few_values_is_refused() -> None:
    with pytest.raises(RecordError, match="row of 'nodes' cannot be packed"):
        RowBuffer(NODES, 2, Taker().take).add(1.0, 2)


def test_a_buffer_of_no_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="holds nothing"):
        RowBuffer(NODES, 0, Taker().take)


def tasks_in(layout: Layout, content: bytes | memoryview) -> list[int]:
    numbers: list[int] = as_array(layout, content)["task"].tolist()
    return numbers


def rows_of_tasks(layout: Layout, tasks: range, each: int) -> bytes:
    rest = [0] * (len(layout.columns) - 1)
    return packed(layout, [(task, *rest) for task in tasks for _ in range(each)])


@pytest.mark.parametrize("one_in", [2, 4, 10, 100])
def test_sampling_keeps_all_rows_of_the_same_tasks_in_every_layout(one_in: int) -> None:
    tasks = range(20_000)
    chosen = tasks_in(TASKS, sampled(TASKS, rows_of_tasks(TASKS, tasks, 1), one_in))
    assert len(chosen) == pytest.approx(len(tasks) / one_in, rel=0.1)
    for layout in (SUBTASKS, LINKS):
        kept = tasks_in(layout, sampled(layout, rows_of_tasks(layout, tasks, 2), one_in))
        assert kept == [task for task in chosen for _ in range(2)]


@pytest.mark.parametrize("period", [2, 3, 4, 10, 16, 100])
def test_sampling_favours_no_place_in_a_rhythm_of_arrivals(period: int) -> None:
    chosen = tasks_in(TASKS, sampled(TASKS, rows_of_tasks(TASKS, range(100_000), 1), 10))
    shares = np.bincount(np.array(chosen) % period, minlength=period) / len(chosen)
    assert shares.max() < 1.3 / period
    assert shares.min() > 0.7 / period


def test_sampling_in_pieces_is_sampling_the_whole() -> None:
    content = rows_of_tasks(LINKS, range(500), 3)
    cut = 700 * LINKS.size
    pieces = bytes(sampled(LINKS, content[:cut], 5)) + bytes(sampled(LINKS, content[cut:], 5))
    assert pieces == bytes(sampled(LINKS, content, 5))


def test_rows_of_nodes_and_a_sample_of_all_tasks_are_kept_whole() -> None:
    nodes = packed(NODES, [(1.0, 2, 0.5, 0.5, 1.0)])
    assert bytes(sampled(NODES, nodes, 7)) == nodes
    tasks = rows_of_tasks(TASKS, range(5), 1)
    assert bytes(sampled(TASKS, tasks, 1)) == tasks
