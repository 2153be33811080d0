"""A trained policy is an agent by the path of its files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simoffload.agents.policy_file import write_policy
from simoffload.run.agents import AgentError, load_agent
from simoffload.run.comparison import compare
from simoffload.run.simulation import simulate
from tests.agents.learning.episodes import busy, heads


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    write_policy(tmp_path / "policy", heads(1, orders=False), {})
    return tmp_path / "policy"


@pytest.mark.parametrize("suffix", ["", ".json", ".safetensors"])
def test_either_file_names_the_policy(policy: Path, suffix: str) -> None:
    summary = simulate(busy(), f"trained:{policy}{suffix}")
    assert (summary["agent"], summary["status"]) == (f"trained:{policy}{suffix}", "complete")


def test_a_name_may_have_dots(policy: Path, tmp_path: Path) -> None:
    write_policy(tmp_path / "policy.v2", heads(2, orders=False), {})
    dotted, beside = (simulate(busy(), f"trained:{path}") for path in (tmp_path / "policy.v2", policy))
    assert dotted["objective"] != beside["objective"]
    assert simulate(busy(), f"trained:{tmp_path / 'policy.v2.json'}")["objective"] == dotted["objective"]


def test_the_directory_of_a_training_names_the_policy_in_it(policy: Path) -> None:
    named, by_files = (simulate(busy(), f"trained:{path}") for path in (policy.parent, policy))
    assert named["objective"] == by_files["objective"]


def test_what_is_no_policy_is_told(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"agent 'trained:.*none' .* cannot be made: cannot read the policy .*none"):
        load_agent(f"trained:{tmp_path / 'none'}")


@pytest.mark.parametrize(
    "made",
    [
        Path.mkdir,
        pytest.param(os.mkfifo, marks=pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")),
    ],
)
@pytest.mark.parametrize("name", ["policy.json", "policy.safetensors"])
def test_what_is_no_file_that_ends_is_told(policy: Path, name: str, made: Callable[[Path], None]) -> None:
    (policy.parent / name).unlink()
    made(policy.parent / name)
    with pytest.raises(AgentError, match=rf"cannot be made: cannot read the policy .*{name}: "):
        load_agent(f"trained:{policy}")


def test_its_runs_stand_in_a_comparison_like_any_others(policy: Path, tmp_path: Path) -> None:
    name = f"trained:{policy}"
    compare(busy(), ["eft", name], [1, 2], tmp_path / "comparison")
    assert len(list((tmp_path / "comparison" / "runs").iterdir())) == 2
