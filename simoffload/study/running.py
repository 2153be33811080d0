"""Running a study: what is still to be done of it, trainings first, with a word on how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..agents.learning.directory import SETTINGS_FILE
from ..record.durable import RecordError, held, make_directory
from ..record.manifest import COMPARISON_FILE, MANIFEST_FILE
from .cells import Cell, Cells, place_key
from .entrants import TRAININGS
from .evaluation import measure, wanted
from .optimality import measure_gaps
from .reading import Study, TrainingRun
from .side_by_side import train_all
from .sittings import Clock
from .trainings import hand_on, is_finished

CELLS = "cells"
OF_A_RULE, OF_A_POLICY, OF_LEARNING = 1.0, 2.0, 3.6
"""Work of a task: decided by a rule, by a network, and decided and learned from."""
OF_EFFORT = 750.0
"""Work of a second that the solver may take."""


@dataclass(frozen=True, slots=True)
class Look:
    """How far a sitting has come with what it found to be done."""

    share: float
    wall_s: float
    text: str


Watch = Callable[[Look], bool]


def run_study(study: Study, directory: Path, workers: int, watch: Watch, trained: Path | None = None) -> None:
    """Do what is missing; Stopped when `watch` says no, and then all is kept but what was under way.

    What the results of an earlier study in `trained` hold of its trainings is taken from there. RecordError where the
    directory cannot be written or holds something else.
    """
    check_place(directory)
    with held(directory):
        make_directory(directory / TRAININGS)
        if trained is not None:
            _take_over(study, trained / TRAININGS, directory / TRAININGS)
        clock = Clock(directory, workers)
        try:
            _Sitting(study, directory, workers, clock, watch).run()
        finally:
            clock.note(ended=True)


def check_place(directory: Path) -> None:
    """RecordError where a directory holds no study, but a run, a comparison or a training."""
    others = [name for name in (MANIFEST_FILE, COMPARISON_FILE, SETTINGS_FILE) if (directory / name).exists()]
    if others:
        raise RecordError(f"{directory} holds no study, but '{others[0]}'; give another directory")


def _take_over(study: Study, source: Path, home: Path) -> None:
    for run in study.trainings:
        if not is_finished(run, home / run.directory):
            hand_on(run, source / run.directory, home / run.directory)


class _Sitting:
    """One go at a study. Work is counted in tasks that a rule decides."""

    def __init__(self, study: Study, directory: Path, workers: int, clock: Clock, watch: Watch) -> None:
        self._study = study
        self._directory = directory
        self._workers = workers
        self._clock = clock
        self._watch = watch
        self._done = 0.0
        self._left = 0.0
        """Work, in all of what is missing."""
        gaps = study.gaps
        self._instances = 0.0 if gaps is None else OF_EFFORT * gaps.effort_s * len(gaps.scenarios)

    def run(self) -> None:
        self._train()
        self._measure()
        if self._study.gaps is not None:
            measure_gaps(self._study, self._directory, self._workers, self._solved)

    def _train(self) -> None:
        home = self._directory / TRAININGS
        missing = [run for run in self._study.trainings if not is_finished(run, home / run.directory)]
        self._left = sum(map(_work_of_training, missing)) + _work_of_all_cells(self._study) + self._instances
        runs = {home / run.directory: run for run in missing}
        shares = dict.fromkeys(runs, 0.0)

        def look(directory: Path, share: float, text: str) -> bool:
            shares[directory] = share
            self._done = sum(shares[each] * _work_of_training(run) for each, run in runs.items())
            over = sum(share >= 1 for share in shares.values())
            return self._tell(f"{over} of {len(runs)} trainings over, {directory.name}, {text}")

        train_all(runs, self._workers, look)
        self._done = sum(map(_work_of_training, missing))

    def _measure(self) -> None:
        scenarios, cells = wanted(self._study, self._directory)
        known = Cells(self._directory / CELLS)
        work = {cell: _work_of_cell(scenarios[cell.place].horizon.tasks, cell) for cell in cells if cell not in known}
        self._left = self._done + sum(work.values()) + self._instances
        total = len(cells)
        ended = total - len(work)

        def look(cell: Cell | None) -> bool:
            nonlocal ended
            if cell is not None:
                ended += 1
                self._done += work[cell]
            return self._tell(f"{ended} of {total} runs")

        measure(scenarios, cells, known, self._workers, look)

    def _solved(self, solved: int, total: int) -> bool:
        self._done = self._left - self._instances * (1 - solved / total)
        return self._tell(f"{solved} of {total} instances solved")

    def _tell(self, text: str) -> bool:
        self._clock.tick()
        return self._watch(Look(self._done / self._left if self._left else 1.0, self._clock.wall_s, text))


def _work_of_training(run: TrainingRun) -> float:
    budget = run.budget
    validations = -(-budget.batches // budget.validate_every) * budget.validation_seeds * budget.validation_tasks
    return OF_LEARNING * budget.batches * budget.episodes * budget.tasks + OF_A_POLICY * validations


def _work_of_cell(tasks: int | None, cell: Cell) -> float:
    return (tasks or 0) * (OF_A_RULE if cell.loads == cell.key else OF_A_POLICY)


def _work_of_all_cells(study: Study) -> float:
    """Of the whole study, as if none was measured: which are is known when all trainings are over."""
    work: dict[tuple[str, str], float] = {}
    for survey in study.surveys:
        for place in survey.places:
            for agent in survey.agents:
                trainings = len(study.seeds_of(agent))
                pace = OF_A_POLICY * trainings if trainings else OF_A_RULE
                tasks = place.scenario.horizon.tasks or 0
                work[place_key(place.scenario), agent] = pace * tasks * len(survey.seeds)
    return sum(work.values())
