"""Names find places where they cover neither points nor each other."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from simoffload.analysis.labels import label_points, overlap, short
from simoffload.analysis.palette import new_figure, theme

SIDES = st.integers(-50, 50).map(float)
BOXES = st.tuples(SIDES, SIDES, SIDES, SIDES).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)


def labelled(points: list[tuple[float, float]], names: list[str]) -> tuple[Figure, list[Annotation]]:
    with theme():
        figure = new_figure(4.0)
        axes = figure.subplots()
        axes.set(xlim=(0, 10), ylim=(0, 10))
        notes = label_points(axes, points, names, ["normal"] * len(names), "black")
        figure.draw_without_rendering()
    return figure, notes


def boxes(notes: list[Annotation]) -> list[tuple[float, float, float, float]]:
    """Those of the words, without the lines."""
    return [tuple(map(float, Text.get_window_extent(note).extents)) for note in notes]  # type: ignore[misc]


def test_names_in_a_crowd_do_not_cover_each_other() -> None:
    points = [(5 + 0.15 * k, 5 + 0.1 * (k % 3)) for k in range(8)]
    _, notes = labelled(points, [f"weighted-greedy-{k}" for k in range(8)])
    assert [note.get_text() for note in notes] == [f"weighted-greedy-{k}" for k in range(8)]
    assert sum(overlap(a, b) for a, b in combinations(boxes(notes), 2)) == 0


def test_names_do_not_cover_points() -> None:
    points = [(k, 5.0) for k in range(1, 10)]
    figure, notes = labelled(points, [f"agent-{k}" for k in range(1, 10)])
    pixels = figure.axes[0].transData.transform(points)
    for left, bottom, right, top in boxes(notes):
        assert not any(left < x < right and bottom < y < top for x, y in pixels)


def test_where_there_is_no_room_names_are_written_nevertheless() -> None:
    _, notes = labelled([(5.0, 5.0)] * 60, [f"a-name-of-some-length-{k}" for k in range(60)])
    assert len(notes) == 60


@pytest.mark.parametrize("corner", [(0.0, 0.0), (10.0, 0.0), (0.0, 10.0), (10.0, 10.0)])
def test_names_of_points_in_a_corner_stay_inside(corner: tuple[float, float]) -> None:
    figure, notes = labelled([corner], ["earliest-finish-wspt"])
    frame = figure.axes[0].get_window_extent()
    ((left, bottom, right, top),) = boxes(notes)
    assert frame.x0 <= left < right <= frame.x1
    assert frame.y0 <= bottom < top <= frame.y1


def test_only_names_far_from_their_point_have_a_line_to_it() -> None:
    _, (alone,) = labelled([(5.0, 5.0)], ["alone"])
    assert alone.arrow_patch is not None
    assert not alone.arrow_patch.get_visible()
    _, crowd = labelled([(5.0, 5.0)] * 6, [f"a-name-{k}" for k in range(6)])
    assert any(note.arrow_patch is not None and note.arrow_patch.get_visible() for note in crowd)


@given(BOXES, BOXES)
def test_boxes_share_what_each_shares_with_the_other(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> None:
    area = overlap(a, b)
    assert area == overlap(b, a)
    assert 0 <= area <= min(overlap(a, a), overlap(b, b))


def test_overlap_is_an_area() -> None:
    assert overlap((0, 0, 4, 3), (2, 1, 9, 9)) == 4
    assert overlap((0, 0, 1, 1), (1, 0, 2, 1)) == 0


def test_names_that_fit_stay_as_they_are() -> None:
    assert short("weighted-greedy-wspt") == "weighted-greedy-wspt"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=29, max_size=90))
def test_long_names_keep_both_ends(name: str) -> None:
    shortened = short(name)
    assert len(shortened) == 28
    head, tail = shortened.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)


def test_characters_that_the_font_lacks_are_spelled_out() -> None:
    assert short("агент-強") == "агент-\\u5f37"
    assert short("two\nlines") == "two\\nlines"
