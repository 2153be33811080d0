"""Results of comparisons written by hand, as `comparison.json` would hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simoffload.analysis.intervals import t_interval
from simoffload.analysis.runs import AgentResult, Estimate, LatencyEstimate, Replication, Results


def results_of(
    objectives: Mapping[str, Sequence[float]],
    latencies: Mapping[str, Sequence[float]] | None = None,
    costs: Mapping[str, Sequence[float]] | None = None,
    completed: Mapping[str, int] | None = None,
) -> Results:
    """One value per seed 0, 1, ... and agent, nan where there is none; `completed` of 100 tasks were completed."""
    agents = {
        name: _agent(
            values, (latencies or objectives)[name], (costs or objectives)[name], (completed or {}).get(name, 100)
        )
        for name, values in objectives.items()
    }
    count = max(map(len, objectives.values()))
    return Results("made-up", tuple(range(count)), agents, 1.0, {"simoffload": "0"})


def _agent(objective: Sequence[float], latency: Sequence[float], cost: Sequence[float], completed: int) -> AgentResult:
    replications = tuple(
        Replication(seed, value, *(delay,) * 4, price, 100, completed)
        for seed, (value, delay, price) in enumerate(zip(objective, latency, cost, strict=True))
    )
    mean_latency = _estimate(latency)
    three = (mean_latency.mean,) * 3
    return AgentResult(
        _estimate(objective),
        LatencyEstimate(*three, *(mean_latency.half_width,) * 3),
        _estimate(cost),
        {},
        replications,
    )


def _estimate(values: Sequence[float]) -> Estimate:
    interval = t_interval([value for value in values if math.isfinite(value)])
    return Estimate(interval.mean, interval.half_width)
