"""Hypothesis strategies for rows of any layout."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st

from simoffload.record.rows import LAYOUTS, Layout

RANGES = {"q": (-(2**63), 2**63 - 1), "i": (-(2**31), 2**31 - 1), "b": (-128, 127)}

LAYOUT = st.sampled_from(LAYOUTS)


def row(layout: Layout) -> st.SearchStrategy[tuple[Any, ...]]:
    """Values for the columns of a layout, nan and infinities among them."""
    return st.tuples(*(st.integers(*RANGES[c.code]) if c.code in RANGES else st.floats() for c in layout.columns))


@st.composite
def rows(draw: st.DrawFn, max_size: int = 40) -> tuple[Layout, list[tuple[Any, ...]]]:
    """A layout and rows of it."""
    layout = draw(LAYOUT)
    return layout, draw(st.lists(row(layout), max_size=max_size))


def packed(layout: Layout, values: list[tuple[Any, ...]]) -> bytes:
    """The bytes of rows."""
    return b"".join(struct.pack(layout.format, *each) for each in values)
