"""Lines of a table: an agent at a place, with its means over held-out seeds and the subject's difference from it.

A scheme that was trained several times counts on each held-out seed with the mean of its trainings. So intervals say
how far other held-out seeds would have moved a number, for these very trainings; how far trainings differ is told by
each one's own mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..analysis.intervals import Interval, PairedDifference, adjusted_differences, t_interval
from .cells import Cells, Outcome, mean_outcome
from .evaluation import cells_of
from .reading import Study, Survey


@dataclass(frozen=True, slots=True)
class Line:
    """One agent at one place."""

    at: float | str
    agent: str
    seeds: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    """By seed, of several trainings their mean."""
    objective: Interval
    of_trainings: Mapping[int, float]
    """Mean objective of each training, by its seed; empty for an agent that the study does not train."""
    behind: PairedDifference | None
    """The subject's objective minus this one's, adjusted for all that the table compares; None for the subject."""

    @property
    def objectives(self) -> list[float]:
        """By seed."""
        return [each.objective for each in self.outcomes]

    @property
    def percent(self) -> Interval | None:
        """`behind` in per cent of this agent's mean objective, which is taken as it is."""
        return None if self.behind is None else percent_of(self.behind, self)

    @property
    def grew(self) -> int:
        """Seeds on which the backlog kept growing."""
        return sum(each.grew for each in self.outcomes)

    def mean(self, name: str) -> float:
        """Mean over the seeds of what an `Outcome` holds under this name."""
        return math.fsum(getattr(each, name) for each in self.outcomes) / len(self.outcomes)


def percent_of(behind: PairedDifference, line: Line) -> Interval:
    """A difference in per cent of an agent's mean objective, which is taken as it is."""
    difference, scale = behind.difference, 100 / line.objective.mean
    return Interval(scale * difference.mean, scale * difference.half_width, difference.level, difference.n)


def lines_of(study: Study, survey: Survey, cells: Cells, directory: Path) -> list[Line]:
    """All lines of a table: places in their order, at each the agents from best to worst."""
    level = study.plan.level
    found = [
        (place.at, agent, [[cells[cell] for cell in row] for row in cells_of(study, survey, place, agent, directory)])
        for place in survey.places
        for agent in survey.agents
    ]
    merged = [tuple(mean_outcome(list(of_seed)) for of_seed in zip(*rows, strict=True)) for _, _, rows in found]
    objectives = [[each.objective for each in outcomes] for outcomes in merged]
    behind = _behind(survey, objectives, level)
    lines = []
    for number, (at, agent, rows) in enumerate(found):
        means = [math.fsum(each.objective for each in row) / len(row) for row in rows]
        of_trainings = dict(zip(study.seeds_of(agent), means, strict=True)) if study.seeds_of(agent) else {}
        interval = t_interval(objectives[number], level)
        lines.append(Line(at, agent, survey.seeds, merged[number], interval, of_trainings, behind.get(number)))
    return list(_in_order(survey, lines))


def _behind(survey: Survey, objectives: Sequence[Sequence[float]], level: float) -> dict[int, PairedDifference]:
    """The subject's difference from each other agent at the same place, by number of the line."""
    many = len(survey.agents)
    subject = survey.agents.index(survey.subject)
    others = [number for number in range(len(objectives)) if number % many != subject]
    pairs = [(objectives[number - number % many + subject], objectives[number]) for number in others]
    return dict(zip(others, adjusted_differences(pairs, level), strict=True))


def _in_order(survey: Survey, lines: Sequence[Line]) -> Iterator[Line]:
    many = len(survey.agents)
    for first in range(0, len(lines), many):
        yield from sorted(lines[first : first + many], key=lambda line: line.objective.mean)


@dataclass(frozen=True, slots=True)
class Tally:
    """How comparisons came out for the subject: intervals below 0, above 0, and those that include 0."""

    better: int
    worse: int
    undecided: int

    @property
    def total(self) -> int:
        """Comparisons in all."""
        return self.better + self.worse + self.undecided


def tally(lines: Sequence[Line]) -> Tally:
    """Of all lines that are compared."""
    return tally_of([line.behind for line in lines if line.behind is not None])


def tally_of(compared: Sequence[PairedDifference]) -> Tally:
    """Of comparisons."""
    undecided = sum(each.is_tie for each in compared)
    better = sum(not each.is_tie and each.difference.mean < 0 for each in compared)
    return Tally(better, len(compared) - undecided - better, undecided)


def best_rule(study: Study, lines: Sequence[Line]) -> Line | None:
    """Of the lines of one place that of the best rule; None where there is none."""
    rules = [line for line in lines if study.is_rule(line.agent)]
    return min(rules, key=lambda line: line.objective.mean, default=None)
