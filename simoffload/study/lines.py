"""Lines of a table: an agent at a place, with its means over held-out seeds and the subject's difference from it.

A scheme that was trained several times counts on each held-out seed with the mean of its trainings. So the interval of
an objective says how far other held-out seeds would have moved it, for these very trainings. A difference has two
intervals, for these trainings and for the schemes, as `comparing` has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..analysis.intervals import Interval, t_interval
from ..analysis.scheme_intervals import Measured
from .cells import Cells, Outcome, mean_outcome
from .comparing import Comparison, Tally, compared, tally_of
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
    behind: Comparison | None
    """The subject's objective minus this one's, adjusted for all that the table compares; None for the subject."""

    @property
    def objectives(self) -> list[float]:
        """By seed."""
        return [each.objective for each in self.outcomes]

    @property
    def found(self) -> Measured:
        """As it is compared with others."""
        return Measured(self.objectives, tuple(self.of_trainings.values()))

    @property
    def grew(self) -> int:
        """Seeds on which the backlog kept growing."""
        return sum(each.grew for each in self.outcomes)

    def mean(self, name: str) -> float:
        """Mean over the seeds of what an `Outcome` holds under this name."""
        return math.fsum(getattr(each, name) for each in self.outcomes) / len(self.outcomes)


def lines_of(study: Study, survey: Survey, cells: Cells, directory: Path) -> list[Line]:
    """All lines of a table: places in their order, at each the agents from best to worst."""
    level = study.plan.level
    found = [
        (place.at, agent, [[cells[cell] for cell in row] for row in cells_of(study, survey, place, agent, directory)])
        for place in survey.places
        for agent in survey.agents
    ]
    merged = [tuple(mean_outcome(list(of_seed)) for of_seed in zip(*rows, strict=True)) for _, _, rows in found]
    lines = []
    for number, (at, agent, rows) in enumerate(found):
        means = [math.fsum(each.objective for each in row) / len(row) for row in rows]
        of_trainings = dict(zip(study.seeds_of(agent), means, strict=True)) if study.seeds_of(agent) else {}
        interval = t_interval([each.objective for each in merged[number]], level)
        lines.append(Line(at, agent, survey.seeds, merged[number], interval, of_trainings, behind=None))
    return list(_in_order(survey, with_differences(lines, survey.subject, level)))


def with_differences(lines: Sequence[Line], subject: str, level: float) -> list[Line]:
    """The lines of a table with the subject's difference from each other agent at the same place."""
    own = {line.at: line.found for line in lines if line.agent == subject}
    others = [number for number, line in enumerate(lines) if line.agent != subject]
    behind = compared([(own[lines[number].at], lines[number].found) for number in others], level)
    by_number = dict(zip(others, behind, strict=True))
    return [replace(line, behind=by_number.get(number)) for number, line in enumerate(lines)]


def _in_order(survey: Survey, lines: Sequence[Line]) -> Iterator[Line]:
    many = len(survey.agents)
    for first in range(0, len(lines), many):
        yield from sorted(lines[first : first + many], key=lambda line: line.objective.mean)


def tally(lines: Sequence[Line]) -> Tally:
    """Of all lines that are compared."""
    return tally_of([line.behind for line in lines if line.behind is not None])


def best_rule(study: Study, lines: Sequence[Line]) -> Line | None:
    """Of the lines of one place that of the best of the rules among them; None where there is none."""
    rules = [line for line in lines if study.is_rule(line.agent)]
    return min(rules, key=lambda line: line.objective.mean, default=None)
