"""Graphs have an order, are shared, and refuse what is no graph of a task."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.tasks import GraphError, TaskGraph, build_graph
from simoffload.tasks.graph import stages_by_place

DIAMOND = ((0, 1, 1, 2), (1, 0, 0, 0), ((), (0,), (0,), (2, 1)))


@st.composite
def structures(draw: st.DrawFn) -> tuple[list[int], list[int], list[list[int]]]:
    """Stages, modalities and predecessors of an acyclic graph with its subtasks in any order."""
    count = draw(st.integers(1, 12))
    order = draw(st.permutations(range(count)))
    predecessors: list[list[int]] = [[] for _ in range(count)]
    for place, number in enumerate(order):
        if place:
            predecessors[number] = draw(st.lists(st.sampled_from(order[:place]), unique=True, max_size=place))
    stages = [draw(st.integers(0, 2)) for _ in range(count)]
    return stages, [draw(st.integers(0, 3)) if stage == 0 else 0 for stage in stages], predecessors


@given(structure=structures())
def test_every_subtask_comes_after_its_predecessors(structure: Any) -> None:
    graph = build_graph(*structure)
    place = {number: place for place, number in enumerate(graph.topological)}
    assert sorted(place) == list(range(len(graph)))
    assert all(place[before] < place[number] for number in place for before in graph.predecessors[number])


@given(structure=structures())
def test_successors_are_the_predecessors_turned_round(structure: Any) -> None:
    graph = build_graph(*structure)
    arcs = {(before, number) for number, each in enumerate(graph.predecessors) for before in each}
    assert arcs == {(number, after) for number, each in enumerate(graph.successors) for after in each}
    assert graph.sources == tuple(n for n in range(len(graph)) if n not in {after for _, after in arcs})
    assert graph.sinks == tuple(n for n in range(len(graph)) if n not in {before for before, _ in arcs})


def test_a_diamond_is_read_as_written() -> None:
    graph = build_graph(*DIAMOND)
    assert graph.predecessors == ((), (0,), (0,), (1, 2))
    assert graph.successors == ((1, 2), (3,), (3,), ())
    assert (graph.sources, graph.sinks, graph.topological) == ((0,), (3,), (0, 1, 2, 3))
    assert graph.names == ("explain-1", "analyze-1", "analyze-2", "generate-1")
    assert len(graph) == 4


@given(structure=structures())
def test_the_same_structure_is_the_same_object(structure: Any) -> None:
    graph = build_graph(*structure)
    assert build_graph(*structure) is graph
    assert pickle.loads(pickle.dumps(graph)) is graph
    assert copy.deepcopy(graph) is graph


def test_graphs_that_nobody_holds_are_forgotten() -> None:
    from simoffload.tasks.graph import _KNOWN

    names = ("held by nobody",)
    graph: TaskGraph | None = build_graph((0,), (0,), ((),), names)
    assert any(key[3] == names for key in _KNOWN)
    del graph
    assert not any(key[3] == names for key in _KNOWN)


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (((), (), ()), "at least one subtask"),
        (((0, 1), (0, 0), ((1,), (0,)), ("a", "b")), "in a circle: a -> b -> a"),
        (((0, 1, 1, 1), (0,) * 4, ((), (0, 3), (1,), (2,)), tuple("abcd")), "in a circle: b -> d -> c -> b"),
        (((1,), (0,), ((0,),), ("a",)), "in a circle: a -> a"),
        (((0, 1), (0, 0), ((), (2,)), ("a", "b")), "'b' waits for subtask 2, which does not exist"),
        (((0, 1), (0, 0), ((), (-1,)), ("a", "b")), "'b' waits for subtask -1"),
        (((0, 1), (0, 0), ((), (0, 0)), ("a", "b")), "'b' names a predecessor twice"),
        (((0, 1), (0, 0), ((), (0,)), ("a", "a")), "two subtasks are called 'a'"),
        (((3,), (0,), ((),), ("a",)), "no stage 3"),
        (((3,), (0,), ((),)), "no stage 3"),
        (((0,), (4,), ((),), ("a",)), "no modality 4"),
        (((1,), (1,), ((),), ("a",)), "only the first stage reads image"),
        (((0,), (0, 0), ((),), ("a",)), "1 stages, 2 modalities, 1 predecessors, 1 names"),
    ],
)
def test_what_is_no_graph_is_refused_by_name(structure: tuple[Any, ...], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        build_graph(*structure)


def test_stages_follow_from_the_place_where_nothing_says_them() -> None:
    assert stages_by_place(((), (0,), (1,), ())) == (0, 1, 2, 0)
