"""A page stands alone, says what it is given, and lets no text become markup."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simoffload.analysis.page import (
    Cell,
    Folded,
    Listing,
    Page,
    Paragraph,
    Picture,
    Section,
    Table,
    agent_cell,
    estimate,
    number,
    render,
    share,
    strong,
    write_page,
    write_picture,
)
from simoffload.analysis.palette import agent_style, new_figure, theme
from simoffload.record.durable import RecordError

from .html_reading import parsed

TABLE = Table(
    "sizes", "Sizes of things.", ("thing", "size"), [[Cell("a"), number(1.23456)], [Cell("b"), number(math.nan)]]
)


def page_of(*blocks: object, warnings: tuple[str, ...] = ()) -> Page:
    return Page("A title", "over", "About", warnings, ["The answer."], [Section("one", "One", blocks)])  # type: ignore[arg-type]


def drawn(size: int = 3) -> object:
    with theme():
        figure = new_figure(2.0)
        figure.subplots().plot(range(size), [(7 * k) % 11 for k in range(size)], "o")
    return figure


def test_all_parts_of_a_page_are_there_in_reading_order() -> None:
    page = page_of(
        Paragraph("First words."), TABLE, Listing("simoffload run"), Folded("More", [Paragraph("Hidden words.")])
    )
    document = parsed(render(page))
    assert [element.text for element in document.all("h1")] == ["A title"]
    assert document.by_id("answer").text == "The answer."
    text = document.text
    order = ["over", "A title", "About", "The answer.", "First words.", "Sizes of things.", "simoffload run", "Hidden"]
    places = [text.index(piece) for piece in order[:1]] + [text.rindex(piece) for piece in order[1:]]
    assert places[1:] == sorted(places[1:])


def test_contents_lead_to_sections() -> None:
    document = parsed(render(page_of(Paragraph("text"))))
    (link,) = document.all("a")
    assert link.attributes["href"] == "#one"
    assert document.by_id("one").tag == "section"


def test_a_warning_is_seen_before_the_answer() -> None:
    html = render(page_of(warnings=("It stopped.",)))
    assert 'role="note"' in html
    assert html.index("It stopped.") < html.index("The answer.")
    assert "Incomplete." not in render(page_of())


def test_cells_carry_the_unrounded_numbers() -> None:
    cells = parsed(render(page_of(TABLE))).by_id("sizes").rows()
    assert [cell.tag for cell in cells[0]] == ["th", "td"]
    assert (cells[0][1].text, cells[0][1].attributes["data-mean"]) == ("1.23", "1.23456")
    assert "data-mean" not in cells[1][1].attributes


def test_kinds_of_cells() -> None:
    assert estimate(9.7412, 0.1713, "close") == Cell("9.74 ± 0.17", 9.7412, 0.1713, mark="close")
    assert estimate(1.0, math.inf) == Cell("1.00 ± ?", 1.0, None)
    assert share(0.256) == Cell("25.6 %", 0.256)
    assert agent_cell("random").colour == agent_style("random").colour


@settings(max_examples=50)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40))
def test_no_text_becomes_markup(text: str) -> None:
    blocks = (Paragraph(text), Listing(text), Table("t", text, (text,), [[Cell(text, mark=text)]]), Folded(text, []))
    page = Page(text, text, text, [text], [strong(text, text, text)], [Section("one", text, blocks)])
    document = parsed(render(page))
    expected = parsed(render(Page("x", "x", "x", ["x"], [strong("x", "x", "x")], [Section("one", "x", _plain())])))
    assert [element.tag for element in document.all()] == [element.tag for element in expected.all()]
    assert next(document.all("pre")).text == " ".join(text.split())


def _plain() -> tuple[object, ...]:
    return (Paragraph("x"), Listing("x"), Table("t", "x", ("x",), [[Cell("x", mark="x")]]), Folded("x", []))


def test_quotes_do_not_end_attributes() -> None:
    picture = Picture("p", '" onload="alert(1)', "caption", "data:image/png;base64,AAAA")
    (image,) = parsed(render(page_of(picture))).all("img")
    assert set(image.attributes) == {"src", "alt"}
    assert image.attributes["alt"] == '" onload="alert(1)'


def test_emphasis_is_markup_around_escaped_text() -> None:
    assert strong("a < ", "b & c", " > d") == "a &lt; <strong>b &amp; c</strong> &gt; d"


def test_a_picture_is_embedded_and_left_beside_the_page(tmp_path: Path) -> None:
    picture = write_picture(drawn(), tmp_path / "figures", "name", "Title", "Caption")  # type: ignore[arg-type]
    svg = (tmp_path / "figures" / "name.svg").read_bytes()
    assert (tmp_path / "figures" / "name.png").read_bytes().startswith(b"\x89PNG")
    assert picture.source.startswith("data:image/svg+xml;base64,")
    assert b64decode(picture.source.partition(",")[2]) == svg


def test_a_picture_of_very_many_points_is_embedded_as_pixels(tmp_path: Path) -> None:
    picture = write_picture(drawn(9000), tmp_path, "name", "Title", "Caption")  # type: ignore[arg-type]
    assert picture.source.startswith("data:image/png;base64,")
    assert b64decode(picture.source.partition(",")[2]) == (tmp_path / "name.png").read_bytes()


def test_a_picture_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    one, two = (write_picture(drawn(), tmp_path / name, "p", "", "") for name in "ab")  # type: ignore[arg-type]
    assert one == two
    assert (tmp_path / "a" / "p.png").read_bytes() == (tmp_path / "b" / "p.png").read_bytes()


def test_embedded_drawings_fetch_nothing(tmp_path: Path) -> None:
    write_picture(drawn(), tmp_path, "p", "", "")  # type: ignore[arg-type]
    links = re.findall(r'(?:href|src)="([^"]*)"', (tmp_path / "p.svg").read_text())
    assert all(link.startswith("#") for link in links)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "figures").write_text("a file")
    with pytest.raises(RecordError, match=r"cannot make .*figures"):
        write_picture(drawn(), tmp_path / "figures", "p", "", "")  # type: ignore[arg-type]


def test_a_page_is_written_whole(tmp_path: Path) -> None:
    page = page_of(Paragraph("Ein § und ein 強"))
    path = write_page(page, tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == render(page)
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]
