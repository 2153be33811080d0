"""A comparison: several agents on the same seeds, so that their differences are theirs and not chance's.

A comparison directory holds ``comparison.json`` and a run directory per agent and seed, ``runs/<agent>/<seed>/``. Rows
are kept for the first seed, for the pictures; statistics need none.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from ..estimates import mean_and_half_width
from ..record.durable import make_directory, write_json
from ..record.manifest import COMPARISON_FILE, run_directory, versions
from ..schema import Scenario
from .agents import load_agent
from .references import with_references
from .replications import Interrupted, Job, Share, Watch, run_jobs

__all__ = ["Interrupted", "Share", "compare"]

Summary = dict[str, Any]


def compare(
    scenario: Scenario,
    agents: Sequence[str],
    seeds: Sequence[int],
    directory: Path | None = None,
    workers: int = 1,
    watch: Watch | None = None,
) -> dict[str, Any]:
    """Run every agent on every seed; the content of ``comparison.json``, which is also written to `directory`.

    The objective's references are those of the scenario, the same for all runs. AgentError for an unknown agent before
    anything runs; RecordError where the directory cannot be written; Interrupted when `watch` asked for an end.
    """
    began = time.perf_counter()
    for name in agents:
        load_agent(name)
    scenario = with_references(scenario)
    jobs = [job_of(scenario, name, seed, seed == seeds[0], directory) for seed in seeds for name in agents]
    try:
        found = dict(enumerate(run_jobs(jobs, workers, watch)))
    except Interrupted as interrupted:
        write_results(_results(scenario, agents, seeds, interrupted.finished, time.perf_counter() - began), directory)
        raise
    results = _results(scenario, agents, seeds, found, time.perf_counter() - began)
    write_results(results, directory)
    return results


def _results(
    scenario: Scenario, agents: Sequence[str], seeds: Sequence[int], summaries: dict[int, Summary], wall_s: float
) -> dict[str, Any]:
    """Results over the seeds up to the first that some agent has not finished; `summaries` are by seed, then agent.

    Of those behind it only the quick ones would be there.
    """
    many = len(agents)
    whole = list(takewhile(lambda place: all(place * many + k in summaries for k in range(many)), range(len(seeds))))
    by_agent = {name: [summaries[place * many + k] for place in whole] for k, name in enumerate(agents)}
    status = "complete" if len(whole) == len(seeds) else "incomplete"
    return results_of(scenario, by_agent, status, wall_s)


def results_of(
    scenario: Scenario, by_agent: Mapping[str, Sequence[Summary]], status: str, wall_s: float
) -> dict[str, Any]:
    """The content of ``comparison.json``, from the summaries of agents on the same seeds, in the same order."""
    first = next(iter(by_agent.values()))
    return {
        "scenario": scenario.name,
        "status": status,
        "seeds": [summary["seed"] for summary in first],
        "agents": {name: _result(found) for name, found in by_agent.items()} if first else {},
        "wall_s": wall_s,
        "versions": versions(),
    }


def write_results(results: dict[str, Any], directory: Path | None) -> None:
    """Write ``comparison.json``; not if there is nothing to compare."""
    if directory is not None and results["agents"]:
        make_directory(directory)
        write_json(directory / COMPARISON_FILE, results)


def job_of(scenario: Scenario, agent: str, seed: int, keeps_rows: bool, directory: Path | None) -> Job:
    """The run of an agent on a seed; rows as the scenario says, all of them where it says none."""
    level = "off" if not keeps_rows else "full" if scenario.records.level == "off" else scenario.records.level
    records = scenario.records.model_copy(update={"level": level})
    run = run_directory(directory, agent, seed) if directory is not None else None
    return Job(scenario.model_copy(update={"seed": seed, "records": records}), agent, run)


def _result(summaries: Sequence[Summary]) -> dict[str, Any]:
    """An agent's results over its replications."""
    objective = _estimate(summaries, lambda summary: summary["objective"]["mean"])
    cost = _estimate(summaries, lambda summary: summary["cost_usd"]["mean"])
    latency: dict[str, float | None] = {}
    for key in ("mean", "p95", "p99"):
        found = _estimate(summaries, lambda summary, key=key: summary["latency_s"][key])  # type: ignore[misc]
        latency |= {key: found["mean"], f"{key}_half_width": found["half_width"]}
    nodes = list(summaries[0]["nodes"])
    return {
        "objective": objective,
        "latency_s": latency,
        "cost_usd": cost,
        "utilisation": {
            node: _estimate(summaries, lambda summary, node=node: summary["nodes"][node]["utilisation"])["mean"]  # type: ignore[misc]
            for node in nodes
        },
        "replications": [_replication(summary) for summary in summaries],
    }


def _estimate(summaries: Sequence[Summary], value: Callable[[Summary], float | None]) -> dict[str, float | None]:
    """Mean over the replications that have a value, and half the width of its 95 % interval; null for none."""
    found = [each for each in (value(summary) for summary in summaries) if each is not None]
    mean, half_width = mean_and_half_width(found)
    return {
        "mean": mean if math.isfinite(mean) else None,
        "half_width": half_width if math.isfinite(half_width) else None,
    }


def _replication(summary: Summary) -> dict[str, Any]:
    latency, tasks = summary["latency_s"], summary["tasks"]
    return {
        "seed": summary["seed"],
        "objective": summary["objective"]["mean"],
        "latency_mean": latency["mean"],
        "latency_p50": latency["p50"],
        "latency_p95": latency["p95"],
        "latency_p99": latency["p99"],
        "cost": summary["cost_usd"]["mean"],
        "arrived": tasks["arrived"],
        "completed": tasks["completed"],
        "fingerprint": summary["fingerprint"],
    }
