"""The trained policy at work: the largest logit decides, and it is a sound agent."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simoffload.agents.learning.validation import from_empty, measure
from simoffload.agents.policy_file import write_policy
from simoffload.agents.scoring import ScoringAgent
from simoffload.agents.ucb_coma import WEIGHTS, UcbComa, UcbComaGeneralist
from simoffload.cli.train import chosen, train
from simoffload.decision import Decision, Setting
from simoffload.record.durable import RecordError
from simoffload.run.references import with_references
from simoffload.schema import load_scenario
from simoffload.testing import check_agent, small_scenarios
from tests.agents.learning.episodes import busy, heads, softened_rule
from tests.decision.test_staleness import run


class ByLogits:
    """The policy written out once more: every row's logit, and the first of the largest."""

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.order = "decide"
        self.kinds: set[str] = set()

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        self.reference_s = setting.latency_reference_s

    def decide(self, seen: Any) -> Decision:
        self.kinds.add(seen.kind)
        rows, corrections, _ = self.policy.evaluate(seen)
        if seen.kind == "order":
            rule = [-self.policy.kappa_order * place for place in range(len(rows))]
        else:
            rule = [-self.policy.kappa * (f - min(seen.finish_s)) / self.reference_s for f in seen.finish_s]
        logits = [float(a + b) for a, b in zip(corrections, rule, strict=True)]
        return Decision(logits.index(max(logits)))


def test_the_largest_logit_decides_about_positions_and_orders() -> None:
    scenario, policy = busy("horizon={tasks: 25}"), heads(1, kappa=1.0, kappa_order=0.1)
    written_out = ByLogits(policy)
    assert run(scenario, ScoringAgent(policy), misled=False) == run(scenario, written_out, misled=False)
    assert written_out.kinds == {"position", "order"}
    assert run(scenario, ScoringAgent(policy), misled=False) != run(
        scenario, ScoringAgent(softened_rule()), misled=False
    )


@pytest.mark.parametrize("orders", [True, False])
def test_it_is_a_sound_agent(orders: bool) -> None:
    tiny, factory, *_ = small_scenarios()
    check_agent(lambda: ScoringAgent(heads(2, orders=orders, kappa=1.0, kappa_order=0.1)), [tiny, factory])


def test_a_policy_without_a_network_for_orders_lets_lines_go_by_arrival() -> None:
    assert ScoringAgent(heads(orders=False)).order == "fifo"
    assert ScoringAgent(heads(orders=True)).order == "decide"


def test_a_policy_from_a_file_decides_as_it_did_before_it_was_written(tmp_path: Path) -> None:
    write_policy(tmp_path / "mine", heads(3, kappa=1.0, kappa_order=0.1), {})
    scenario = busy()
    before, after = ScoringAgent(heads(3, kappa=1.0, kappa_order=0.1)), UcbComa(tmp_path / "mine")
    assert run(scenario, after, misled=False) == run(scenario, before, misled=False)


def test_a_policy_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"nothing\.json"):
        UcbComa(tmp_path / "nothing")


@pytest.mark.parametrize("policy", [UcbComa, UcbComaGeneralist])
def test_a_policy_that_comes_with_the_package_is_a_sound_agent(policy: type[UcbComa]) -> None:
    tiny, factory, *_ = small_scenarios()
    check_agent(policy, [tiny, factory])
    assert policy().order == "decide"


@pytest.mark.parametrize("name", ["ucb-coma", "ucb-coma-generalist"])
def test_the_command_on_a_card_asks_for_the_settings_that_it_was_trained_with(name: str) -> None:
    card = json.loads((WEIGHTS / f"{name}.json").read_bytes())
    _, _, *words = shlex.split(card["command"])
    asked = train.make_context("train", words).params
    found = json.loads(json.dumps(asdict(chosen(asked["agent"], asked["changes"]).settings)))
    trained = card["training"]
    assert [key for key, value in trained["scheme"].items() if found.get(key, value) != value] == []
    assert all(asked[key] == trained[key] for key in ("seed", "batches", "episodes"))


def test_on_the_plant_it_was_trained_on_it_does_better_than_the_rule_it_corrects() -> None:
    plant = with_references(load_scenario("smart-factory"))
    runs = [from_empty(plant, seed, 300) for seed in (11, 12)]
    found = {name: sum(measure(each, name) for each in runs) for name in ("ucb-coma", "ucb-coma-generalist", "eft")}
    assert max(found["ucb-coma"], found["ucb-coma-generalist"]) < 0.95 * found["eft"]
