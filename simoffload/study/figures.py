"""The figures of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..analysis.figures_agents import ObjectiveRow, objective_figure
from ..analysis.figures_axes import is_wide
from ..analysis.figures_learning import learning_curve
from ..analysis.intervals import Interval
from ..analysis.labels import short
from ..analysis.palette import FAINT, agent_style, new_figure, theme
from ..analysis.runs import Estimate
from ..analysis.scheme_intervals import scheme_ratio
from .comparing import Verdict
from .entrants import policy_path
from .lines import Line, best_rule
from .reading import Study, Survey

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

_COLUMNS = 2
_LEAST_RANGE, _LARGEST_RANGE = 15.0, 50.0
"""Per cent that an axis of differences reaches up at least and at most."""
_RULES = "rules"
"""What the legend calls all of them."""


def schemes_figure(lines: Sequence[Line], subject: str) -> Figure:
    """All agents of one place with intervals; bold are the first one and, of the pairs compared, what ties with it.

    Schemes tie unless they are told apart with any trainings.
    """
    first = lines[0]
    own = next(line for line in lines if line.agent == subject)
    rows = []
    for line in lines:
        ties = first is own and _ties(line)
        tied = line is own and _ties(first)
        estimate = Estimate(line.objective.mean, line.objective.half_width)
        rows.append(ObjectiveRow(line.agent, estimate, tuple(line.objectives), line is first or ties or tied))
    return objective_figure(rows)


def _ties(line: Line) -> bool:
    return line.behind is not None and line.behind.verdict not in (Verdict.BETTER, Verdict.WORSE)


def relative(line: Line, other: Line) -> Interval:
    """By how many per cent its objective lies above another's, paired by seed.

    The interval is for this pair alone, and holds for any trainings; its half-width is nan where these are unknown.
    """
    share = scheme_ratio(line.found, other.found, line.objective.level)
    return Interval(100 * share.mean, 100 * share.half_width, share.level, share.n)


def axes_figure(study: Study, surveys: Sequence[tuple[Survey, Sequence[Line]]]) -> Figure:
    """A panel an axis: objectives against the best at each point of the rules listed, which is the line at 0.

    Rules but the subject are thin lines alike, for the best of them is at 0; the interval is that of the subject.
    """
    with theme():
        rows = -(-len(surveys) // _COLUMNS)
        figure = new_figure(0.9 + 2.15 * rows)
        panels = figure.subplots(rows, _COLUMNS, squeeze=False).flat
        handles: dict[str, Line2D] = {}
        for panel, (survey, lines) in zip(panels, surveys, strict=False):
            handles |= _axis_panel(panel, study, survey, lines)
        for panel in list(figure.axes)[len(surveys) :]:
            panel.set_visible(False)
        names = sorted(handles, key=lambda name: name == _RULES)
        figure.legend(
            [handles[name] for name in names], [short(name) for name in names], loc="outside lower center",
            ncols=min(4, len(names)), handlelength=2.8,
        )  # fmt: skip
        figure.supylabel("objective against the best of the rules listed (%)", fontsize=9)
    return figure


def _axis_panel(axes: Axes, study: Study, survey: Survey, lines: Sequence[Line]) -> dict[str, Line2D]:
    points = [place.at for place in survey.places]
    numbers = [each for each in points if not isinstance(each, str)]
    to_scale = len(numbers) == len(points) and not is_wide(numbers)
    places = numbers if to_scale else list(range(len(points)))
    by_agent: dict[str, list[Interval]] = {agent: [] for agent in survey.agents}
    for at in points:
        here = [line for line in lines if line.at == at]
        rule = best_rule(study, here)
        assert rule is not None, "only surveys with a rule are drawn"
        for line in here:
            by_agent[line.agent].append(relative(line, rule))
    handles: dict[str, Line2D] = {}
    axes.axhline(0.0, color=FAINT, linewidth=0.8, zorder=1)
    means = {agent: [share.mean for share in shares] for agent, shares in by_agent.items()}
    for agent, percent in means.items():
        is_subject = agent == survey.subject
        if study.is_rule(agent) and not is_subject:
            (handles[_RULES],) = axes.plot(places, percent, color=FAINT, alpha=0.45, linewidth=0.7, zorder=2)
            continue
        style = agent_style(agent)
        (handles[agent],) = axes.plot(
            places, percent, color=style.colour, linestyle=style.dash, marker=style.marker,
            linewidth=2.0 if is_subject else 1.2, markersize=5 if is_subject else 3.5, zorder=4 if is_subject else 3,
        )  # fmt: skip
    own = by_agent[survey.subject]
    low, high = [share.low for share in own], [share.high for share in own]
    axes.fill_between(places, low, high, color=agent_style(survey.subject).colour, alpha=0.15, linewidth=0, zorder=0)
    axes.set_ylim(*_range(means[survey.subject], [each for percent in means.values() for each in percent]))
    axes.set_xticks(places, [each if isinstance(each, str) else f"{each:g}" for each in points])
    axes.set_title(survey.title)
    axes.spines[["top", "right"]].set_visible(False)
    return handles


def _range(subject: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """All that is below 0, and above it as far as the subject goes; lines that go further leave the panel."""
    high = max(_LEAST_RANGE, min(_LARGEST_RANGE, max(subject)))
    return min(-2.0, 1.15 * min(values)), 1.08 * high


def learning_figure(study: Study, directory: Path) -> Figure | None:
    """Of the trainings on the study's own scenario; None if there are none."""
    own: dict[str, list[Path]] = {}
    shown = set(study.main.agents)
    for run in study.trainings:
        if run.is_usual and run.name in shown:
            own.setdefault(run.name, []).append(policy_path(directory, run.directory).parent)
    return learning_curve(own) if own else None
