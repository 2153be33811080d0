"""Trainings side by side: each in a process of its own, which is quicker than many processes for one after the other.

While a training learns, the processes that play its episodes have nothing to do, so two trainings with one player each
end sooner than one after the other with two.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from ..run.workers import interrupts_held, set_up
from .cells import Stopped
from .reading import TrainingRun
from .trainings import train

LOOK_S = 0.25
"""Wall time between two looks at whether to go on."""

Watch = Callable[[Path, float, str], bool]
"""Takes the directory of a training, the share of it that is done and what to say of it; whether to go on."""
Word = tuple[Path, float, str]


def train_all(runs: Mapping[Path, TrainingRun], workers: int, watch: Watch) -> None:
    """Begin the trainings in these directories or go on with them; Stopped when `watch` said no before their end.

    What a training raises is raised here, after the others have come to the end of the batch that they were at.
    """
    together = min(workers, len(runs))
    if together <= 1:
        for directory, run in runs.items():
            train(run, directory, workers, partial(watch, directory))
        return
    context = multiprocessing.get_context("spawn")
    stopped, words = context.Value("b", 0, lock=False), context.Queue()
    with ProcessPoolExecutor(together, context, _prepare, (stopped, words, os.getpid())) as pool:
        try:
            with interrupts_held():
                futures = [pool.submit(_train, run, home, workers // together) for home, run in runs.items()]
            _follow(futures, words, watch)
        except BaseException:
            stopped.value = 1
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _follow(futures: list[Future[None]], words: multiprocessing.Queue[Word], watch: Watch) -> None:
    """Pass on what trainings say until all are over."""
    last: Word | None = None
    while not all(future.done() for future in futures) or not words.empty():
        for future in futures:
            if future.done():
                future.result()
        with contextlib.suppress(queue.Empty):
            last = words.get(timeout=LOOK_S)
        if last is not None and not watch(*last):
            raise Stopped
    for future in futures:
        future.result()


_stopped: Any = None
_words: Any = None


def _prepare(stopped: Any, words: Any, parent: int) -> None:
    """Set a worker up, which is told to stop by `stopped` and tells how far it is by `words`."""
    global _stopped, _words
    _stopped, _words = stopped, words
    set_up(parent)


def _train(run: TrainingRun, directory: Path, workers: int) -> None:
    if _stopped.value:  # while it lay in the queue
        raise Stopped

    def tell(share: float, text: str) -> bool:
        _words.put((directory, share, text))
        return not _stopped.value

    train(run, directory, workers, tell)
