"""The loop that every training goes through: step after step, each played by worker processes and then shown."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Protocol

from simoffload.run.workers import interrupts_held, set_up

from .directory import Look, Row, Watch


class Steps(Protocol):
    """What is learned step by step, a batch or a generation each, and is saved after every one."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do."""

    @property
    def share(self) -> float:
        """Of all steps, those that are done."""

    @property
    def text(self) -> str:
        """How far it is and how well it does."""

    def prepare(self, pool: Executor) -> None:
        """Find out what the first step needs, unless that is known from an earlier time."""

    def step(self, pool: Executor) -> Row:
        """Take a step; its row of the curve."""


def go_through(steps: Steps, workers: int, watch: Watch) -> None:
    """Take all steps that are left, or those until `watch` returns False."""
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, set_up, (os.getpid(),)) as pool:
        with interrupts_held():
            pool.map(abs, range(workers))
        steps.prepare(pool)
        while not steps.is_over:
            row = steps.step(pool)
            if not watch(Look(steps.share, time.perf_counter() - began, steps.text, row)):
                break
