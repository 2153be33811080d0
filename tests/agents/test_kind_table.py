"""A table of costs as a policy: what it takes, and files of which none but its own are read."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simoffload.agents.kind_table import TableAgent, best_of, read_table, write_table
from simoffload.agents.learning.counts import ACTIONS, KEYS
from simoffload.record.durable import RecordError
from simoffload.run.agents import AgentError, load_agent
from simoffload.testing import check_agent, small_scenarios
from tests.agents.learning.episodes import busy
from tests.decision.test_staleness import run


def table(seed: int = 1) -> Any:
    generator = np.random.default_rng(seed)
    means = generator.random((KEYS, ACTIONS))
    means[generator.random((KEYS, ACTIONS)) < 0.2] = np.nan
    return means


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_table(tmp_path / "policy", table(), {"scenario": "tiny"})
    return tmp_path / "policy"


def changed(path: Path, **values: Any) -> None:
    file = path.with_suffix(".json")
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def sight(*finish_s: float, up: list[int] | None = None) -> Any:
    """What is seen of nodes, some of them known to be down."""
    return SimpleNamespace(
        finish_s=np.array(finish_s), rows_that_may_be=np.arange(len(finish_s)) if up is None else np.array(up)
    )


def test_of_the_best_rows_the_one_that_is_finished_first_is_taken() -> None:
    seen = sight(1.0, 9.0, 3.0, 5.0)
    assert best_of(np.array([0.0, 2.0, 2.0, 2.0]), seen) == 2
    assert best_of(np.array([3.0, 2.0, 2.0, 2.0]), seen) == 0


def test_of_nodes_known_to_be_down_none_is_taken_where_another_is_up() -> None:
    seen = sight(1.0, 9.0, 3.0, 5.0, up=[1, 3])
    assert best_of(np.array([0.0, 2.0, 2.0, 2.0]), seen) == 3
    assert best_of(np.array([9.0, -np.inf, 9.0, -np.inf]), seen) == 3


def test_what_is_unknown_comes_last_and_where_nothing_is_known_the_first_to_finish_is_taken() -> None:
    seen = sight(4.0, 3.0, 5.0)
    worth = TableAgent(np.full((KEYS, ACTIONS), np.nan))._worth[0]
    assert best_of(worth, seen) == 1
    known = np.full((KEYS, ACTIONS), np.nan)
    known[0, 2] = 99.0
    assert best_of(TableAgent(known)._worth[0], seen) == 2


def test_it_is_a_sound_agent() -> None:
    tiny, factory, *_ = small_scenarios()
    check_agent(lambda: TableAgent(table()), [tiny, factory])


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_a_table_from_a_file_decides_as_it_did_before_it_was_written(path: Path, suffix: str) -> None:
    scenario = busy()
    read = load_agent(f"trained:{path}{suffix}")
    assert run(scenario, read, misled=False) == run(scenario, TableAgent(table()), misled=False)
    assert run(scenario, read, misled=False) != run(scenario, TableAgent(table(2)), misled=False)
    assert np.array_equal(read_table(path), table(), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"format": 2}, "is no cost-table of format 1"),
        ({"kind": None}, "is no cost-table of format 1"),
        ({"load_bounds": [0.1]}, "its table is of other situations than this version has"),
        ({"means": [[1.0, 2.0, 3.0]]}, "has no means of 60 situations and 3 kinds of place"),
        ({"means": None}, "has no means"),
        ({"means": [[1.0], [2.0, 3.0]]}, "has no means"),
        ({"means": "many"}, "has no means"),
        ({"means": [[1e999, 1.0, 1.0]] * 60}, "has no means"),
    ],
)
def test_another_table_is_refused(path: Path, values: dict[str, Any], message: str) -> None:
    changed(path, **values)
    with pytest.raises(RecordError, match=message) as caught:
        read_table(path)
    assert str(path.with_suffix(".json")) in str(caught.value)


def test_a_file_that_is_missing_or_broken_is_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot read the policy .*none\.json"):
        read_table(tmp_path / "none")
    path.with_suffix(".json").write_text("{")
    with pytest.raises(RecordError, match=r"policy\.json is not JSON"):
        read_table(path)


def test_as_an_agent_it_tells_what_is_wrong(path: Path) -> None:
    changed(path, load_bounds=[])
    with pytest.raises(AgentError, match="its table is of other situations"):
        load_agent(f"trained:{path}")
