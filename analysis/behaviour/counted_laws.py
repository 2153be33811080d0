"""The laws that the summary of a run can be held against, where no rows were kept.

Stations keep both sides of Little's law while a run goes on, step by step and by arrivals and departures. What else
there is, as use against services, takes rows.
"""

from __future__ import annotations

import math

from ..numbers import counted, listed
from ..runs import Summary
from .laws import FLOW, LITTLE, ROUNDING, flow_balance

_MOST_NAMED = 4


def counted_laws_in_words(summary: Summary) -> str:
    """What was checked, what came of it, and what could not be."""
    return f"{_little(summary)}; {_flow(summary)}. Not checked: the other laws, which need rows (--records full)."


def _little(summary: Summary) -> str:
    residuals = {name: abs(node.little_residual) for name, node in summary.nodes.items()}
    residuals |= {name: abs(link.little_residual) for name, link in summary.links.items()}
    residuals = {name: residual for name, residual in residuals.items() if not math.isnan(residual)}
    if not residuals:
        return "Nobody came to any node or link"
    broken = [name for name, residual in residuals.items() if residual > ROUNDING]
    where = f"holds at {len(residuals)} nodes and links"
    if broken:
        others = len(broken) - _MOST_NAMED
        named = [*broken[:_MOST_NAMED], counted(others, "other")] if others > 0 else broken
        where = f"FAILS at {listed(named)}"
    return f"{LITTLE} {where}, the largest residual is {max(residuals.values()):.1e}"


def _flow(summary: Summary) -> str:
    tasks = summary.tasks
    if flow_balance(tasks.arrived, tasks.completed + tasks.dropped, 0, tasks.in_system).holds():
        return "tasks balance"
    return (
        f"{FLOW} of tasks FAILS: {tasks.arrived} arrived, {tasks.completed} completed, {tasks.dropped} dropped, "
        f"{tasks.in_system} in the system"
    )
