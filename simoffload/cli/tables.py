"""Tables: to the width of the terminal where there is one, else a line per row however long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

LONGEST_NAME = 30
"""The first column is not folded if no entry is longer."""


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> None:
    """Print a table to stdout; the first column has names, the last ones, as many as `numbers` says, numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    is_short = all(len(row[0]) <= LONGEST_NAME for row in rows)
    for place, head in enumerate(heads):
        justify: Literal["left", "right"] = "right" if place >= len(heads) - numbers else "left"
        table.add_column(Text(head), justify=justify, overflow="fold", no_wrap=place == 0 and is_short)
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = console.measure(table, options=console.options.update(max_width=10**6)).maximum
    with console.capture() as printed:
        console.print(table)
    for line in printed.get().splitlines():
        click.echo(line.rstrip())
