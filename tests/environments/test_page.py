"""The page on the decision process says what is so, and its examples run as they stand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simoffload.decision.features import ORDER_COLUMNS, POSITION_COLUMNS
from simoffload.environments import Controller, EdgeAgents
from simoffload.environments.view import LINE_ROWS
from simoffload.run.plant_state import STATE_COLUMNS
from tests.pages import dead_links, is_in_readme, page

PAGE = page("decision-process.md")
GYMNASIUM, PETTINGZOO = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def table_after(words: str) -> list[str]:
    """The first column of the first table after these words."""
    lines = PAGE[PAGE.index(words) :].splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| --- "))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append(line.split("|")[1].strip())
    return rows


def names(cells: list[str]) -> list[str]:
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_columns_are_those_of_the_features_in_order() -> None:
    assert tuple(names(table_after("### Columns of positions"))) == POSITION_COLUMNS
    assert tuple(names(table_after("### Columns of orders"))) == ORDER_COLUMNS
    assert f"`columns` is {len(POSITION_COLUMNS)}" in PAGE
    assert f"it is {len(POSITION_COLUMNS)} + {len(ORDER_COLUMNS)}" in PAGE
    assert f"with orders at least {LINE_ROWS}:" in PAGE


def test_the_state_has_the_columns_of_the_page() -> None:
    assert table_after("## The state") == [str(number) for number in range(STATE_COLUMNS)]
    assert f"`[{STATE_COLUMNS}]`" in PAGE


def test_both_environments_tell_what_the_page_lists() -> None:
    listed = set(names(table_after("`info` of both")))
    controller, agents = Controller(), EdgeAgents()
    assert set(controller.reset()[1]) == listed | {"action_mask", "refused"}
    agents.reset()
    assert all(set(info) == listed for info in agents.infos.values())


def test_the_example_of_one_controller_runs(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, Any] = {}
    exec(GYMNASIUM, known)
    assert known["terminated"]
    assert known["total"] == pytest.approx(-known["env"].unwrapped.process.world.recorder.objective.sum, abs=1e-9)
    assert f"mean objective {-known['total'] / 20:.3f} after" in capsys.readouterr().out


def test_the_example_of_many_agents_runs(capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, Any] = {}
    exec(PETTINGZOO, known)
    total = -known["env"].process.world.recorder.objective.sum
    assert known["env"].agents == []
    assert all(each == pytest.approx(total, abs=1e-9) for each in known["returns"].values())
    assert "edge_0" in capsys.readouterr().out


def test_the_page_is_found_from_the_readme_and_from_agents() -> None:
    assert is_in_readme("decision-process.md")
    assert "(decision-process.md)" in page("agents.md")
    assert dead_links(PAGE) == []
