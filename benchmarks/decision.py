"""CPU time of a trained policy's decision: features and network, on the observations of a run of the smart factory.

    python -m benchmarks.decision > benchmarks/decision.md

Every hundredth observation of a run with a full set of candidates is timed: the features once, with the estimates that
they are made of and that are worked out when they are first read (a rule pays for these, too); then, as these are
there, features and network as the least of five means of 50 calls. What is told is the median over the observations.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from simoffload.agents.network import new_network
from simoffload.decision import Decision, Setting
from simoffload.decision.features import POSITION_COLUMNS, position_features
from simoffload.run.recorder import statistics_of
from simoffload.run.references import with_references
from simoffload.run.world import World
from simoffload.schema import load_scenario

NODES = 8
EVERY = 100
AIM_US = 60


class Timed:
    """Goes where it is expected to be finished first, and times on the way what a policy would do."""

    order = "fifo"

    def __init__(self) -> None:
        self.network = new_network(len(POSITION_COLUMNS), (32, 32), np.random.default_rng(1))
        self.first_us: list[float] = []
        self.features_us: list[float] = []
        self.network_us: list[float] = []
        self._asked = 0

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing to remember."""

    def decide(self, seen: Any) -> Decision:
        """The node of the earliest finish."""
        self._asked += 1
        if self._asked % EVERY == 0 and len(seen.candidates) >= NODES:
            began = time.process_time()
            rows = position_features(seen)
            self.first_us.append(1e6 * (time.process_time() - began))
            self.features_us.append(cpu_us(lambda: position_features(seen)))
            self.network_us.append(cpu_us(lambda: self.network(rows)))
        return Decision(int(np.argmin(seen.finish_s)))


def cpu_us(call: Callable[[], object], calls: int = 50, rounds: int = 5) -> float:
    """Least mean CPU time of a call over some rounds, us."""
    means = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(calls):
            call()
        means.append((time.process_time() - began) / calls)
    return 1e6 * min(means)


def main() -> None:
    """Print the medians."""
    scenario = with_references(load_scenario("smart-factory", ["horizon={tasks: 2000}"]))
    timed = Timed()
    world = World(scenario, timed, statistics_of(scenario))
    world.begin()
    world.kernel.advance(float("inf"))
    first, features, network = (
        float(np.median(each)) for each in (timed.first_us, timed.features_us, timed.network_us)
    )
    print(f"""# What a decision of a trained policy costs

`python -m benchmarks.decision`: smart factory, {len(timed.features_us)} observations of {NODES} or more candidates.

| what | CPU, us | aim |
| --- | ---: | ---: |
| features | {features:.1f} | |
| network | {network:.1f} | |
| features and network, the estimates of the observation being there | {features + network:.1f} | {AIM_US} |
| estimates and features of an observation that nobody has asked anything yet | {first:.1f} | |""")


if __name__ == "__main__":
    main()
