"""Grid searches for rules that have parameters, so that each has been given its best values on one plant.

`python studies/grids.py RULE > studies/grids/RULE.md`, RULE being a name of `GRIDS`, plays every combination of values
on the same training seeds, which no comparison uses, and prints a Markdown table of the mean objective per task, best
first, with what the best and the rule as it comes reach on the validation seeds of trainings. It takes some minutes.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from simoffload.agents.critical_path import CriticalPath
from simoffload.agents.learning.directory import episode_seed
from simoffload.agents.learning.validation import VALIDATION_SEEDS, from_empty, measure
from simoffload.agents.measured_speed import EarliestMeasuredFinish, EarliestUcbFinish
from simoffload.agents.threshold_router import ThresholdRouter
from simoffload.decision import Agent
from simoffload.run.references import with_references
from simoffload.schema import Scenario, load_scenario

TRAINING_SEEDS = [episode_seed(999, 0, number) for number in range(8)]
"""Those of the first eight episodes of a training with seed 999."""
TASKS = 250
SEEDS_OF_VALIDATION = range(VALIDATION_SEEDS, VALIDATION_SEEDS + 8)
VALIDATION_TASKS = 600


def router(base: float, haste: float, rise: float) -> ThresholdRouter:
    """A threshold router with these values; tokens and time raise its threshold equally."""
    return ThresholdRouter(base=base, haste=haste, token_rise=rise, latency_rise=rise)


@dataclass(frozen=True, slots=True)
class Grid:
    """What is tried: a rule made of every combination of values, on a scenario."""

    scenario: str
    as_it_comes: Agent
    make: Callable[..., Agent]
    values: Mapping[str, Sequence[float]]


GRIDS = {
    # Where the threshold begins, how much time saved speaks for the cloud, and how fast the threshold rises as tokens
    # and time are spent (0: never). What difficulty is worth stays, for the scale of difficulties is fixed.
    "threshold-router": Grid(
        "smart-factory",
        ThresholdRouter(),
        router,
        {"base": (0.1, 0.2, 0.3, 0.4, 0.5, 0.7), "haste": (1.0, 4.0, 16.0, 64.0), "rise": (0.0, 0.5)},
    ),
    # The more the subtask's own finish counts, the less the rule differs from `eft`.
    "critical-path": Grid(
        "smart-factory",
        CriticalPath(),
        CriticalPath,
        {"dawdle": (0.0, 0.1, 0.3, 1.0, 4.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0)},
    ),
    # With optimism 0 these are values of `eft-measured`.
    "eft-ucb": Grid(
        "hidden-slowdown",
        EarliestUcbFinish(),
        EarliestMeasuredFinish,
        {
            "memory_s": (7.5, 15.0, 30.0, 60.0, 120.0, 240.0),
            "optimism": (0.0, 0.1, 0.2, 0.4, 0.8, 1.6),
            "prior": (0.0, 1.0),
        },
    ),
}


def objectives(
    pool: Executor, scenario: Scenario, agents: Sequence[Agent], seeds: Iterable[int], tasks: int
) -> list[float]:
    """Mean objective per task of each agent over the seeds."""
    runs = [from_empty(scenario, seed, tasks) for seed in seeds]
    pairs = [(run, agent) for agent in agents for run in runs]
    found = list(pool.map(measure, *zip(*pairs, strict=True), chunksize=len(runs)))
    return [float(np.mean(found[k : k + len(runs)])) for k in range(0, len(found), len(runs))]


def main(rule: str) -> None:
    """Print the table of a rule."""
    grid = GRIDS[rule]
    scenario = with_references(load_scenario(grid.scenario))
    tried = list(itertools.product(*grid.values.values()))
    agents = [grid.make(**dict(zip(grid.values, values, strict=True))) for values in tried]
    with ProcessPoolExecutor() as pool:
        found = dict(zip(tried, objectives(pool, scenario, agents, TRAINING_SEEDS, TASKS), strict=True))
        ranking = sorted(found, key=found.__getitem__)
        finalists = [agents[tried.index(ranking[0])], grid.as_it_comes]
        best, usual = objectives(pool, scenario, finalists, SEEDS_OF_VALIDATION, VALIDATION_TASKS)
    print(f"| {' | '.join(grid.values)} | objective |\n|{' ---: |' * (len(grid.values) + 1)}")
    for values in ranking:
        print(f"| {' | '.join(map(str, values))} | {found[values]:.3f} |")
    print(f"\nOn the validation seeds, best, {ranking[0]}: {best:.3f}")
    print(f"\nOn the validation seeds, as it comes: {usual:.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in GRIDS:
        sys.exit(f"usage: python studies/grids.py RULE, which is one of {', '.join(GRIDS)}")
    main(sys.argv[1])
