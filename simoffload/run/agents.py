"""Agents by name: those of this package and of any other that joins the entry-point group ``simoffload.agents``.

A name may carry an argument, as in ``trained:runs/mine/policy``: what stands before the colon is then a name of the
group ``simoffload.agent_readers``, whose functions make an agent of a text.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from inspect import getdoc

from ..decision.agent import ORDERS, Agent, AgentError
from ..schema.problems import nearest

GROUP = "simoffload.agents"
READERS = "simoffload.agent_readers"

__all__ = ["AgentError", "agent_names", "describe_agents", "load_agent"]


@lru_cache(maxsize=2)
def _found(group: str = GROUP) -> dict[str, EntryPoint]:
    """Entry points by name; of two of the same name that of this package, else the first."""
    points = sorted(entry_points(group=group), key=lambda point: not _is_own(point))
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
    named = [*_found().items(), *((f"{name}:...", point) for name, point in _found(READERS).items())]
    return [(name, _summary(point), point.module.partition(".")[0]) for name, point in named]


def _summary(point: EntryPoint) -> str:
    try:
        return (getdoc(point.load()) or "").partition("\n")[0]
    except Exception as error:  # noqa: BLE001 - whatever a foreign package raises when it is imported
        return f"cannot be loaded: {error}"


def load_agent(name: str) -> Agent:
    """A new agent of this name; AgentError tells what is wrong, with the nearest right spelling."""
    head, colon, argument = name.partition(":")
    known = _found(READERS) if colon else _found()
    point = known.get(head)
    if point is None:
        near = nearest(head, known)
        hint = f"; did you mean '{near}{colon}{argument}'?" if near else ""
        allowed = ", ".join([*agent_names(), *(f"{reader}:..." for reader in _found(READERS))])
        raise AgentError(f"unknown agent '{name}'; allowed: {allowed}{hint}")
    try:
        agent: Agent = point.load()(*[argument] if colon else [])
    except Exception as error:
        raise AgentError(f"agent '{name}' ({point.value}) cannot be made: {error}") from error
    if getattr(agent, "order", None) not in ORDERS:
        raise AgentError(f"agent '{name}' has order {getattr(agent, 'order', None)!r}; allowed: {', '.join(ORDERS)}")
    return agent
