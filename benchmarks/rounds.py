"""Programs timed in turn: round after round each of them runs once, so that what slows the machine slows them all.

Times are CPU seconds of the whole process, threads included. A ratio is the median over the rounds of the ratio within
each round.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Program:
    """Something to time: `run()` does so many units of work, and what it returns has a checksum."""

    name: str
    units: int
    run: Callable[[], Any]
    checksum: Callable[[Any], str] = field(default=lambda result: "")


@dataclass(frozen=True, slots=True)
class Timing:
    """CPU time of a program in each round, s."""

    name: str
    units: int
    cpu_s: tuple[float, ...]
    checksum: str

    @property
    def us_per_unit(self) -> float:
        """Median CPU time of a unit, us."""
        return 1e6 * statistics.median(self.cpu_s) / self.units


class Mismatch(Exception):
    """A program whose results change from round to round."""


def measure(programs: Sequence[Program], rounds: int) -> list[Timing]:
    """Time programs in turn; Mismatch where a checksum changes."""
    times: list[list[float]] = [[] for _ in programs]
    sums: list[set[str]] = [set() for _ in programs]
    for _ in range(rounds):
        for number, program in enumerate(programs):
            gc.collect()
            began = time.process_time()
            result = program.run()
            times[number].append(time.process_time() - began)
            sums[number].add(program.checksum(result))
            del result
            if len(sums[number]) > 1:
                raise Mismatch(f"{program.name} gives another result in round {len(times[number])}")
    return [
        Timing(program.name, program.units, tuple(cpu_s), seen.pop())
        for program, cpu_s, seen in zip(programs, times, sums, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as fast one program is as another: median, least and greatest of the rounds."""

    median: float
    least: float
    greatest: float


def speed_ratio(fast: Timing, slow: Timing) -> Ratio:
    """Speed of `fast` over that of `slow`, per unit of work."""
    each = [(theirs / slow.units) / (ours / fast.units) for ours, theirs in zip(fast.cpu_s, slow.cpu_s, strict=True)]
    return Ratio(statistics.median(each), min(each), max(each))
