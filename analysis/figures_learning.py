"""Pictures of learning: how good policies were on seeds they never played, against how much they had seen."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from simoffload.estimates import mean_and_half_width
from simoffload.record.durable import RecordError

from .figures_axes import reach
from .labels import short
from .numbers import plain
from .palette import agent_style, new_figure, theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_BANDS = 4
_ROOM = 0.06


@dataclass(frozen=True, slots=True)
class Curve:
    """Validation objective of a training after a number of decisions, and that of rules on the same runs."""

    decisions: tuple[float, ...]
    validation: tuple[float, ...]
    rules: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MeanCurve:
    """Curves of one scheme over its training seeds: mean +- half-width; infinite of a single seed."""

    decisions: tuple[float, ...]
    mean: tuple[float, ...]
    half_width: tuple[float, ...]


def read_curve(directory: Path) -> Curve:
    """The curve that a training has left; RecordError where there is none."""
    path = directory / "curve.csv"
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        found = [(float(row["decisions"]), float(row["validation"])) for row in rows]
        card = json.loads((directory / "policy.json").read_bytes())["validation"]
        rules = {str(name): float(level) for name, level in card.items() if name != "policy"}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordError(f"{directory} holds no training that can be drawn: {error}") from None
    known = [(decisions, validation) for decisions, validation in found if math.isfinite(validation)]
    if not known:
        raise RecordError(f"{path} holds no validation")
    return Curve(tuple(each for each, _ in known), tuple(each for _, each in known), rules)


def mean_curve(curves: Sequence[Curve]) -> MeanCurve:
    """Validation by validation, as far as all have come; decisions are those that the trainings took on average."""
    many = min(len(curve.decisions) for curve in curves)
    estimates = [mean_and_half_width([curve.validation[k] for curve in curves]) for k in range(many)]
    decisions = [math.fsum(curve.decisions[k] for curve in curves) / len(curves) for k in range(many)]
    return MeanCurve(tuple(decisions), tuple(mean for mean, _ in estimates), tuple(half for _, half in estimates))


def learning_curve(directories: Mapping[str, Sequence[Path]]) -> Figure:
    """Of each scheme the mean over its trainings with its 95 % interval; rules are level lines.

    Bands of many schemes would hide one another: of more than `MOST_BANDS` the interval is drawn at the end alone.

    `directories` are those of the trainings of each scheme. RecordError where one holds no curve, ValueError where
    they were not all validated on the same runs.
    """
    curves = {scheme: [read_curve(directory) for directory in own] for scheme, own in directories.items()}
    rules = next(iter(curves.values()))[0].rules
    if any(curve.rules != rules for own in curves.values() for curve in own):
        raise ValueError("trainings that were validated on different runs cannot stand in one picture")
    means = {scheme: mean_curve(own) for scheme, own in curves.items()}
    with theme():
        figure = new_figure(max(3.2, 1.2 + 0.2 * (len(means) + len(rules))))
        axes = figure.subplots()
        handles = [_curve(axes, scheme, curve) for scheme, curve in means.items()]
        spread = _band if len(means) <= MOST_BANDS else _end
        for scheme, curve in means.items():
            if all(map(math.isfinite, curve.half_width)):
                spread(axes, scheme, curve)
        names = [short(scheme) for scheme in means]
        for rule, level in sorted(rules.items(), key=lambda item: item[1]):
            style = agent_style(rule)
            handles.append(axes.axhline(level, color=style.colour, linestyle=(0, (1.2, 1.8)), linewidth=1.2, zorder=1))
            names.append(f"{short(rule)} (rule)")
        _limits(axes, means, rules)
        figure.legend(handles, names, loc="outside right upper", handlelength=2.8, labelspacing=0.5)
    return figure


def _curve(axes: Axes, scheme: str, curve: MeanCurve) -> Line2D:
    style = agent_style(scheme)
    alone = len(curve.decisions) == 1
    (line,) = axes.plot(
        curve.decisions, curve.mean, color=style.colour, linestyle=style.dash, linewidth=1.6,
        marker=style.marker, markersize=5 if alone else 3, zorder=3,
    )  # fmt: skip
    return line


def _band(axes: Axes, scheme: str, curve: MeanCurve) -> None:
    ends = list(zip(curve.mean, curve.half_width, strict=True))
    low, high = [mean - half for mean, half in ends], [mean + half for mean, half in ends]
    axes.fill_between(curve.decisions, low, high, color=agent_style(scheme).colour, alpha=0.14, linewidth=0)


def _end(axes: Axes, scheme: str, curve: MeanCurve) -> None:
    end, mean, half = curve.decisions[-1], curve.mean[-1], curve.half_width[-1]
    axes.errorbar([end], [mean], [half], color=agent_style(scheme).colour, linewidth=1.0, capsize=2, zorder=2)


def _limits(axes: Axes, means: Mapping[str, MeanCurve], rules: Mapping[str, float]) -> None:
    """As far up as the rules and where trainings end, and for early values as far again at most."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    levels = [*rules.values(), *(curve.mean[-1] for curve in means.values())]
    values = [*levels, *(value for curve in means.values() for value in curve.mean)]
    low, end = min(values), reach(levels)
    high = max(end, min(reach(values), end + (end - low)))
    room = _ROOM * (high - low) or 0.1 * high
    axes.set_ylim(low - room, high + room)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value / 1000)))
    axes.set_xlabel("thousands of decisions that were learned from")
    axes.set_ylabel("objective on validation seeds")
    axes.spines[["top", "right"]].set_visible(False)
