"""Do intervals still hold the truth when a run was stopped because they were narrow? Measured on the M/M/1 queue.

    python studies/stopping/stopping.py [REPETITIONS] > studies/stopping/results.md

Each repetition is a run as `simoffload run --until` makes it: checks at 2000 times 1.5, 2.25, ... tasks on batches in
constant memory. Counted is how often the interval at the end holds the truth, and how often that would have done at
which the wish was met for the first time. Times in the system follow from Lindley's recursion; the queue starts empty.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass

import numpy as np

from simoffload.analysis.stopping import ONE_RUN, Budget, StoppingRule, parse_target, stopping_rule
from simoffload.record.batches import Batches

REPETITIONS = 100
LONGEST = 4_000_000
PIECE = 100_000


@dataclass(frozen=True)
class Case:
    """What is asked of a queue of this load, and what is true; service takes 1 on average."""

    rho: float
    target: str
    truth: float


CASES = (
    Case(0.5, "latency.mean +- 5%", 2.0),
    Case(0.5, "latency.p95 +- 5%", -math.log(0.05) / 0.5),
    Case(0.8, "latency.mean +- 10%", 5.0),
    Case(0.8, "latency.mean +- 5%", 5.0),
)


class Queue:
    """Times in the system, in pieces."""

    def __init__(self, rho: float, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._rho = rho
        self._left = 0.0
        """Wait of the next customer."""

    def piece(self) -> list[float]:
        """Of the next customers."""
        service = self._rng.exponential(1.0, PIECE)
        steps = service - self._rng.exponential(1 / self._rho, PIECE)
        walk = self._left + np.concatenate(([0.0], np.cumsum(steps)))
        waits = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
        self._left = float(waits[-1])
        found: list[float] = (waits[:-1] + service).tolist()
        return found


def stopped(case: Case, seed: int) -> StoppingRule:
    """A run to its end."""
    rule = stopping_rule(parse_target(case.target), ONE_RUN, Budget(tasks=LONGEST))
    queue, batches, seen, wanted = Queue(case.rho, seed), Batches(), 0, rule.first
    coming: list[float] = []
    while wanted > seen:
        while len(coming) < wanted - seen:
            coming += queue.piece()
        for value in coming[: wanted - seen]:
            batches.add(value)
        coming = coming[wanted - seen :]
        seen, wanted = wanted, rule.see_batches(batches, wanted, 0.0)
    return rule


def row(case: Case, repetitions: int) -> str:
    """A line of the table."""
    rules = [stopped(case, seed) for seed in range(repetitions)]
    ended = [rule for rule in rules if rule.reason == "reached"]
    last = [rule.checks[-1] for rule in ended]
    first = [next(check for check in rule.checks if check.is_met) for rule in ended]
    cells = [f"{case.rho:g}", case.target, str(len(ended))]
    for checks in (last, first):
        held = sum(check.state.low <= case.truth <= check.state.high for check in checks)
        cells += [f"{100 * held / len(ended):.1f}", f"{sum(check.spent for check in checks) / len(ended):,.0f}"]
    error = sum(abs(check.state.value / case.truth - 1) <= rules[0].target.half_width for check in last)
    return f"| {' | '.join([*cells, f'{100 * error / len(ended):.1f}'])} |"


def main() -> None:
    """Print the table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else REPETITIONS
    began = time.perf_counter()
    print(f"""# Do intervals of stopped runs hold the truth?

`python studies/stopping/stopping.py {repetitions}`: {repetitions} repetitions each, nominal 95 %. "Within": how often,
in %, the estimate was as near to the truth as was asked for.

| load | target | reached | holds at the end | tasks | would have held at the first narrow one | tasks | within |
| --: | --- | --: | --: | --: | --: | --: | --: |""")
    for case in CASES:
        print(row(case, repetitions), flush=True)
    print(f"{time.perf_counter() - began:.0f} s on one core", file=sys.stderr)


if __name__ == "__main__":
    main()
