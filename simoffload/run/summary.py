"""The summary of a run: what `summary.json` holds, from running statistics that need no rows."""

from __future__ import annotations

import math
from typing import Any

from ..record.manifest import versions
from ..record.tally import Tally
from ..world.link import LinkStation
from ..world.servers import Server
from .recorder import NodeTally, Recorder, StageTally
from .world import World

SCHEMA_VERSION = 1


def summarise(world: World, agent: str, status: str, fingerprint: str, wall_s: float) -> dict[str, Any]:
    """Plain data for JSON; null where nothing was there to be measured. Times in s, costs in USD, energies in J."""
    recorder, dispatcher, now = world.recorder, world.dispatcher, world.kernel.now
    latency = recorder.latency_s
    p50, p95, p99 = recorder.latency_sketch.quantiles([0.5, 0.95, 0.99])
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": world.scenario.name,
        "agent": agent,
        "seed": world.scenario.seed,
        "status": status,
        "fingerprint": fingerprint,
        "simulated_s": now,
        "wall_s": wall_s,
        "events": world.kernel.events,
        "tasks": {
            "arrived": dispatcher.arrived,
            "completed": dispatcher.completed,
            "dropped": 0,
            "in_system": len(dispatcher.courses),
            "measured": latency.count,
        },
        "latency_s": {
            "mean": _number(latency.mean),
            "sd": _number(latency.sd),
            "min": _number(latency.min),
            "max": _number(latency.max),
            "p50": _number(p50),
            "p95": _number(p95),
            "p99": _number(p99),
            "relative_error": recorder.latency_sketch.alpha,
        },
        "cost_usd": {"mean": _number(recorder.cost_usd.mean), "total": recorder.cost_usd.sum},
        "objective": {
            "mean": _number(recorder.objective.mean),
            "latency_weight": world.scenario.objective.latency_weight,
            "latency_reference_s": world.scenario.objective.latency_reference,
            "cost_reference_usd": world.scenario.objective.cost_reference,
        },
        "energy_j": _mean(recorder.energy_j),
        "correct": _mean(recorder.correct),
        "deadline": {"met": _number(recorder.deadline_met.mean)},
        "stages": {name: _stage(tally) for name, tally in recorder.stages.items()},
        "nodes": _nodes(world, recorder, now),
        "links": {station.link.id: _link(station, now) for station in world.links},
        "versions": versions(),
    }


def _nodes(world: World, recorder: Recorder, now_s: float) -> dict[str, Any]:
    total = sum(tally.subtasks for tally in recorder.nodes)
    found = zip(world.servers, recorder.nodes, world.early_swaps, strict=True)
    return {server.node.id: _node(server, tally, early, total, now_s) for server, tally, early in found}


def _node(server: Server, tally: NodeTally, early_swaps: int, total: int, now_s: float) -> dict[str, Any]:
    seen = server.occupancy.summary(now_s)
    node = server.node
    slots = node.capacity if node.server.kind == "slots" else 0
    idle_j = (1.0 - seen.busy) * seen.duration_s * node.idle_power_w
    return {
        "kind": node.server.kind,
        "utilisation": seen.serving_mean / slots if slots else seen.busy,
        "queue_length": {"mean": seen.waiting_mean, "max": seen.waiting_max},
        "in_system": {"mean": seen.waiting_mean + seen.serving_mean},
        "in_service": {"mean": seen.serving_mean},
        "waiting_s": {"mean": _number(seen.wait_mean_s)},
        "service_s": _mean(tally.service_s),
        "arrivals": seen.arrivals,
        "completions": seen.completions,
        "throughput_per_s": seen.completions / seen.duration_s if seen.duration_s > 0 else None,
        "energy_j": tally.energy_j,
        "idle_energy_j": idle_j,
        "swaps": server.swaps - early_swaps,
        "share_of_subtasks": tally.subtasks / total if total else None,
        "little_residual": seen.little_residual,
    }


def _link(station: LinkStation, now_s: float) -> dict[str, Any]:
    seen = station.occupancy.summary(now_s)
    return {
        "utilisation": seen.serving_mean / station.link.spec.copies,
        "queue_length": {"mean": seen.waiting_mean},
        "waiting_s": {"mean": _number(seen.wait_mean_s)},
        "transfers": seen.completions,
        "bytes": station.carried_bytes,
        "little_residual": seen.little_residual,
    }


def _stage(tally: StageTally) -> dict[str, Any]:
    return {
        "count": tally.service_s.count,
        "transfer_s": _mean(tally.transfer_s),
        "waiting_s": _mean(tally.waiting_s),
        "service_s": _mean(tally.service_s),
    }


def _mean(tally: Tally) -> dict[str, float | None]:
    return {"mean": _number(tally.mean)}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
