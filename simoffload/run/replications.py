"""Replications: runs of several agents on several seeds, in worker processes.

Every run depends on its scenario, agent and seed alone, so results do not depend on the number of workers or on which
run ends first.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ..schema import Scenario
from .progress import Progress
from .simulation import simulate
from .workers import interrupts_held, set_up

_LOOK_S = 0.25


class Interrupted(Exception):
    """Somebody asked for an end; `finished` holds the summaries of the jobs that were done by then, by number."""

    def __init__(self, finished: dict[int, dict[str, Any]] | None = None) -> None:
        super().__init__("interrupted")
        self.finished = finished or {}


class NothingMeasured(Exception):
    """A run came to nothing that could be compared or averaged; the message says which."""

    def __init__(self, agent: str, seed: int) -> None:
        super().__init__(
            f"agent '{agent}', seed {seed}: no task was measured, so the run has no result; is the warm-up longer than "
            "the run?"
        )


class Unfinished(Exception):
    """A run was ended before its horizon, so that it cannot stand beside others; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run to be made; `directory` is its run directory."""

    scenario: Scenario
    agent: str
    directory: Path | None


@dataclass(frozen=True, slots=True)
class Share:
    """How far a set of runs has come."""

    done: int
    """Runs that are finished."""
    total: int
    share: float
    """Of the whole, from 0 to 1."""
    wall_s: float


Watch = Callable[[Share], bool]


def run_jobs(jobs: Sequence[Job], workers: int, watch: Watch | None = None) -> list[dict[str, Any]]:
    """The summaries of the jobs, in their order, as `Runners.run` gives them."""
    with Runners(min(workers, len(jobs))) as runners:
        return runners.run(jobs, watch)


class Runners:
    """Worker processes that make runs, set after set, within ``with Runners(workers) as runners``."""

    def __init__(self, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._done, self._stopped = context.Value("d", 0.0), context.Value("b", 0, lock=False)
        self._pool = ProcessPoolExecutor(workers, context, _prepare, (self._done, self._stopped, os.getpid()))

    def __enter__(self) -> Runners:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    def run(self, jobs: Sequence[Job], watch: Watch | None = None) -> list[dict[str, Any]]:
        """The summaries of the jobs, in their order.

        `watch` is called a few times a second; when it returns False the runs under way end as incomplete and
        Interrupted is raised. What a run raises is raised here, after the others have been stopped. After either,
        these workers do no more.
        """
        began, before = time.perf_counter(), self._done.value
        with interrupts_held():
            futures = [self._pool.submit(_run, job) for job in jobs]
        try:
            _wait(futures, lambda: self._done.value - before, began, watch)
        except BaseException as error:
            self._stopped.value = 1
            self._pool.shutdown(wait=True, cancel_futures=True)
            if isinstance(error, Interrupted):
                raise Interrupted(_finished(futures)) from None
            raise
        return [future.result() for future in futures]


def _finished(futures: Sequence[Future[dict[str, Any]]]) -> dict[int, dict[str, Any]]:
    """The summaries of the runs that came to their end."""
    done = {n: future for n, future in enumerate(futures) if not future.cancelled() and future.exception() is None}
    summaries = {number: future.result() for number, future in done.items()}
    return {number: summary for number, summary in summaries.items() if summary["status"] == "complete"}


def _wait(futures: Sequence[Future[Any]], total: Callable[[], float], began: float, watch: Watch | None) -> None:
    """Wait for all, telling how far they are."""
    pending: set[Future[Any]] = set(futures)
    while pending:
        done, pending = wait(pending, timeout=_LOOK_S, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        finished = len(futures) - len(pending)
        share = 1.0 if not pending else min(total() / len(futures), 1.0)
        look = Share(finished, len(futures), share, time.perf_counter() - began)
        if watch is not None and not watch(look) and pending:
            raise Interrupted


_done: Any = None
_stopped: Any = None


def _prepare(done: Any, stopped: Any, parent: int) -> None:
    """Set a worker up, which adds what it has done of its runs to `done` and is told to stop by `stopped`."""
    global _done, _stopped
    _done, _stopped = done, stopped
    set_up(parent)


def _run(job: Job) -> dict[str, Any]:
    told = 0.0

    def watch(progress: Progress) -> bool:
        nonlocal told
        with _done.get_lock():
            _done.value += progress.share - told
        told = progress.share
        return not _stopped.value

    if _stopped.value:
        raise Interrupted
    summary = simulate(job.scenario, job.agent, job.directory, watch)
    if summary["status"] == "unstable":
        raise Unfinished(f"agent '{job.agent}', seed {job.scenario.seed}: {summary['reason']}")
    return summary
