"""Agents by name: those of this package and of any other that joins the entry-point group ``simoffload.agents``."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from inspect import getdoc

from ..decision.agent import ORDERS, Agent, AgentError
from ..schema.problems import nearest

GROUP = "simoffload.agents"

__all__ = ["AgentError", "agent_names", "describe_agents", "load_agent"]


@lru_cache(maxsize=1)
def _found() -> dict[str, EntryPoint]:
    """Entry points by name; of two of the same name that of this package, else the first."""
    points = sorted(entry_points(group=GROUP), key=lambda point: not _is_own(point))
    found: dict[str, EntryPoint] = {}
    for point in points:
        found.setdefault(point.name, point)
    return found


def _is_own(point: EntryPoint) -> bool:
    return point.value.startswith("simoffload.")


def agent_names() -> list[str]:
    """Names of all agents, this package's first."""
    return list(_found())


def describe_agents() -> list[tuple[str, str, str]]:
    """Name, first line of the docstring, and package of every agent; one that cannot be loaded says why."""
    return [(name, _summary(point), point.module.partition(".")[0]) for name, point in _found().items()]


def _summary(point: EntryPoint) -> str:
    try:
        return (getdoc(point.load()) or "").partition("\n")[0]
    except Exception as error:  # noqa: BLE001 - whatever a foreign package raises when it is imported
        return f"cannot be loaded: {error}"


def load_agent(name: str) -> Agent:
    """A new agent of this name; AgentError tells what is wrong, with the nearest right spelling."""
    point = _found().get(name)
    if point is None:
        near = nearest(name, agent_names())
        hint = f"; did you mean '{near}'?" if near else ""
        raise AgentError(f"unknown agent '{name}'; allowed: {', '.join(agent_names())}{hint}")
    try:
        agent: Agent = point.load()()
    except Exception as error:
        raise AgentError(f"agent '{name}' ({point.value}) cannot be made: {error}") from error
    if getattr(agent, "order", None) not in ORDERS:
        raise AgentError(f"agent '{name}' has order {getattr(agent, 'order', None)!r}; allowed: {', '.join(ORDERS)}")
    return agent
