"""Run and comparison directories as the simulator writes them, with made-up but consistent contents.

A seed fixes the tasks, their homes and their services, an agent the places and the waits: agents share their random
numbers, as real ones do.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from simoffload.analysis.intervals import Interval, t_interval
from simoffload.record.manifest import SCENARIO_FILE, Status, begin_manifest, versions, write_manifest
from simoffload.record.parts import PartWriter
from simoffload.record.rows import LAYOUTS, LINKS, NODES, SUBTASKS, TASKS, Layout

EDGES = ("text-1", "image-1", "audio-1")
CLOUD = "cloud"
STAGES = ("explain", "analyze", "generate")
LINK_KINDS = ("uplink", "downlink", "lan")
UPLINK, DOWNLINK, LAN = 0, 1, 2
DELAY_S = 0.02
TELEMETRY_S = 5.0
WARM_UP_S = 20.0
RATE_PER_S = 0.5

Rows = dict[Layout, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a made-up agent fares: mean wait in s, its growth over the run, shares of subtasks in the cloud and away."""

    wait_s: float = 1.0
    growth: float = 0.0
    cloud: float = 0.4
    away: float = 0.15


@dataclass(frozen=True, slots=True)
class Setup:
    """What a made-up run is of: its nodes, the number of its tasks, one in how many has rows, how it ended."""

    edges: Sequence[str] = EDGES
    tasks: int = 60
    kept_one_in: int = 1
    status: Status = "complete"

    @property
    def nodes(self) -> tuple[str, ...]:
        """All nodes, the cloud last."""
        return (*self.edges, CLOUD)

    @property
    def scenario(self) -> dict[str, Any]:
        """What scenario.yaml says."""
        return {
            "schema_version": 1, "name": "made-up", "description": "Boxes & one <cloud>", "seed": 7,
            "horizon": {"tasks": self.tasks}, "warm_up": f"{WARM_UP_S} s", "telemetry_interval": f"{TELEMETRY_S} s",
        }  # fmt: skip


def write_comparison(
    directory: Path, agents: Mapping[str, Behaviour], seeds: Sequence[int] = (7, 8, 9), setup: Setup | None = None
) -> Path:
    """A comparison directory; rows are kept for the first seed only."""
    setup = setup or Setup()
    results = {}
    for name, behaviour in agents.items():
        summaries = [
            write_run(directory / "runs" / name / str(seed), name, behaviour, seed, setup, rows=seed == seeds[0])
            for seed in seeds
        ]
        results[name] = agent_result(summaries)
    comparison = {
        "scenario": "made-up", "seeds": list(seeds), "replications": len(seeds), "agents": results, "wall_s": 12.5,
        "versions": versions(),
    }  # fmt: skip
    (directory / "comparison.json").write_text(json.dumps(comparison), encoding="utf-8")
    return directory


