"""Pictures that set agents against each other: the objective with its intervals, and latency against cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .figures_axes import is_wide, reach, set_log, span
from .labels import label_points, short
from .numbers import plus_minus, rounded
from .palette import FAINT, INK, PALE, agent_style, new_figure, theme
from .ranking import Standing, ranked
from .runs import Estimate, Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """An agent's objective: mean and half-width over replications, and each replication's value.

    `leads`: it is the first, or not distinguishable from it.
    """

    agent: str
    estimate: Estimate
    replications: tuple[float, ...]
    leads: bool


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """An agent's mean latency (s) and cost (USD per 1000 tasks).

    `efficient`: no other agent is better in one and not worse in the other.
    """

    agent: str
    latency_s: Estimate
    cost: Estimate
    efficient: bool


def objective_rows(results: Results, order: Sequence[Standing]) -> list[ObjectiveRow]:
    """The agents that have an objective, in the order given."""
    rows = []
    for place, standing in enumerate(order):
        agent = results.agents[standing.agent]
        if math.isfinite(agent.objective.mean):
            values = tuple(each.objective for each in agent.replications if math.isfinite(each.objective))
            rows.append(ObjectiveRow(standing.agent, agent.objective, values, place == 0 or standing.ties))
    return rows


def objective_figure(rows: Sequence[ObjectiveRow]) -> Figure:
    """Dots with intervals, best agent on top, numbers beside; agents far off have an arrow at the edge."""
    with theme():
        figure = new_figure(0.9 + 0.27 * len(rows))
        axes = figure.subplots()
        axes.set_xlim(*_objective_limits(rows))
        _shade(axes, rows[0].estimate)
        for place, row in enumerate(rows):
            _objective_row(axes, place, row)
        axes.set_yticks(range(len(rows)), [short(row.agent) for row in rows])
        for label, row in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if row.leads else "normal")
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlabel("objective per task (lower is better): mean, 95 % interval, single replications")
        axes.grid(axis="y", visible=False)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    return figure


def _objective_limits(rows: Sequence[ObjectiveRow]) -> tuple[float, float]:
    """All of the intervals and replications of the agents that are near the best."""
    limit = reach(row.estimate.mean for row in rows)
    near = [row for row in rows if row.estimate.mean <= limit]
    ends = _ends([row.estimate for row in near])
    return _with_room([*ends, *(value for row in near for value in row.replications)], 0.06)


def _shade(axes: Axes, estimate: Estimate) -> None:
    """A band over the best agent's interval."""
    if math.isfinite(estimate.half_width):
        low, high = estimate.mean - estimate.half_width, estimate.mean + estimate.half_width
        axes.axvspan(low, high, color=PALE, alpha=0.55, linewidth=0)


def _objective_row(axes: Axes, place: int, row: ObjectiveRow) -> None:
    style = agent_style(row.agent)
    mean, half = row.estimate.mean, row.estimate.half_width
    left, right = axes.get_xlim()
    if mean > right:
        axes.plot(right, place, ">", color=style.colour, markersize=7, clip_on=False)
        axes.plot([right - 0.035 * (right - left), right], [place] * 2, color=style.colour, linewidth=1.8)
    else:
        below = [place + 0.28] * len(row.replications)
        axes.plot(row.replications, below, ".", color=style.colour, markersize=4, alpha=0.6, markeredgewidth=0)
        if math.isfinite(half):
            axes.plot([mean - half, mean + half], [place] * 2, color=style.colour, linewidth=2, solid_capstyle="butt")
        axes.plot(mean, place, style.marker, color=style.colour, markersize=5.5, markeredgecolor="white", clip_on=False)
    weight = "bold" if row.leads else "normal"
    side = axes.get_yaxis_transform()
    axes.text(1.035, place, plus_minus(mean, half), transform=side, va="center", fontsize=8.5, fontweight=weight)


def pareto_points(results: Results) -> list[ParetoPoint]:
    """Mean latency and cost of the agents that have both, in the order of the objective."""
    found = []
    for name in ranked(results):
        agent = results.agents[name]
        latency = Estimate(agent.latency_s.mean, agent.latency_s.mean_half_width)
        if math.isfinite(latency.mean) and math.isfinite(agent.cost_usd.mean):
            cost = Estimate(1000 * agent.cost_usd.mean, 1000 * agent.cost_usd.half_width)
            found.append((name, latency, cost))
    efficient = non_dominated([(latency.mean, cost.mean) for _, latency, cost in found])
    return [ParetoPoint(*each, mark) for each, mark in zip(found, efficient, strict=True)]


