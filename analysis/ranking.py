"""Which agent comes first, which others cannot be told from it, and what rank each may truly have."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .intervals import PairedDifference, all_differences
from .runs import AgentResult, Results


@dataclass(frozen=True, slots=True)
class Ranks:
    """The ranks that cannot be excluded, from `best` to `worst`; 1 is the lowest objective."""

    best: int
    worst: int


@dataclass(frozen=True, slots=True)
class Standing:
    """An agent's place; `behind` is its objective minus the first's, paired by seed and adjusted for all pairs (Holm).

    `ranks` is None for agents without an objective on some seed, and `behind` for these and the first itself.
    """

    agent: str
    behind: PairedDifference | None
    ranks: Ranks | None

    @property
    def ties(self) -> bool:
        """Whether it is not distinguishable from the first: the interval of their difference includes 0."""
        return self.behind is not None and self.behind.is_tie


def ranked(results: Results) -> list[str]:
    """Agents by mean objective, lowest first; then those that lack one on some seed, whose mean is of other tasks."""

    def key(name: str) -> tuple[bool, bool, float]:
        mean = results.agents[name].objective.mean
        return not _is_whole(results, name), math.isnan(mean), mean

    return sorted(results.agents, key=key)


def standings(results: Results, level: float = 0.95) -> list[Standing]:
    """All agents, best first.

    Best rank: one more than there are agents with a lower objective; worst: as many as there are without a higher one,
    both counting only differences that Holm's procedure over all pairs finds at 1 - `level`.
    """
    names = ranked(results)
    whole = [name for name in names if _is_whole(results, name)]
    values = [[_by_seed(results.agents[name])[seed] for seed in results.seeds] for name in whole]
    pairs = all_differences(values, level)
    found = {}
    for i, name in enumerate(whole):
        lower = sum(_is_below(pairs, j, i) for j in range(len(whole)))
        higher = sum(_is_below(pairs, i, j) for j in range(len(whole)))
        found[name] = Standing(name, pairs.get((0, i)), Ranks(1 + lower, len(whole) - higher))
    return [found.get(name, Standing(name, None, None)) for name in names]


def _is_below(pairs: dict[tuple[int, int], PairedDifference], i: int, j: int) -> bool:
    """Whether the objective of i is lower than that of j, beyond chance."""
    if (i, j) in pairs:
        return pairs[i, j].difference.low > 0
    return (j, i) in pairs and pairs[j, i].difference.high < 0


def _is_whole(results: Results, name: str) -> bool:
    return _by_seed(results.agents[name]).keys() >= set(results.seeds)


def _by_seed(agent: AgentResult) -> dict[int, float]:
    """Objective by seed, where there is one."""
    pairs = ((replication.seed, replication.objective) for replication in agent.replications)
    return {seed: objective for seed, objective in pairs if math.isfinite(objective)}
