"""Any rule can be given another order of its queues: it places as before and queues as its name says."""

from __future__ import annotations

import pytest

from simoffload.decision.agent import ORDERS
from simoffload.run.agents import AgentError, agent_names, load_agent
from simoffload.run.simulation import simulate
from simoffload.schema import load_scenario

FIXED = [order for order in ORDERS if order != "decide"]
RULES = [name for name in agent_names() if load_agent(name).order != "decide"]


@pytest.mark.parametrize("order", FIXED)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_takes_every_order(rule: str, order: str) -> None:
    agent, plain = load_agent(f"{order}:{rule}"), load_agent(rule)
    assert type(agent) is type(plain)
    assert agent.order == order


@pytest.mark.parametrize(
    ("rule", "bundled"),
    [
        ("wspt:eft", "eft-wspt"),
        ("upward-rank:eft", "heft"),
        ("wspt:weighted-greedy", "weighted-greedy-wspt"),
        ("upward-rank:weighted-greedy", "weighted-greedy-rank"),
        ("fifo:eft-wspt", "eft"),
        ("optimistic-rank:peft", "peft"),
    ],
)
def test_it_runs_as_the_bundled_rule_of_that_order(rule: str, bundled: str) -> None:
    scenario = load_scenario("smart-factory", ["horizon={tasks: 100}", "warm_up=0 s"])
    first, second = simulate(scenario, rule), simulate(scenario, bundled)
    assert first["agent"] == rule
    assert first["fingerprint"] == second["fingerprint"]


def test_the_order_is_that_of_one_agent_alone() -> None:
    assert load_agent("wspt:critical-path").order == "wspt"
    assert load_agent("critical-path").order == "fifo"


def test_a_policy_that_decides_the_order_is_given_none() -> None:
    with pytest.raises(AgentError, match="'ucb-coma' decides itself who goes next, and can be given no order"):
        load_agent("wspt:ucb-coma")


@pytest.mark.parametrize("name", ["wspt:", "wspt:eeft", "sjf:eft", "decide:eft", "wspt:trained:nowhere"])
def test_what_is_no_agent_gets_no_order(name: str) -> None:
    with pytest.raises(AgentError):
        load_agent(name)


def test_a_wrong_name_behind_the_colon_gets_the_nearest() -> None:
    with pytest.raises(AgentError, match=r"unknown agent 'critical-pth'.*did you mean 'critical-path'\?"):
        load_agent("wspt:critical-pth")
