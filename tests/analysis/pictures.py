"""What every picture must be: text inside its edges, and labels of ticks that do not cover each other."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from simoffload.analysis.palette import arrange, theme


def assert_readable(figure: Figure) -> None:
    """Arrange the figure and look at all of its text."""
    with theme():
        arrange(figure)
        figure.draw_without_rendering()
    edge = figure.bbox
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text() and _is_drawn(text, figure):
            box = Text.get_window_extent(text)  # of the words, without the arrow of an annotation
            assert edge.x0 - 1 <= box.x0 and box.x1 <= edge.x1 + 1, f"{text.get_text()!r} leaves the picture sideways"
            assert edge.y0 - 1 <= box.y0 and box.y1 <= edge.y1 + 1, f"{text.get_text()!r} leaves the picture"
    for axes in figure.axes:
        if axes.get_visible():
            _assert_ticks_apart(axes)


def _is_drawn(text: Text, figure: Figure) -> bool:
    """Whether it is no label of a tick beyond the limits or of an axis that is hidden."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [label for tick in axis.get_major_ticks() for label in (tick.label1, tick.label2)]
            if text in labels:
                shown = [tick.label1 for tick in axis.get_major_ticks() if _is_within(axis.get_view_interval(), tick)]
                return axes.get_visible() and axis.get_visible() and text in shown
        if text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
            return axes.get_visible()
    return True


def _is_within(interval: object, tick: object) -> bool:
    low, high = sorted(interval)  # type: ignore[call-overload]
    return bool(low <= tick.get_loc() <= high)  # type: ignore[attr-defined]


def _assert_ticks_apart(axes: Axes) -> None:
    for axis, side in ((axes.xaxis, 0), (axes.yaxis, 1)):
        ticks = [tick for tick in axis.get_major_ticks() if _is_within(axis.get_view_interval(), tick)]
        labels = [tick.label1 for tick in ticks if tick.label1.get_visible() and tick.label1.get_text()]
        if any(label.get_rotation() % 90 for label in labels):
            continue
        spans = sorted((label.get_window_extent().min[side], label.get_window_extent().max[side]) for label in labels)
        for (_, end), (begin, _) in pairwise(spans):
            assert end <= begin + 1, f"labels {[label.get_text() for label in labels]} cover each other"


def texts(axes: Axes) -> list[str]:
    """What is written into the axes."""
    return [text.get_text() for text in axes.texts]


def tick_names(axes: Axes) -> list[str]:
    """What is written at the ticks of the y axis."""
    return [label.get_text() for label in axes.get_yticklabels()]
