"""The page on results lists every column of the rows and every key of the JSON beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simoffload.record.rows import LAYOUTS, LOSSES, Layout
from simoffload.run.comparison import compare
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario
from simoffload.schema.base import MODALITIES, STAGES
from tests.pages import dead_links, is_in_readme, page, rows, section

PAGE = page("results.md")
SETTINGS = ["horizon={tasks: 4}", "objective={latency_reference: 10 s, cost_reference: 0.003 USD}"]


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_the_columns_are_those_of_the_rows_in_order(layout: Layout) -> None:
    told = [(cells[0].strip("`"), cells[1]) for cells in rows(section(PAGE, layout.name.capitalize()))]
    assert told == [(column.name, column.arrow_type) for column in layout.columns]


def test_codes_stand_for_what_the_page_says() -> None:
    told = {cells[0]: cells[2] for cells in rows(section(PAGE, "Subtasks"))}
    assert told["`stage`"] == ", ".join(f"{number}: {name}" for number, name in enumerate(STAGES))
    assert told["`modality`"] == ", ".join(f"{number}: {name}" for number, name in enumerate(MODALITIES))
    causes = next(cells[2] for cells in rows(section(PAGE, "Attempts")) if cells[0] == "`cause`")
    assert [f"{number}: " in causes for number in range(len(LOSSES) + 1)] == [True] * len(LOSSES) + [False]


def keys(tree: Any) -> Iterator[str]:
    """All keys of a JSON document whose names are not those of a scenario."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from keys(value)
    elif isinstance(tree, list) and tree:
        yield from keys(tree[0])


def test_every_key_of_a_summary_is_told_of(tmp_path: Path) -> None:
    simulate(load_scenario("tiny", SETTINGS), "eft", tmp_path)
    summary = json.loads((tmp_path / "summary.json").read_bytes())
    for name, inside in [("latency_batches", []), ("versions", []), ("stages", ["explain"]), ("nodes", ["cloud"])]:
        summary[name] = {key: summary[name][key] for key in inside}
    summary["links"] = {}
    summary["faults"]["attempts_lost"] = {}
    named = set(re.findall(r"`(\w+)`", section(PAGE, "Summary"))) | {"explain", "cloud"}
    assert set(keys(summary)) - named == set()


def test_every_key_of_a_comparison_is_told_of(tmp_path: Path) -> None:
    compare(load_scenario("tiny", SETTINGS), ["eft"], [1, 2], tmp_path, 1)
    found = json.loads((tmp_path / "comparison.json").read_bytes())
    named = set(re.findall(r"`(\w+)`", section(PAGE, "A comparison")))
    assert set(found) - named == set()
    assert set(found["agents"]["eft"]) - named == set()


def test_the_page_is_found_and_its_links_lead_somewhere() -> None:
    assert is_in_readme("results.md")
    assert dead_links(PAGE) == []