def write_run(
    directory: Path,
    agent: str = "ucb-coma",
    behaviour: Behaviour | None = None,
    seed: int = 7,
    setup: Setup | None = None,
    rows: bool = True,
) -> dict[str, Any]:
    """A run directory; returns what its summary.json holds."""
    setup = setup or Setup()
    made = _simulate(behaviour or Behaviour(), setup, random.Random(seed), random.Random(f"{agent}{seed}"))
    directory.mkdir(parents=True)
    scenario = yaml.safe_dump(setup.scenario, sort_keys=False)
    (directory / SCENARIO_FILE).write_text(scenario, encoding="utf-8")
    kept_one_in = setup.kept_one_in if rows else 0
    manifest = begin_manifest("made-up", scenario.encode(), agent, seed, kept_one_in)
    parts = _write_rows(directory, made, kept_one_in) if kept_one_in else ()
    fingerprint = f"{random.Random(f'{agent}/{seed}').getrandbits(128):032x}"
    write_manifest(directory, manifest.model_copy(update={"parts": parts}).ended(setup.status, fingerprint))
    summary = _summary(made, setup, agent, seed, fingerprint)
    (directory / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return summary


def edit_json(path: Path, *where: str | int, value: Any) -> None:
    """Replace what stands in a JSON file at a place."""
    data = json.loads(path.read_bytes())
    inner = data
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    path.write_text(json.dumps(data), encoding="utf-8")


def _write_rows(directory: Path, made: Rows, one_in: int) -> tuple[Any, ...]:
    parts: tuple[Any, ...] = ()
    for layout in LAYOUTS:
        by_task = layout.columns[0].name == "task"
        kept = [row for row in made[layout] if not by_task or row[0] % one_in == 0]
        writer = PartWriter(directory, layout)
        writer.write(np.array(kept, dtype=layout.dtype).tobytes())
        writer.flush()
        parts += writer.parts
    return parts


def _simulate(behaviour: Behaviour, setup: Setup, fate: random.Random, choice: random.Random) -> Rows:
    rows: Rows = {layout: [] for layout in LAYOUTS}
    now = 0.0
    for task in range(setup.tasks):
        now += fate.expovariate(RATE_PER_S)
        wait = behaviour.wait_s * (1 + behaviour.growth * task / setup.tasks)
        _task(rows, task, now, wait, behaviour, len(setup.edges), fate, choice)
    rows[NODES] = _ticks(rows[SUBTASKS], len(setup.nodes))
    for layout in LAYOUTS:
        time = [column.name for column in layout.columns].index(layout.time)
        rows[layout].sort(key=lambda row, time=time: row[time])  # type: ignore[misc]
    return rows


def _task(
    rows: Rows,
    task: int,
    arrival: float,
    wait: float,
    behaviour: Behaviour,
    edges: int,
    fate: random.Random,
    choice: random.Random,
) -> None:
    """One task: explain subtasks side by side, then analyze ones, then a generate one, each after all before it."""
    home = fate.randrange(edges)
    ready, number, cost, sources = arrival, 0, 0.0, [home]
    for stage, width in enumerate((fate.randint(1, 3), fate.randint(1, 2), 1)):
        ends, places = [], []
        for _ in range(width):
            node = _place(home, edges, behaviour, choice)
            size = 8e5 if stage == 0 else 900.0
            entered = max(_move(rows, task, number, source, node, edges, size, ready, fate) for source in set(sources))
            start = entered + choice.expovariate(1 / wait) * (choice.random() < 0.7)
            first = start + fate.uniform(0.05, 0.4)
            finish = first + fate.uniform(0.5, 4.0)
            own = 0.004 if node == edges else 0.0002
            cost += own
            rows[SUBTASKS].append((
                task, number, stage, fate.randrange(4) if stage == 0 else 0, node, ready, entered, start, first,
                finish, 400, 120, 100.0, 0.0, own, 30.0, 0.0, math.nan, -1,
            ))  # fmt: skip
            ends.append(finish)
            places.append(node)
            number += 1
        ready, sources = max(ends), places
    done = _move(rows, task, number - 1, sources[0], home, edges, 480.0, ready, fate)
    latency = done - arrival
    objective = 0.5 * latency / 10 + 0.5 * cost / 0.01
    rows[TASKS].append((
        task, 0, home, arrival, done, 0, number, latency, cost, 30.0 * number, 1.0, objective, 1, int(latency < 60),
    ))  # fmt: skip


def _place(home: int, edges: int, behaviour: Behaviour, choice: random.Random) -> int:
    drawn = choice.random()
    if drawn < behaviour.cloud:
        return edges
    return choice.randrange(edges) if drawn < behaviour.cloud + behaviour.away else home


def _move(
    rows: Rows, task: int, subtask: int, source: int, target: int, edges: int, size: float, at: float,
    fate: random.Random,
) -> float:  # fmt: skip
    """When bytes sent at an instant are there, over the LAN port or the up- or down-link."""
    if source == target:
        return at
    if source == edges:
        link, queued = 3 * target + DOWNLINK, at + DELAY_S
    else:
        link, queued = 3 * source + (UPLINK if target == edges else LAN), at
    start = queued + fate.expovariate(10)
    end = start + size / 1e6 * fate.uniform(0.5, 2)
    delivered = end + DELAY_S
    rows[LINKS].append((task, subtask, link, size, queued, start, end, delivered))
    return delivered


def _ticks(subtasks: Sequence[tuple[Any, ...]], nodes: int) -> list[tuple[Any, ...]]:
    """What telemetry saw: per stretch and node the mean numbers waiting and in service."""
    at, entered, start, finish = np.array([(row[4], row[6], row[7], row[9]) for row in subtasks]).T
    ends = TELEMETRY_S * np.arange(1, int(finish.max() / TELEMETRY_S) + 1)
    rows = []
    for end, begin in zip(ends, ends - TELEMETRY_S, strict=True):
        waiting, serving = (
            np.bincount(at.astype(int), np.clip(np.minimum(b, end) - np.maximum(a, begin), 0, None), nodes)
            for a, b in pairwise((entered, start, finish))
        )
        for node in range(nodes):
            in_queue, in_service = waiting[node] / TELEMETRY_S, serving[node] / TELEMETRY_S
            rows.append((end, node, in_queue, in_service, min(1.0, in_service)))
    return rows


def _columns(rows: Rows, layout: Layout) -> dict[str, np.ndarray[Any, Any]]:
    array = np.array(rows[layout], dtype=layout.dtype)
    return {column.name: array[column.name] for column in layout.columns}


def _summary(rows: Rows, setup: Setup, agent: str, seed: int, fingerprint: str) -> dict[str, Any]:
    tasks, subtasks, nodes = (_columns(rows, layout) for layout in (TASKS, SUBTASKS, NODES))
    measured = tasks["arrival_s"] >= WARM_UP_S
    latency = tasks["latency_s"][measured]
    return {
        "schema_version": 1, "scenario": "made-up", "agent": agent, "seed": seed, "status": setup.status,
        "fingerprint": fingerprint, "simulated_s": float(tasks["finish_s"].max()), "wall_s": 0.5,
        "window_s": {"begin": WARM_UP_S, "end": float(tasks["arrival_s"].max())},
        "events": 20 * len(latency),
        "tasks": {
            "arrived": len(measured), "completed": len(measured), "dropped": 0, "in_system": 0,
            "measured": len(latency),
        },
        "latency_s": {
            "mean": _mean(latency), "sd": float(latency.std(ddof=1)) if len(latency) > 1 else None,
            "min": _quantile(latency, 0), "max": _quantile(latency, 1),
            **{f"p{share}": _quantile(latency, share / 100) for share in (50, 95, 99)},
        },
        "cost_usd": {"mean": _mean(tasks["cost_usd"][measured]), "total": float(tasks["cost_usd"][measured].sum())},
        "objective": {"mean": _mean(tasks["objective"][measured])},
        "energy_j": {"mean": _mean(tasks["energy_j"][measured])},
        "correct": {"mean": 1.0}, "deadline": {"met": None},
        "stages": {name: _stage(subtasks, subtasks["stage"] == stage) for stage, name in enumerate(STAGES)},
        "nodes": {
            name: _node(node, name == CLOUD, subtasks, nodes) for node, name in enumerate(setup.nodes)
        },
        "links": {
            f"{edge}/{kind}": _link(3 * place + number, _columns(rows, LINKS))
            for place, edge in enumerate(setup.edges) for number, kind in enumerate(LINK_KINDS)
        },
        "versions": versions(),
    }  # fmt: skip


def _stage(subtasks: Mapping[str, Any], at: Any) -> dict[str, Any]:
    mean = {
        "transfer_s": subtasks["entered_s"] - subtasks["ready_s"],
        "waiting_s": subtasks["start_s"] - subtasks["entered_s"],
        "service_s": subtasks["finish_s"] - subtasks["start_s"],
    }
    return {"count": int(at.sum()), **{name: {"mean": float(values[at].mean())} for name, values in mean.items()}}


def _node(node: int, is_cloud: bool, subtasks: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, Any]:
    here, ticks = subtasks["node"] == node, nodes["node"] == node
    waiting, service = subtasks["start_s"] - subtasks["entered_s"], subtasks["finish_s"] - subtasks["start_s"]
    queue = nodes["in_queue"][ticks]
    return {
        "kind": "batching" if is_cloud else "slots", "utilisation": float(nodes["busy"][ticks].mean()),
        "queue_length": {"mean": float(queue.mean()), "max": float(queue.max())},
        "in_system": {"mean": float((queue + nodes["in_service"][ticks]).mean())},
        "waiting_s": {"mean": _mean(waiting[here])}, "service_s": {"mean": _mean(service[here])},
        "arrivals": int(here.sum()), "completions": int(here.sum()), "throughput_per_s": 0.1, "energy_j": 500.0,
        "swaps": 0, "share_of_subtasks": float(here.mean()), "little_residual": 2e-16,
    }  # fmt: skip


def _link(number: int, links: Mapping[str, Any]) -> dict[str, Any]:
    here = links["link"] == number
    return {
        "utilisation": 0.2 if here.any() else 0.0, "queue_length": {"mean": 0.1},
        "waiting_s": {"mean": _mean((links["start_s"] - links["queued_s"])[here])}, "transfers": int(here.sum()),
        "bytes": float(links["bytes"][here].sum()), "little_residual": 1e-15,
    }  # fmt: skip


def _mean(values: Any) -> float | None:
    return float(values.mean()) if len(values) else None


def _quantile(values: Any, share: float) -> float | None:
    return float(np.quantile(values, share, method="inverted_cdf")) if len(values) else None


def agent_result(summaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What comparison.json says of an agent with these runs."""

    def estimate(part: str, key: str) -> Interval:
        return t_interval([summary[part][key] for summary in summaries])

    latency = {key: estimate("latency_s", key) for key in ("mean", "p95", "p99")}
    nodes = summaries[0]["nodes"]
    return {
        "objective": _mean_and_half_width(estimate("objective", "mean")),
        "latency_s": {
            **{key: interval.mean for key, interval in latency.items()},
            **{f"{key}_half_width": _written(interval.half_width) for key, interval in latency.items()},
        },
        "cost_usd": _mean_and_half_width(estimate("cost_usd", "mean")),
        "utilisation": {
            node: float(np.mean([summary["nodes"][node]["utilisation"] for summary in summaries])) for node in nodes
        },
        "replications": [
            {
                "seed": summary["seed"], "objective": summary["objective"]["mean"],
                **{f"latency_{key}": summary["latency_s"][key] for key in ("mean", "p50", "p95", "p99")},
                "cost": summary["cost_usd"]["mean"], "fingerprint": summary["fingerprint"],
                "arrived": summary["tasks"]["arrived"], "completed": summary["tasks"]["completed"],
            }
            for summary in summaries
        ],
    }  # fmt: skip


def _mean_and_half_width(interval: Interval) -> dict[str, float | None]:
    return {"mean": interval.mean, "half_width": _written(interval.half_width)}


def _written(half_width: float) -> float | None:
    return half_width if math.isfinite(half_width) else None
