"""Reading pages back: a small tree of elements, strict about tags that do not match; and what every page must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}


@dataclass
class Element:
    """A tag, its attributes, and what it contains."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, spaces folded."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            else:
                yield from child._pieces()

    def all(self, tag: str | None = None) -> Iterator[Element]:
        """This and all elements inside, of one kind or of any."""
        if tag is None or self.tag == tag:
            yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.all(tag)

    def by_id(self, name: str) -> Element:
        """The one element with an id."""
        (found,) = [element for element in self.all() if element.attributes.get("id") == name]
        return found

    def rows(self) -> list[list[Element]]:
        """The cells of a table's body."""
        (body,) = self.all("tbody")
        return [[cell for cell in row.children if isinstance(cell, Element)] for row in body.all("tr")]


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("document", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(html: str) -> Element:
    """The document; AssertionError where a closing tag is not that of the innermost open element."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == [parser.root], f"<{parser.open[-1].tag}> is never closed"
    return parser.root


def pictures(page: Element) -> list[str]:
    """The names of its pictures, in order."""
    return [figure.attributes["id"] for figure in page.all("figure")]


def assert_stands_alone(page: Element) -> None:
    """It fetches nothing and runs nothing."""
    tags = {element.tag for element in page.all()}
    assert not tags & {"script", "link", "iframe", "object", "base"}
    (style,) = page.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    for element in page.all():
        assert element.attributes.get("src", "data:image/").startswith("data:image/")
        assert element.attributes.get("href", "#").startswith("#")


def assert_well_linked(page: Element) -> None:
    """Ids are unique, and what refers to one finds it."""
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    for element in page.all():
        for name in ("aria-labelledby", "aria-describedby"):
            assert element.attributes.get(name, ids[0]) in ids
        assert element.attributes.get("href", f"#{ids[0]}")[1:] in ids


def warnings_of(page: Element) -> list[str]:
    """What it warns of, above the answer."""
    return [element.text for element in page.all("p") if element.attributes.get("class") == "warning"]