def non_dominated(points: Sequence[tuple[float, float]]) -> list[bool]:
    """Whether no other point is at most as large in both coordinates and smaller in one."""
    return [
        not any(x <= a and y <= b and (x, y) != (a, b) for x, y in points)
        for a, b in points
    ]  # fmt: skip


def pareto_figure(points: Sequence[ParetoPoint]) -> Figure:
    """Latency against cost, both better towards the lower left; the non-dominated agents joined by a stair.

    Agents of far longer latency are at the upper edge, with an arrow and their number.
    """
    with theme():
        figure = new_figure(4.7)
        axes = figure.subplots()
        limit = reach(point.latency_s.mean for point in points)
        near = [point.latency_s for point in points if point.latency_s.mean <= limit]
        axes.set_ylim(*_with_room(_ends(near), 0.1))
        costs = _ends([point.cost for point in points])
        if is_wide(costs):
            set_log(axes, "x", *span(costs, margin=1.3))
        else:
            axes.set_xlim(*_with_room(costs, 0.1))
        _stair(axes, [point for point in points if point.efficient])
        for point in points:
            _pareto_point(axes, point)
        axes.set_xlabel("mean cost (USD per 1000 tasks)")
        axes.set_ylabel("mean latency (s)")
        axes.spines[["top", "right"]].set_visible(False)
        _name_points(axes, sorted(points, key=lambda point: not point.efficient))
    return figure


def _ends(estimates: Iterable[Estimate]) -> list[float]:
    """Means, and ends of those intervals that are shorter than their distance from 0."""
    ends = []
    for estimate in estimates:
        known = estimate.half_width < abs(estimate.mean)
        ends += [estimate.mean + sign * estimate.half_width for sign in (-1, 1)] if known else [estimate.mean]
    return ends


def _with_room(values: Sequence[float], share: float) -> tuple[float, float]:
    """Limits of a linear axis with room for names."""
    low, high = min(values), max(values)
    room = share * (high - low) or 0.1 * abs(high) or 1.0
    return low - room, high + room


def _name_points(axes: Axes, points: Sequence[ParetoPoint]) -> None:
    top = axes.get_ylim()[1]
    names = []
    for point in points:
        beyond = point.latency_s.mean > top
        name = short(point.agent)
        names.append(f"{name}, {rounded(point.latency_s.mean)} s" if beyond else name)
    places = [(point.cost.mean, min(point.latency_s.mean, top)) for point in points]
    label_points(axes, places, names, ["bold" if point.efficient else "normal" for point in points], INK)


def _stair(axes: Axes, efficient: Sequence[ParetoPoint]) -> None:
    """The edge of what is attained: nothing lies to the lower left of it."""
    ordered = sorted(efficient, key=lambda point: point.cost.mean)
    costs = [point.cost.mean for point in ordered]
    latencies = [point.latency_s.mean for point in ordered]
    far = axes.get_xlim()[1], 2 * max(axes.get_ylim()[1], *latencies)
    costs, latencies = [costs[0], *costs, far[0]], [far[1], *latencies, latencies[-1]]
    axes.step(costs, latencies, where="post", color=FAINT, linewidth=1.0, linestyle=(0, (3, 2)), zorder=1)


def _pareto_point(axes: Axes, point: ParetoPoint) -> None:
    style = agent_style(point.agent)
    top = axes.get_ylim()[1]
    is_near = point.latency_s.mean <= top
    x, y = point.cost.mean, min(point.latency_s.mean, top)
    if is_near:
        x_error, y_error = (
            estimate.half_width if math.isfinite(estimate.half_width) else None
            for estimate in (point.cost, point.latency_s)
        )
        axes.errorbar(x, y, y_error, x_error, fmt="none", ecolor=style.colour, elinewidth=1.0, alpha=0.7)
    axes.plot(
        x, y, style.marker if is_near else "^", color=style.colour,
        markersize=9 if point.efficient else 6.5, markeredgecolor=INK if point.efficient else "white",
        markeredgewidth=1.1 if point.efficient else 0.7, zorder=3, clip_on=False,
    )  # fmt: skip
