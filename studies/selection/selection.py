"""Is the best agent found as often as promised, and with how many replications? Measured where the truth is known.

    python studies/selection/selection.py [REPETITIONS] > studies/selection/results.md

Results of an agent on a seed are normal, with a deviation of 3 zones, and may share a part of it with those of the
other agents on that seed (correlation 0 or 0.7), as agents under common random numbers do. Three arrangements: all
others worse by just the zone, which is the hardest case; each one zone worse than the one before; and two others within
half a zone of the best, the rest two zones off, where these three are all as good as the best.

Against the race stand the same seeds for all agents: as many as the race took; as many as the two-stage procedure of
Clark and Yang (1986; Nelson and Matejcik 1995) wants, which makes the same promise under common random numbers; and the
least number that would do, which nobody knows beforehand. OCBA gets what the race took, 20 replications at a time.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit  # type: ignore[import-untyped]

from simoffload.analysis.selection import FIRST_STAGE, Selection, ocba

REPETITIONS = 1000
PROMISE = 0.95
ZONE, DEVIATION = 1.0, 3.0
MANY = 4000
"""Seeds that are drawn, which no race comes near to."""
STEP = 20

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Agents with known means, the first being the best."""

    name: str
    means: tuple[float, ...]
    correlation: float

    def drawn(self, seed: int) -> Floats:
        """[seeds, agents]"""
        rng = np.random.default_rng([seed, len(self.means)])
        shared = rng.normal(size=(MANY, 1)) * math.sqrt(self.correlation)
        own = rng.normal(size=(MANY, len(self.means))) * math.sqrt(1 - self.correlation)
        return np.asarray(np.array(self.means) + DEVIATION * (shared + own))

    def is_good(self, agent: int) -> bool:
        """Whether it is the best or within the zone of it."""
        return self.means[agent] < ZONE or agent == 0


def cases() -> list[Case]:
    """Of 5 and 10 agents."""
    found = []
    for many in (5, 10):
        arrangements = {
            "others one zone worse": (0.0, *[ZONE] * (many - 1)),
            "each a zone worse": tuple(ZONE * place for place in range(many)),
            "two within the zone": (0.0, ZONE / 2, ZONE / 2, *[2 * ZONE] * (many - 3)),
        }
        found += [Case(name, means, r) for name, means in arrangements.items() for r in (0.0, 0.7)]
    return found


def race(case: Case, values: Floats) -> tuple[int, int, int]:
    """Who is left, the replications spent and the seeds taken."""
    names = [str(place) for place in range(len(case.means))]
    running = Selection(names, PROMISE, ZONE)
    for row in values.tolist():
        running.take(dict(zip(names, row, strict=True)))
        if running.best is not None:
            return int(running.best), running.replications, running.seeds
    raise RuntimeError(f"no end after {MANY} seeds")


def two_stage(values: Floats) -> int:
    """Seeds for all agents by Clark and Yang: the largest (t S_ij / zone)^2, at least the first stage."""
    k = values.shape[1]
    t = float(stdtrit(FIRST_STAGE - 1, 1 - (1 - PROMISE) / (k - 1)))
    first = values[:FIRST_STAGE]
    differences = first[:, :, None] - first[:, None, :]
    return max(FIRST_STAGE, math.ceil(float(differences.var(axis=0, ddof=1).max()) * (t / ZONE) ** 2))


def by_ocba(values: Floats, total: int) -> int:
    """Who has the least mean after `total` replications, allocated in steps after the first stage."""
    k = values.shape[1]
    counts = np.full(k, FIRST_STAGE)
    while counts.sum() < total:
        step = min(STEP, total - int(counts.sum()))
        means = np.array([values[:n, place].mean() for place, n in enumerate(counts)])
        deviations = np.array([values[:n, place].std(ddof=1) for place, n in enumerate(counts)])
        lacking = np.maximum(ocba(means, deviations, int(counts.sum()) + step) - counts, 0)
        given = np.floor(step * lacking / lacking.sum()).astype(int)
        given[int(lacking.argmax())] += step - int(given.sum())
        counts = counts + given
    return int(np.argmin([values[:n, place].mean() for place, n in enumerate(counts)]))


def least_that_would_do(case: Case, hits: Floats) -> str:
    """Replications of the least number of seeds for all at which the best is found as promised; [seeds] shares."""
    enough = np.flatnonzero(hits >= PROMISE)
    return str((int(enough[0]) + 1) * len(case.means)) if len(enough) else "-"


def row(case: Case, repetitions: int) -> str:
    """A line of the table."""
    good = spent = level = promised = by_two = 0
    hits = np.zeros(MANY)
    drawn = [case.drawn(seed) for seed in range(repetitions)]
    for values in drawn:
        winner, replications, seeds = race(case, values)
        good += case.is_good(winner)
        spent += replications
        level += seeds * len(case.means)
        n = two_stage(values)
        promised += n * len(case.means)
        by_two += case.is_good(int(values[:n].mean(axis=0).argmin()))
        leaders = values.cumsum(axis=0).argmin(axis=1)
        hits += np.isin(leaders, [place for place in range(len(case.means)) if case.is_good(place)])
    mean = round(spent / repetitions)
    with_ocba = sum(case.is_good(by_ocba(values, mean)) for values in drawn)
    cells = [
        case.name, str(len(case.means)), f"{case.correlation:g}", f"{100 * good / repetitions:.1f}", str(mean),
        str(round(level / repetitions)), f"{100 * by_two / repetitions:.1f}", str(round(promised / repetitions)),
        least_that_would_do(case, hits / repetitions), f"{100 * with_ocba / repetitions:.1f}",
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else REPETITIONS
    began = time.perf_counter()
    print(f"""# Does the race find the best agent?

`python studies/selection/selection.py {repetitions}`: {repetitions} repetitions each, promised {PROMISE:.0%}, first
stage {FIRST_STAGE} seeds. "Found": how often, in %, the best was found, or one within the zone of it. Numbers of
replications are of all agents together, on average.

| arrangement | agents | correlation | race: found | race | same seeds for all | two-stage: found | two-stage | \
least that would do | OCBA with the race's number: found |
| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |""")
    for case in cases():
        print(row(case, repetitions), flush=True)
    print(f"{time.perf_counter() - began:.0f} s on one core", file=sys.stderr)


if __name__ == "__main__":
    main()
