"""Entrants: who acts under a name is told by what it depends on, so that no number outlives the policy it is of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from simoffload.study import entrants as module
from simoffload.study.entrants import WEIGHTS, entrants
from simoffload.study.reading import read_study

from .examples import write


def test_a_rule_is_known_by_its_name(tmp_path: Path) -> None:
    (rule,) = entrants(read_study(write(tmp_path)), "eft", tmp_path)
    assert (rule.name, rule.loads, rule.key) == ("eft", "eft", "eft")


def test_a_rule_with_another_order_is_known_by_both(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    (rule,) = entrants(study, "wspt:critical-path", tmp_path)
    assert (rule.name, rule.loads, rule.key) == ("wspt:critical-path", "wspt:critical-path", "wspt-critical-path")
    (index,), (plain,) = entrants(study, "fifo:tuned-index", tmp_path), entrants(study, "tuned-index", tmp_path)
    assert index.key == f"fifo-{plain.key}"


@pytest.mark.parametrize("agent", ["ucb-coma", "ucb-coma-generalist", "tuned-index"])
def test_a_policy_of_the_package_is_known_by_its_weights(
    agent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = read_study(write(tmp_path))
    weights = shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(module, "WEIGHTS", weights)
    (before,) = entrants(study, agent, tmp_path)
    assert (before.name, before.loads) == (agent, agent)
    assert before.key.startswith(f"{agent}-policy-")
    card = weights / f"{agent}.json"
    card.write_text(card.read_text() + " ")
    (after,) = entrants(study, agent, tmp_path)
    assert after.key != before.key
