"""Pages of the documentation as tests read them: their sections, the rows of their tables, where their links lead."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one."""
    rest = re.split(rf"^#+ {re.escape(heading)}\n", text, flags=re.MULTILINE)[1]
    return re.split(r"^#", rest, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of tables that begin with something in code."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def dead_links(text: str) -> list[str]:
    """What a page links to beside it that is not there."""
    return [target for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text) if not (DOCS / target).exists()]


def is_in_readme(name: str) -> bool:
    """Whether the README leads to a page."""
    return f"(docs/{name})" in (DOCS.parent / "README.md").read_text(encoding="utf-8")
