"""The best of several agents, with a stated probability, and no more replications of the others than it takes.

`Selection` is the fully sequential procedure KN (Kim and Nelson, ACM TOMACS 11, 2001): after a first stage on the same
seeds all agents still in the race get one seed more at a time, and whoever is beaten drops out. If results of seeds are
independent and normal, as means over many tasks nearly are, the one that is left is the best with the stated
probability wherever the best is better than all others by the indifference zone. Where others are closer to it than
that, one of these may be left, which by definition does not matter; `studies/selection` measures how often it is none
of them. Agents may share random numbers: only their differences count.

`ocba` says how to spread a given number of replications instead (Chen, Lin, Yucesan, Chick, Discrete Event Dynamic
Systems 10, 2000). It promises nothing, takes agents for independent, and is a yardstick here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

FIRST_STAGE = 10
"""Seeds that all agents get; with fewer, variances are so uncertain that the race becomes long."""


@dataclass(frozen=True, slots=True)
class Drop:
    """An agent left the race."""

    agent: str
    seeds: int
    """Seeds that it was simulated on."""
    beaten_by: str
    behind: float
    """Its mean minus the other's, over these seeds."""
    needed: float
    """By how much it had to be behind."""


class Selection:
    """The race: `take` the results of the agents in `left`, seed by seed, until one is left. Smaller is better."""

    def __init__(
        self,
        agents: Sequence[str],
        probability: float,
        indifference: float,
        is_relative: bool = False,
        first_stage: int = FIRST_STAGE,
    ) -> None:
        """`indifference` is the zone in the unit of the results, or a share of the least mean of the first stage.

        ValueError when there are fewer than two agents, the probability is not more than that of a guess and less than
        1, the zone not positive or the first stage shorter than 2.
        """
        many = len(agents)
        if many < 2 or len(set(agents)) < many:
            raise ValueError(f"the best is chosen of at least two different agents, not of {list(agents)}")
        if not 1 / many < probability < 1:
            raise ValueError(f"a guess is right with probability 1/{many}: ask for more, below 1, not {probability:g}")
        if not (indifference > 0 and math.isfinite(indifference)):
            raise ValueError(f"an indifference zone is more than 0, not {indifference}")
        if first_stage < 2:
            raise ValueError(f"a first stage has at least 2 seeds, not {first_stage}")
        self.probability = probability
        self.first_stage = first_stage
        self.zone: float | None = None if is_relative else indifference
        """Difference that one cares about; None while it waits for the first stage."""
        self.drops: list[Drop] = []
        """In the order of time."""
        self.left: tuple[str, ...] = tuple(agents)
        """Agents in the race, in the order given."""
        self.most_seeds: int | None = None
        """Seeds after which the race is over at the latest; None before the end of the first stage."""
        self.seeds = 0
        self._share = indifference
        self._values: dict[str, list[float]] = {agent: [] for agent in agents}
        self._h2 = _h2(1 - probability, many, first_stage)
        self._variances: dict[tuple[str, str], float] = {}

    @property
    def best(self) -> str | None:
        """The agent that is left alone."""
        return self.left[0] if len(self.left) == 1 else None

    @property
    def leader(self) -> str:
        """The agent of least mean among those left, which is the best only once it is left alone."""
        return min(self.left, key=self._mean)

    @property
    def replications(self) -> int:
        """Results taken, of all agents."""
        return sum(map(len, self._values.values()))

    @property
    def saved(self) -> int:
        """Replications fewer than if all agents had been simulated on all seeds."""
        return len(self._values) * self.seeds - self.replications

    @property
    def forecast(self) -> int | None:
        """Replications expected in the end, if differences are as they seem; None before the end of the first stage.

        Whoever is g behind the leader goes when the leeway has shrunk to g, after h^2 S^2 / (zone (2 g + zone)) seeds.
        """
        if self.zone is None or self.most_seeds is None:
            return None
        leader, longest, others = self.leader, self.seeds, 0
        for agent in self.left:
            if agent != leader:
                gap = self._mean(agent) - self._mean(leader)
                ends = math.ceil(self._h2 * self._variances[agent, leader] / (self.zone * (2 * gap + self.zone)))
                longest, others = max(longest, ends), others + max(ends - self.seeds, 0)
        return self.replications + others + longest - self.seeds

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "best": self.best,
            "left": list(self.left),
            "probability": self.probability,
            "zone": self.zone,
            "first_stage": self.first_stage,
            "seeds": self.seeds,
            "most_seeds": self.most_seeds,
            "replications": self.replications,
            "saved": self.saved,
            "dropped": [asdict(drop) for drop in self.drops],
            "objective": {agent: list(values) for agent, values in self._values.items()},
        }

    def values(self, agent: str) -> tuple[float, ...]:
        """The results of an agent, seed by seed."""
        return tuple(self._values[agent])

    def take(self, results: Mapping[str, float]) -> None:
        """The results of the next seed, of the agents in `left` at least; ValueError when one is not finite."""
        if self.best is not None:
            raise ValueError("the race is over")
        for agent in self.left:
            if not math.isfinite(results[agent]):
                raise ValueError(f"agent '{agent}' has no result on one of the seeds: {results[agent]}")
        for agent in self.left:
            self._values[agent].append(results[agent])
        self.seeds += 1
        if self.seeds == self.first_stage:
            self._end_first_stage()
        if self.seeds >= self.first_stage:
            self._screen()

    def _end_first_stage(self) -> None:
        if self.zone is None:
            self.zone = self._share * abs(min(map(self._mean, self.left)))
            if self.zone == 0:
                raise ValueError("the least mean is 0, of which a zone cannot be a share: give it as a number")
        for i, j in combinations(self.left, 2):
            difference = np.subtract(self._values[i], self._values[j])
            self._variances[i, j] = self._variances[j, i] = float(difference.var(ddof=1))
        largest = max(self._variances.values())
        self.most_seeds = max(math.floor(self._h2 * largest / self.zone**2) + 1, self.first_stage)

    def _screen(self) -> None:
        """Let those go whose mean is more above another's than the two's scatter leaves open; all see the same means.

        i stays if mean_i <= mean_l + W_il for all l, W_il = max(0, zone / (2 r) (h^2 S_il^2 / zone^2 - r)).
        """
        assert self.zone is not None
        means = {agent: self._mean(agent) for agent in self.left}
        ranked = sorted(self.left, key=means.__getitem__)
        going: dict[str, Drop] = {}
        for agent in self.left:
            for other in ranked:
                behind, needed = means[agent] - means[other], self._leeway(agent, other)
                at_last = needed == 0 and behind == 0 and ranked.index(other) < ranked.index(agent)
                if other != agent and (behind > needed or at_last):
                    going[agent] = Drop(agent, self.seeds, other, behind, needed)
                    break
        self.drops += [going[agent] for agent in reversed(ranked) if agent in going]
        self.left = tuple(agent for agent in self.left if agent not in going)

    def _leeway(self, i: str, j: str) -> float:
        assert self.zone is not None
        if i == j:
            return 0.0
        r = self.seeds
        return max(0.0, self.zone / (2 * r) * (self._h2 * self._variances[i, j] / self.zone**2 - r))

    def _mean(self, agent: str) -> float:
        return math.fsum(self._values[agent]) / len(self._values[agent])


