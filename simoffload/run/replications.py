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
    """The summaries of the jobs, in their order.

    `watch` is called a few times a second; when it returns False the runs under way end as incomplete and Interrupted
    is raised. What a run raises is raised here, after the others have been stopped.
    """
    context = multiprocessing.get_context("spawn")
    shares, stopped = context.Array("d", len(jobs), lock=False), context.Value("b", 0, lock=False)
    began = time.perf_counter()
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _prepare, (shares, stopped, os.getpid())) as pool:
        with interrupts_held():
            futures = [pool.submit(_run, number, job) for number, job in enumerate(jobs)]
        try:
            _wait(futures, lambda: sum(shares), began, watch)
        except BaseException as error:
            stopped.value = 1
            pool.shutdown(wait=True, cancel_futures=True)
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
        share = Share(finished, len(futures), total() / len(futures), time.perf_counter() - began)
        if watch is not None and not watch(share) and pending:
            raise Interrupted


_shares: Any = None
_stopped: Any = None


def _prepare(shares: Any, stopped: Any, parent: int) -> None:
    """Set a worker up, which tells how far it is in `shares` and is told to stop by `stopped`."""
    global _shares, _stopped
    _shares, _stopped = shares, stopped
    set_up(parent)


def _run(number: int, job: Job) -> dict[str, Any]:
    def watch(progress: Progress) -> bool:
        _shares[number] = progress.share
        return not _stopped.value

    if _stopped.value:
        raise Interrupted
    return simulate(job.scenario, job.agent, job.directory, watch)
