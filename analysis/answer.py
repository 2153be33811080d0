"""The answer of a comparison, in sentences: who comes first, by how much, and what cannot be told."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .numbers import counted, listed, percent, plus_minus
from .page import strong
from .ranking import Standing
from .runs import Results

_MOST_NAMES = 6
"""Of more agents, their number is given instead of their names."""
_NEARLY_ALL = 0.98
_FEW = 5


def answer(results: Results, order: Sequence[Standing], growing: Sequence[str]) -> list[str]:
    """Paragraphs: the first agent and how it stands to the others, the method, and agents that did not keep up.

    `growing` names those whose backlog kept growing.
    """
    first = order[0].agent
    best = results.agents[first].objective
    if math.isnan(best.mean):
        return ["No agent completed a task that was measured, so there is nothing to compare."]
    shown = plus_minus(best.mean, best.half_width)
    paragraphs: list[str] = [strong("", first, f" has {_lead(results, order, shown)}")]
    if len(results.seeds) < 2:
        paragraphs.append(
            "There is one replication only, so nothing is known of how far chance moved these numbers, and no two "
            "agents are distinguishable. Compare over more seeds."
        )
    elif any(standing.behind is not None for standing in order):
        paragraphs.append(_method(results, order))
    return paragraphs + _without_objective(order) + _unfinished_tasks(results, order) + _overloaded(growing)


def _lead(results: Results, order: Sequence[Standing], shown: str) -> str:
    if len(order) == 1:
        return f"an objective of {shown}, and no other to compare it with."
    compared = [standing for standing in order if standing.behind is not None]
    if len(results.seeds) < 2 or not compared:
        return f"the lowest objective: {shown}."
    ties = [standing.agent for standing in compared if standing.ties]
    behind = [standing for standing in compared if not standing.ties]
    if not ties:
        return f"the lowest objective: {shown}. All others are distinguishably behind; the next, {_gap(results, order)}"
    if not behind:
        return f"the lowest objective, {shown}, but is not distinguishable from any other agent."
    names = listed(ties) if len(ties) <= _MOST_NAMES else counted(len(ties), "other agent")
    first = f"The first that is: {_gap(results, [order[0], behind[0]])}"
    return f"the lowest objective, {shown}, but is not distinguishable from {names}. {first}"


def _gap(results: Results, order: Sequence[Standing]) -> str:
    """The second one's distance to the first, also as a share of the first's objective."""
    second = order[1]
    assert second.behind is not None
    difference = second.behind.difference
    best = results.agents[order[0].agent].objective.mean
    share = f" ({percent(difference.mean / best, 1)})" if best > 0 else ""
    return f"{second.agent}, by {plus_minus(difference.mean, difference.half_width)}{share}."


def _method(results: Results, order: Sequence[Standing]) -> str:
    compared = sum(standing.ranks is not None for standing in order)
    pairs = compared * (compared - 1) // 2
    text = (
        f"Means over {counted(len(results.seeds), 'replication')} with 95 % Student-t intervals. Differences are "
        "paired, since on each seed all agents met the same tasks, lengths and channels. Agents are called "
        "distinguishable if their difference passes a t-test at 5 %"
    )
    if pairs > 1:
        text += f", adjusted by Holm for all {pairs} pairs: with a probability of 95 % no such claim is false"
    gain = next(standing.behind.variance_reduction for standing in order if standing.behind is not None)
    if math.isfinite(gain):
        text += f". Pairing the first two is worth {gain:.1f} times as many replications"
    if len(results.seeds) < _FEW and any(standing.ties for standing in order):
        text += ". So few replications show only the largest differences: more seeds would tell more agents apart"
    return text + "."


def _without_objective(order: Sequence[Standing]) -> list[str]:
    names = [standing.agent for standing in order if standing.ranks is None]
    if not names:
        return []
    return [f"Not compared, for want of a result on every seed: {listed(names)}."]


def _unfinished_tasks(results: Results, order: Sequence[Standing]) -> list[str]:
    """A warning of latencies that are those of survivors."""
    shares = {standing.agent: results.agents[standing.agent].completed_share for standing in order}
    few = [f"{name} ({percent(share)})" for name, share in shares.items() if share < _NEARLY_ALL]
    if not few:
        return []
    return [
        f"Not all tasks were completed under {listed(few)}: latencies are those of completed tasks, and the missing "
        "ones tend to be the longest."
    ]


def _overloaded(growing: Sequence[str]) -> list[str]:
    if not growing:
        return []
    they, their = ("it", "its") if len(growing) == 1 else ("they", "their")
    return [
        f"Under {listed(growing)} the backlog grew all through the run: {they} did not carry this load, and "
        f"{their} numbers depend on how long the run was."
    ]
