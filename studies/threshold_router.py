"""A grid search for the threshold router, so that it is not compared at values that suit another plant.

`python studies/threshold_router.py [SCENARIO]` plays every combination on the same training seeds, which no comparison
uses, and prints a Markdown table of the mean objective per task, best first, with what the best and the router as it
comes reach on the validation seeds of trainings. It takes some minutes.

Tried: where the threshold begins, how much time saved speaks for the cloud, and how fast threshold rises as tokens and
time are spent (0: a fixed threshold). What difficulty is worth stays as it is, for the scale of difficulties is fixed.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping

import numpy as np

from simoffload.agents.learning.validation import VALIDATION_SEEDS, from_empty, measure
from simoffload.agents.threshold_router import ThresholdRouter
from simoffload.run.references import with_references
from simoffload.schema import Scenario, load_scenario

FIRST_SEED = 1_999_000_000
"""Below the seeds of validation. It and the next one are those of the first two episodes of trainings with seed 999."""
SEEDS, TASKS = 2, 250
VALIDATION_TASKS = 600
BASES, HASTES, RISES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7), (1.0, 4.0, 16.0, 64.0), (0.0, 0.5)


def router(base: float, haste: float, rise: float) -> ThresholdRouter:
    """A router with these values; tokens and time raise its threshold equally."""
    return ThresholdRouter(base=base, haste=haste, token_rise=rise, latency_rise=rise)


def objective(scenario: Scenario, agent: ThresholdRouter, first_seed: int, seeds: int, tasks: int) -> float:
    """Mean objective per task over so many seeds."""
    runs = [from_empty(scenario, first_seed + k, tasks) for k in range(seeds)]
    return float(np.mean([measure(run, agent) for run in runs]))


def search(scenario: Scenario) -> Mapping[tuple[float, float, float], float]:
    """Mean objective of every combination on the training seeds."""
    return {
        values: objective(scenario, router(*values), FIRST_SEED, SEEDS, TASKS)
        for values in itertools.product(BASES, HASTES, RISES)
    }


def main(name: str) -> None:
    """Print the table."""
    scenario = with_references(load_scenario(name))
    found = search(scenario)
    print("| base | haste | rise | objective |\n| ---: | ---: | ---: | ---: |")
    for values in sorted(found, key=found.__getitem__):
        print(f"| {' | '.join(map(str, values))} | {found[values]:.3f} |")
    best = min(found, key=found.__getitem__)
    for which, agent in ((f"best, {best}", router(*best)), ("as it comes", ThresholdRouter())):
        validated = objective(scenario, agent, VALIDATION_SEEDS, 8, VALIDATION_TASKS)
        print(f"\nOn the validation seeds, {which}: {validated:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:] or ["smart-factory"])