def _h2(alpha: float, many: int, first_stage: int) -> float:
    """h^2 = 2 eta (n0 - 1), eta = ((2 alpha / (k - 1))^(-2 / (n0 - 1)) - 1) / 2: KN with c = 1."""
    return float((first_stage - 1) * ((2 * alpha / (many - 1)) ** (-2 / (first_stage - 1)) - 1))


def ocba(means: npt.ArrayLike, deviations: npt.ArrayLike, total: int) -> npt.NDArray[np.int64]:
    """How many of `total` replications each agent should have, by means and standard deviations known so far.

    Of the best b, of least mean, N_b = s_b sqrt(sum over i of (N_i / s_i)^2), of the others N_i in proportion to
    (s_i / (mean_i - mean_b))^2. Rounded so that they add up. ValueError when there are fewer than two agents, a
    deviation is not positive, or another mean equals the least.
    """
    mean, s = np.asarray(means, dtype=np.float64), np.asarray(deviations, dtype=np.float64)
    if mean.ndim != 1 or mean.shape != s.shape or len(mean) < 2:
        raise ValueError(f"an allocation is among at least two means with a deviation each, not {mean.shape}")
    if not (np.isfinite(mean).all() and np.isfinite(s).all() and (s > 0).all()):
        raise ValueError("means are finite and deviations positive")
    best = int(mean.argmin())
    others = np.arange(len(mean)) != best
    gaps = mean[others] - mean[best]
    if not (gaps > 0).all():
        raise ValueError("two agents share the least mean: no allocation can tell them apart")
    shares = np.empty(len(mean))
    shares[others] = (s[others] / gaps) ** 2
    shares[best] = s[best] * math.sqrt(float(((shares[others] / s[others]) ** 2).sum()))
    return _whole(total * shares / shares.sum(), total)


def _whole(shares: npt.NDArray[np.float64], total: int) -> npt.NDArray[np.int64]:
    """Whole numbers that add up: rounded down, the largest remainders up."""
    counts = np.floor(shares).astype(np.int64)
    for place in np.argsort(counts - shares, kind="stable")[: total - int(counts.sum())]:
        counts[place] += 1
    return counts
