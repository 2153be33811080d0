"""One visual language for all pictures: the theme, and the colour that an agent, a stage or a part of latency keeps.

Hues are seaborn's colour-blind safe ones. There are fewer hues than agents, so hue stands for a family of agents;
lightness, dash and marker tell its members apart, and no picture relies on hue alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simoffload.record.durable import make_directory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION, PURPLE = "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"
TAN, PINK, GREY, YELLOW, SKY = "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"
INK, FAINT, PALE = "#22262e", "#6b7280", "#d9dde3"

STAGE_COLOURS = {"explain": SKY, "analyze": ORANGE, "generate": GREEN}
PART_COLOURS = {"transfer": PURPLE, "waiting": "#f2c14e", "service": BLUE}
"""Parts of a latency."""
LINK_COLOUR = PURPLE

FONT = "DejaVu Sans"
"""Comes with matplotlib, so that figures look the same everywhere."""
DPI = 150
WIDTH_IN = 7.6
"""Width of every figure, so that type has one size throughout a report."""


@dataclass(frozen=True, slots=True)
class AgentStyle:
    """How an agent is drawn: hue, dash of its lines, marker of its points (both in matplotlib's terms)."""

    colour: str
    dash: Any
    marker: str


_SOLID, _DASHED, _DOTTED, _MIXED = "solid", (0, (5, 1.8)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5))
_DASHES = (_SOLID, _DASHED, _DOTTED, _MIXED)
_MARKERS = "osD^vPX<>p"

_FAMILIES: tuple[dict[str, str], ...] = (
    {"random": GREY, "round-robin": "#5f6672", "join-shortest-queue": "#b9bec7"},
    {"all-edge": TAN, "all-cloud": "#7d5526"},
    {"eft": BLUE, "eft-wspt": "#00395c", "heft": SKY, "peft": "#8fb7ff"},
    {"eft-measured": "#0b5563", "eft-ucb": "#5fa8b8", "eft-ucb-tuned": "#1f8a8a"},
    {"weighted-greedy": GREEN, "weighted-greedy-wspt": "#004d38", "weighted-greedy-rank": "#7ccdb2"},
    {"critical-path": PURPLE, "tuned-index": INK},
    {"threshold-router": ORANGE, "threshold-router-tuned": "#8a5a00"},
    {"linucb": "#a3a533", "ucb1": "#6f7117"},
    {"dqn": "#6a51a3", "ippo": "#9e8ac8", "mappo": "#3f007d", "qmix": PINK},
    {"ucb-coma": VERMILION, "ucb-coma-argmax": "#f4a261", "coma-epsilon": "#8c2d04", "coma-entropy": "#e7745b"},
    {"ucb-coma-generalist": "#9a1b1e"},
)
_FREE_HUES = ("#00a6a6", "#c2185b", "#304ffe", "#7cb518", "#ff5d8f")
"""Hues that no bundled agent has."""


def agent_style(name: str) -> AgentStyle:
    """The style of an agent, a function of its name alone: bundled ones by family, others by a hash of the name.

    So an agent looks the same in every report; of agents that are not bundled, one pair in twenty shares its lines.
    """
    for family in _FAMILIES:
        if name in family:
            place = list(family).index(name)
            return AgentStyle(family[name], _DASHES[place], _MARKERS[place])
    digest = blake2b(name.encode(), digest_size=3).digest()
    hue, dash, marker = digest
    return AgentStyle(_FREE_HUES[hue % len(_FREE_HUES)], _DASHES[dash % len(_DASHES)], _MARKERS[marker % len(_MARKERS)])


@contextmanager
def theme() -> Iterator[None]:
    """Seaborn's white grid at the size of type of a report, for drawing and for saving; undone at the end."""
    import matplotlib
    import seaborn  # type: ignore[import-untyped]

    settings = {
        **seaborn.axes_style("whitegrid"),
        **seaborn.plotting_context("paper"),
        "font.family": [FONT],
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "legend.fontsize": 8.5,
        "legend.frameon": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.edgecolor": "#9aa1ab",
        "axes.linewidth": 0.8,
        "grid.color": "#e6e8ec",
        "grid.linewidth": 0.7,
        "xtick.bottom": True,
        "xtick.major.size": 3,
        "xtick.major.width": 0.8,
        "figure.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "svg.hashsalt": "simoffload",
        "path.simplify": True,
        "text.parse_math": False,  # names may hold dollar signs
    }
    with matplotlib.rc_context(settings):
        yield


def new_figure(height_in: float) -> Figure:
    """An empty figure of report width that arranges itself; it belongs to no window and to no list of open figures."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in), layout="constrained")


def arrange(figure: Figure) -> None:
    """Let the figure arrange itself once and for all: saving it, in whatever formats, no longer moves anything."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    make_directory(path.parent)
    with theme():
        figure.savefig(path, metadata={"Software": None})
