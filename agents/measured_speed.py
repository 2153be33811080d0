"""Earliest finish with the speed of each node as its users have measured it, since no notice tells of a slow-down.

A subtask that has ended tells how many times as long as expected it took. Each home keeps, per node, the mean of those
numbers and their count, both forgotten exponentially: discounted UCB (Garivier and Moulines, "On upper-confidence bound
policies for switching bandit problems", ALT 2011) with speeds for rewards. Optimism believes of a node that has not
been tried lately that it has recovered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simoffload.decision import Decision

from .choosing import least_up

if TYPE_CHECKING:
    from simoffload.decision import Heard, Observation, Setting

Floats = NDArray[np.float64]
MEMORY_S = 60.0
"""Time in which what was heard loses all but 1/e of its weight."""


class MeasuredSpeeds:
    """How slow one home believes each node to be, by what it has heard.

    slowness = max(1, mean - optimism sqrt(ln(1 + N) / (1 + n))), where n is the discounted count of a node's ends, N
    their sum over the nodes, and the mean holds `prior` ends at full pace besides.
    """

    def __init__(self, nodes: int, memory_s: float, optimism: float, prior: float) -> None:
        self._memory_s = memory_s
        self._optimism = optimism
        self._prior = prior
        self._count = np.zeros(nodes)
        self._sum = np.zeros(nodes)
        self._told_s = 0.0
        """Instant to which both are discounted."""

    def hear(self, heard: tuple[Heard, ...]) -> None:
        """Take in ends in the order in which they came."""
        for each in heard:
            if each.expected_s > 0.0:
                self._forget(each.end_s)
                self._count[each.node] += 1.0
                self._sum[each.node] += each.service_s / each.expected_s

    def slowness(self, now_s: float) -> Floats:
        """[nodes]: how many times as long as at full pace work is believed to take."""
        self._forget(now_s)
        count = self._count
        held = self._prior + count
        mean = np.divide(self._prior + self._sum, held, out=np.ones_like(held), where=held > 0.0)
        hope = self._optimism * np.sqrt(math.log1p(float(count.sum())) / (1.0 + count))
        believed: Floats = np.maximum(mean - hope, 1.0)
        return believed

    def _forget(self, now_s: float) -> None:
        left = math.exp((self._told_s - now_s) / self._memory_s)
        self._count *= left
        self._sum *= left
        self._told_s = now_s


class SpeedsByHome:
    """What every home believes of its candidates, each by what it has heard itself."""

    def __init__(self, nodes: int, memory_s: float, optimism: float, prior: float = 0.0) -> None:
        self._new = partial(MeasuredSpeeds, nodes, memory_s, optimism, prior)
        self._speeds: dict[int, MeasuredSpeeds] = {}

    def slowness(self, seen: Observation) -> Floats:
        """[k]: of the candidates, with what the home has heard since its last decision."""
        speeds = self._speeds.get(seen.home)
        if speeds is None:
            speeds = self._speeds[seen.home] = self._new()
        speeds.hear(seen.heard)
        believed: Floats = speeds.slowness(seen.now_s)[seen.candidates]
        return believed


def finish_at(seen: Observation, slowness: Floats) -> Floats:
    """[k]: seconds until the subtask is finished where wait and service take so many times as long, [k]."""
    finish = seen.finish_s
    if not (slowness > 1.0).any():
        return finish
    late: Floats = np.maximum(seen.transfer_s, slowness * seen.wait_s) + seen.swap_s + slowness * seen.service_s
    return late + seen.way_home_s


@dataclass(eq=False)
class EarliestMeasuredFinish:
    """The node where the subtask is expected to be finished first at the nodes' measured speeds; queues by arrival."""

    memory_s: float = MEMORY_S
    """Time in which what was heard loses all but 1/e of its weight."""
    optimism: float = 0.0
    """Weight of the doubt about a slowness, which counts in the node's favour."""
    prior: float = 0.0
    """Ends at full pace that a home takes every node to have shown besides."""
    order: str = "fifo"

    def reset(self, setting: Setting, generator: np.random.Generator) -> None:
        """Nothing has been heard; the rule draws nothing."""
        self._speeds = SpeedsByHome(len(setting.node_ids), self.memory_s, self.optimism, self.prior)

    def decide(self, observation: Observation) -> Decision:
        """The candidate of least finish."""
        return Decision(least_up(finish_at(observation, self._speeds.slowness(observation)), observation))


@dataclass(eq=False)
class EarliestUcbFinish(EarliestMeasuredFinish):
    """The same with optimism: of two nodes found equally slow the one tried less lately is believed to be faster."""

    optimism: float = 0.1


def tuned() -> EarliestUcbFinish:
    """`eft-ucb` at the values that did best in a grid search on `hidden-slowdown`: short memory and more optimism.

    `studies/grids.py` is the search and `studies/grids/eft-ucb.md` what it found.
    """
    return EarliestUcbFinish(memory_s=7.5, optimism=0.4)
