"""Gaps: agents against the clairvoyant optimum of small static instances, instance by instance in worker processes."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from .. import __version__
from ..analysis.intervals import Interval, t_interval
from ..record.durable import RecordError, make_directory, write_json
from ..run.code import state_of_code
from ..run.workers import interrupts_held, set_up
from ..schema import Scenario
from .cells import Stopped, what_counts
from .entrants import Entrant, entrants
from .evaluation import LOOK_S
from .provenance import UNKNOWN
from .reading import StaticInstances, Study

GAPS = "gaps"
"""Directory of what has been solved, a file an instance."""

Watch = Callable[[int, int], bool]
"""Takes how many of how many instances are solved; whether to go on."""


@dataclass(frozen=True, slots=True)
class Solved:
    """An instance: the solver's bound, whether it is the optimum, the objective of each agent by its key, and the state
    of the code that found them."""

    bound: float
    proved: bool
    objectives: dict[str, float]
    code: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class GapLine:
    """An agent over all instances: its objective over the bound, of several trainings their mean."""

    agent: str
    ratio: Interval
    worst: float
    proved: int
    """Instances whose bound is the optimum."""


def measure_gaps(study: Study, directory: Path, workers: int, watch: Watch) -> None:
    """Solve the instances that are not solved yet; Stopped when `watch` says no.

    What the solver says of a scenario that is no static instance, or for want of OR-Tools, is raised as it is.
    """
    assert study.gaps is not None
    agents = _entrants(study, directory)
    paths = [_path(directory, study.gaps, scenario, agents) for scenario in study.gaps.scenarios]
    missing = [(path, each) for path, each in zip(paths, study.gaps.scenarios, strict=True) if not path.exists()]
    if not missing:
        return
    make_directory(directory / GAPS)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(missing)), context, set_up, (os.getpid(),)) as pool:
        with interrupts_held():
            running = {pool.submit(_solve, each, agents, study.gaps.effort_s): path for path, each in missing}
        try:
            while running:
                _take(running)
                if not watch(len(paths) - len(running), len(paths)):
                    raise Stopped
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def gap_lines(study: Study, directory: Path) -> list[GapLine]:
    """All agents, the nearest to the optimum first."""
    assert study.gaps is not None
    solved = all_solved(study, directory)
    lines = []
    for name in study.gaps.agents:
        keys = [entrant.key for entrant in entrants(study, name, directory)]
        ratios = [sum(each.objectives[key] for key in keys) / len(keys) / each.bound for each in solved]
        proved = sum(each.proved for each in solved)
        lines.append(GapLine(name, t_interval(ratios, study.plan.level), max(ratios), proved))
    return sorted(lines, key=lambda line: line.ratio.mean)


def all_solved(study: Study, directory: Path) -> list[Solved]:
    """All instances of a study; RecordError where one is not solved."""
    assert study.gaps is not None
    agents = _entrants(study, directory)
    return [_read(_path(directory, study.gaps, scenario, agents)) for scenario in study.gaps.scenarios]


def _entrants(study: Study, directory: Path) -> tuple[Entrant, ...]:
    assert study.gaps is not None
    return tuple(each for name in study.gaps.agents for each in entrants(study, name, directory))


def _path(directory: Path, gaps: StaticInstances, scenario: Scenario, agents: Sequence[Entrant]) -> Path:
    """The file of an instance, named after all that it depends on."""
    parts = [__version__, what_counts(scenario), repr(gaps.effort_s), *(each.key for each in agents)]
    return directory / GAPS / f"{blake2b(chr(10).join(parts).encode(), digest_size=12).hexdigest()}.json"


def _solve(scenario: Scenario, agents: Sequence[Entrant], effort_s: float) -> Solved:
    from ..agents.bounds.gaps import gaps

    rows = gaps([scenario], [each.loads for each in agents], effort_s)
    objectives = {each.key: row.objective for each, row in zip(agents, rows, strict=True)}
    best = rows[0].optimum
    return Solved(best.bound, best.status == "optimal", objectives, state_of_code())


def _take(running: dict[Future[Solved], Path]) -> None:
    done, _ = wait(running, timeout=LOOK_S, return_when=FIRST_COMPLETED)
    for future in done:
        write_json(running.pop(future), asdict(future.result()))


def _read(path: Path) -> Solved:
    try:
        return Solved(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise RecordError(f"{path} is damaged: {error}; remove it to solve the instance anew") from None
