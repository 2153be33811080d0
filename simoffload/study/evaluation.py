"""Evaluation: cells measured by worker processes, each kept on disk as soon as it ends."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from ..run.code import state_of_code
from ..run.references import with_references
from ..run.workers import interrupts_held, set_up
from ..schema import Scenario
from .cells import Cell, Cells, Outcome, Stopped, outcome, place_key
from .entrants import entrants
from .reading import Place, Study, Survey

LOOK_S = 0.25
"""Wall time between two looks at whether to go on."""

Watch = Callable[[Cell | None], bool]
"""Takes a cell that has been measured, or None when somebody may ask for an end; whether to go on."""


def cells_of(study: Study, survey: Survey, place: Place, agent: str, directory: Path) -> list[list[Cell]]:
    """The cells of an agent at a place, [policy][seed]."""
    key = place_key(place.scenario)
    return [
        [Cell(key, entrant.key, seed, entrant.loads) for seed in survey.seeds]
        for entrant in entrants(study, agent, directory)
    ]


def wanted(study: Study, directory: Path) -> tuple[dict[str, Scenario], list[Cell]]:
    """Scenarios by key, and all cells of a study, each once: by survey, place and seed, so that pairs are complete."""
    scenarios: dict[str, Scenario] = {}
    cells: dict[Cell, None] = {}
    for survey in study.surveys:
        for place in survey.places:
            scenarios[place_key(place.scenario)] = place.scenario
            lists = [row for agent in survey.agents for row in cells_of(study, survey, place, agent, directory)]
            cells.update(dict.fromkeys(cell for of_a_seed in zip(*lists, strict=True) for cell in of_a_seed))
    return scenarios, list(cells)


def measure(scenarios: Mapping[str, Scenario], cells: Iterable[Cell], known: Cells, workers: int, watch: Watch) -> None:
    """Measure the cells that are not known yet; Stopped when `watch` says no, with all that had ended kept.

    What a cell raises is raised here, after the others under way have been stopped.
    """
    missing = [cell for cell in cells if cell not in known]
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    stopped = context.Value("b", 0, lock=False)
    with ProcessPoolExecutor(min(workers, len(missing)), context, _prepare, (stopped, os.getpid())) as pool:
        running: dict[Future[tuple[Outcome, str]], Cell] = {}
        try:
            for scenario, cell in _made_ready(scenarios, missing):
                while len(running) >= 3 * workers:
                    _take(running, known, watch)
                with interrupts_held():
                    running[pool.submit(_run, scenario, cell.loads)] = cell
            while running:
                _take(running, known, watch)
        except BaseException:
            stopped.value = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _made_ready(scenarios: Mapping[str, Scenario], cells: Iterable[Cell]) -> Iterator[tuple[Scenario, Cell]]:
    """Each cell with its scenario, whose references are worked out once for all cells of a place."""
    complete: dict[str, Scenario] = {}
    for cell in cells:
        if cell.place not in complete:
            complete[cell.place] = with_references(scenarios[cell.place])
        yield complete[cell.place].model_copy(update={"seed": cell.seed}), cell


def _take(running: dict[Future[tuple[Outcome, str]], Cell], known: Cells, watch: Watch) -> None:
    """Wait a little for cells, and keep those that have ended."""
    done, _ = wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED)
    for future in done:
        cell = running.pop(future)
        known.add(cell, *future.result())
        watch(cell)
    if not watch(None):
        raise Stopped


_stopped: Any = None


def _prepare(stopped: Any, parent: int) -> None:
    """Set a worker up, which is told to stop by `stopped`."""
    global _stopped
    _stopped = stopped
    set_up(parent)


def _run(scenario: Scenario, agent: str) -> tuple[Outcome, str]:
    """What came of it, and the state of the code, which may not be that of the process that asks for it."""
    code = state_of_code()
    return outcome(scenario, agent, lambda: not _stopped.value), code
