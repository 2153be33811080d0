"""Pages for people: paragraphs, tables and pictures in reading order, as one HTML file that needs nothing else.

Text is escaped; only what `strong` returns, and what it is put into, is markup. Pictures are embedded, and written
beside the page too.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from simoffload.record.durable import make_directory, write_durably

from .numbers import percent, plus_minus, rounded
from .palette import agent_style, arrange, theme

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

REPORT_FILE = "report.html"
FIGURES = "figures"
"""The folder of a page's pictures, beside it."""

_LARGEST_SVG = 350_000
"""Beyond as many bytes a picture is embedded as pixels."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An entry of a table: what is shown, and the unrounded number behind it for programs that read the page."""

    text: str
    mean: float | None = None
    half_width: float | None = None
    colour: str = ""
    mark: str = ""
    """A remark set off from the text, such as `not distinguishable`."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell of a row is its head."""

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    kind: ClassVar[str] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """An embedded picture with its caption."""

    name: str
    title: str
    caption: str
    source: str
    kind: ClassVar[str] = "picture"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of text."""

    text: str
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True, slots=True)
class Listing:
    """Text as it stands in a file or on a command line."""

    text: str
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True, slots=True)
class Folded:
    """What is shown only when asked for."""

    title: str
    blocks: Sequence[Block]
    kind: ClassVar[str] = "folded"


Block = Table | Picture | Paragraph | Listing | Folded


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it is about, what is wrong with it, the answer, and the sections that lead from it into detail."""

    title: str
    overline: str
    description: str
    warnings: Sequence[str]
    answer: Sequence[str]
    sections: Sequence[Section]


def strong(before: str, name: str, after: str) -> Markup:
    """A sentence with emphasis on a name; all of it is escaped."""
    from markupsafe import Markup

    return Markup("{}<strong>{}</strong>{}").format(before, name, after)


def estimate(mean: float, half_width: float, mark: str = "") -> Cell:
    """A mean with its half-width."""
    return Cell(plus_minus(mean, half_width), _finite(mean), _finite(half_width), mark=mark)


def number(value: float, digits: int = 3) -> Cell:
    """A number without an interval."""
    return Cell(rounded(value, digits), _finite(value))


def share(value: float) -> Cell:
    """A share of 1 as a percentage."""
    return Cell(percent(value, 1), _finite(value))


def text(value: object) -> Cell:
    """Words or a whole number."""
    return Cell(str(value))


def agent_cell(name: str) -> Cell:
    """An agent with the colour that it has in the pictures."""
    return Cell(name, colour=agent_style(name).colour)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def write_picture(figure: Figure, directory: Path, name: str, title: str, caption: str) -> Picture:
    """Write `<name>.png` and `<name>.svg` into a directory, and return the picture for a page.

    The drawing is embedded as SVG, sharp at any size, unless that would be large. RecordError when nothing can be
    written there.
    """
    drawing, pixels = BytesIO(), BytesIO()
    with theme():
        arrange(figure)
        figure.savefig(drawing, format="svg", metadata={"Date": None})
        figure.savefig(pixels, format="png")
    make_directory(directory)
    write_durably(directory / f"{name}.svg", drawing.getvalue())
    write_durably(directory / f"{name}.png", pixels.getvalue())
    as_svg = len(drawing.getvalue()) <= _LARGEST_SVG
    media, content = ("svg+xml", drawing) if as_svg else ("png", pixels)
    source = f"data:image/{media};base64,{b64encode(content.getvalue()).decode()}"
    return Picture(name, title, caption, source)


def write_page(page: Page, path: Path) -> Path:
    """Write the page as HTML; RecordError when it cannot be written."""
    write_durably(path, render(page).encode())
    return path


def render(page: Page) -> str:
    """The page as HTML."""
    from jinja2 import Environment, StrictUndefined

    source = files(__package__).joinpath("report.html.j2").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(page=page)
