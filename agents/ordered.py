"""Any rule with another order of its queues: ``wspt:critical-path`` places like `critical-path` and queues by WSPT."""

from __future__ import annotations

from simoffload.decision.agent import Agent, AgentError
from simoffload.run.agents import load_agent


def fifo(argument: str) -> Agent:
    """The agent behind the colon; queues by arrival."""
    return _with_order(argument, "fifo")


def wspt(argument: str) -> Agent:
    """The agent behind the colon; queues by expected service / task weight, least first (Smith 1956, WSPT)."""
    return _with_order(argument, "wspt")


def upward_rank(argument: str) -> Agent:
    """The agent behind the colon; queues by HEFT's upward rank, highest first (Topcuoglu, Hariri, Wu 2002)."""
    return _with_order(argument, "upward-rank")


def optimistic_rank(argument: str) -> Agent:
    """The agent behind the colon; queues by PEFT's mean optimistic cost, highest first (Arabnejad, Barbosa 2014)."""
    return _with_order(argument, "optimistic-rank")


def _with_order(name: str, order: str) -> Agent:
    """AgentError if it is no agent's name, or one's that decides itself who goes next."""
    agent = load_agent(name)
    if agent.order == "decide":
        raise AgentError(f"'{name}' decides itself who goes next, and can be given no order")
    agent.order = order
    return agent
