"""Studies for tests: a file that takes seconds, and lines with made-up numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simoffload.analysis.intervals import t_interval
from simoffload.study.cells import Outcome
from simoffload.study.lines import Line, with_differences

MINI = """
name: mini
description: Two trainings of a batch, three agents, three seeds
scenario: tiny
subject: learner
budget: {batches: 1, episodes: 1, tasks: 8, validate_every: 1, validation_seeds: 1, validation_tasks: 8, seeds: [1, 2]}
trainings:
  learner: {scheme: ucb-coma, learner: {c: 0.5, hidden: [4], critic_hidden: [4], first_critic_epochs: 2}}
main: {agents: [learner, eft, all-cloud], seeds: {first: 100, count: 3}, tasks: 8}
axes:
  agents: [learner, eft, all-cloud]
  seeds: {first: 100, count: 3}
  tasks: 8
  over:
    rate:
      label: arrival rate (1/s)
      points:
        - {at: 0.05}
        - {at: 0.2, settings: [workloads.request.arrivals.rate=0.2 /s]}
"""


def write(directory: Path, text: str = MINI) -> str:
    """The text as a study file; its name."""
    path = directory / "mini.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def outcome_of(objective: float, *, grew: bool = False) -> Outcome:
    """A run with this objective, and everything else in proportion."""
    return Outcome(objective, 20 * objective, 40 * objective, 0.002 * objective, 0.5, 100, 90, grew)


def lines_at(
    at: float | str,
    subject: str,
    objectives: Mapping[str, Sequence[float]],
    grew: Sequence[str] = (),
    trainings: Mapping[str, Sequence[float]] = MappingProxyType({}),
) -> list[Line]:
    """Lines of one place, best first; differences are adjusted for those of this place.

    `trainings` has the mean of each training of agents that were trained.
    """
    lines = [
        Line(
            at=at,
            agent=agent,
            seeds=tuple(range(1, len(values) + 1)),
            outcomes=tuple(outcome_of(value, grew=agent in grew) for value in values),
            objective=t_interval(values),
            of_trainings=dict(enumerate(trainings.get(agent, ()), 1)),
            behind=None,
        )
        for agent, values in objectives.items()
    ]
    return sorted(with_differences(lines, subject, 0.95), key=lambda line: line.objective.mean)


class AtOnce:
    """Stands for a pool of processes: what is submitted runs here, at once."""

    def __init__(self, *about: Any) -> None:
        """However many workers there were to be."""

    def __enter__(self) -> AtOnce:
        return self

    def __exit__(self, *about: object) -> None:
        """Nobody to wait for."""

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Do the work."""
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments))
        except Exception as error:  # noqa: BLE001 - is raised again where the result is asked for
            future.set_exception(error)
        return future

    def shutdown(self, **how: bool) -> None:
        """Nothing is under way."""
