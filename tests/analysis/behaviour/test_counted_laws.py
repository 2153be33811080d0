"""Without rows, what a summary counts is held against the laws that can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from simoffload.analysis.behaviour.counted_laws import counted_laws_in_words
from simoffload.analysis.runs import Summary

from ..synthetic import Behaviour, write_run


@pytest.fixture
def content(tmp_path: Path) -> dict[str, Any]:
    return write_run(tmp_path / "run", "weighted-greedy", Behaviour())


def words(content: dict[str, Any]) -> str:
    return counted_laws_in_words(TypeAdapter(Summary).validate_python(content))


def test_what_holds_is_said_with_the_largest_residual_and_what_is_missing(content: dict[str, Any]) -> None:
    stations = len(content["nodes"]) + len(content["links"])
    assert words(content) == (
        f"Little's law holds at {stations} nodes and links, the largest residual is 1.0e-15; tasks balance. "
        "Not checked: the other laws, which need rows (--records full)."
    )


def test_stations_that_nobody_visited_have_nothing_to_check(content: dict[str, Any]) -> None:
    for station in (*content["nodes"].values(), *content["links"].values()):
        station["little_residual"] = None
    assert words(content).startswith("Nobody came to any node or link; tasks balance.")


def test_a_station_where_littles_law_fails_is_named(content: dict[str, Any]) -> None:
    content["nodes"]["cloud"]["little_residual"] = 0.25
    assert words(content).startswith("Little's law FAILS at cloud, the largest residual is 2.5e-01; tasks balance.")


def test_tasks_that_are_lost_are_told(content: dict[str, Any]) -> None:
    content["tasks"] |= {"arrived": 60, "completed": 57, "dropped": 1, "in_system": 1}
    assert "; flow balance of tasks FAILS: 60 arrived, 57 completed, 1 dropped, 1 in the system." in words(content)
