"""Names in pictures: not longer than there is room for, and beside points such that none covers another or a point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from .palette import FONT, arrange

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in pixels."""

_DISTANCES = (9.0, 13.0, 21.0, 31.0, 43.0, 57.0)
_DIRECTIONS = tuple(math.radians(angle) for angle in (0, 180, 45, -45, 135, -135, 90, -90, 20, -20, 160, -160))
_POINT_RADIUS = 6.0
_NEAR = 10.0
"""Names this near to their point need no line."""
_LONGEST = 28


def short(name: str) -> str:
    """The name, if need be without its middle; characters that the font lacks as escapes."""
    if len(name) > _LONGEST:
        head = _LONGEST // 2
        name = f"{name[:head]}…{name[head + 1 - _LONGEST :]}"
    drawn = _drawn_characters()
    return "".join(
        each if ord(each) in drawn and each.isprintable() else each.encode("unicode_escape").decode() for each in name
    )


@cache
def _drawn_characters() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(FONT)).get_charmap())


def label_points(
    axes: Axes, points: Sequence[tuple[float, float]], names: Sequence[str], weights: Sequence[str], colour: str
) -> list[Annotation]:
    """Write each name near its point, in data coordinates, first names first; far ones get a thin line to the point.

    Call it when the rest of the figure is drawn: places are found in pixels, so the figure is arranged for good.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.text import Text

    figure = axes.get_figure(root=True)
    assert figure is not None
    arrange(figure)
    inch = figure.dpi / 72
    halo = [withStroke(linewidth=2.2, foreground="white")]
    frame = axes.get_window_extent()
    bounds = (frame.x0, frame.y0, frame.x1, frame.y1)
    centres = [tuple(axes.transData.transform(point)) for point in points]
    radius = _POINT_RADIUS * inch
    taken: list[Box] = [(x - radius, y - radius, x + radius, y + radius) for x, y in centres]
    notes = []
    for point, centre, name, weight in zip(points, centres, names, weights, strict=True):
        note = axes.annotate(
            name, point, xytext=(0, 0), textcoords="offset points", ha="center", va="center", fontsize=8,
            fontweight=weight, color=colour, annotation_clip=False, path_effects=halo,
            arrowprops={"arrowstyle": "-", "color": "#9aa1ab", "linewidth": 0.6, "shrinkA": 1, "shrinkB": 3},
        )  # fmt: skip
        extent = Text.get_window_extent(note)
        offset, box = _best_place(centre, extent.width, extent.height, inch, taken, bounds)
        note.set_position((offset[0] / inch, offset[1] / inch))
        if note.arrow_patch is not None and _gap(centre, box) < _NEAR * inch:
            note.arrow_patch.set_visible(False)
        taken.append(box)
        notes.append(note)
    return notes


def _best_place(
    centre: Sequence[float], width: float, height: float, inch: float, taken: Sequence[Box], bounds: Box
) -> tuple[tuple[float, float], Box]:
    """Offset of the label's middle in pixels and its box: the nearest place that covers least."""
    best: tuple[float, tuple[float, float], Box] | None = None
    for distance in _DISTANCES:
        for angle in _DIRECTIONS:
            dx = math.cos(angle) * (distance * inch + width / 2)
            dy = math.sin(angle) * (distance * inch + height / 2)
            x, y = centre[0] + dx, centre[1] + dy
            box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            covered = sum(overlap(box, other) for other in taken) + 2 * (width * height - overlap(box, bounds))
            if best is None or covered < best[0]:
                best = (covered, (dx, dy), box)
            if covered <= 0:
                return (dx, dy), box
    assert best is not None, "there are places to try"
    return best[1], best[2]


def overlap(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0.0) * max(height, 0.0)


def _gap(point: Sequence[float], box: Box) -> float:
    dx = max(box[0] - point[0], 0.0, point[0] - box[2])
    dy = max(box[1] - point[1], 0.0, point[1] - box[3])
    return math.hypot(dx, dy)
