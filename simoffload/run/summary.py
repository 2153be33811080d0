"""The summary of a run: what `summary.json` holds, from running statistics that need no rows.

Times and costs are of tasks that arrived after the warm-up. Averages of nodes and links are over `window_s`, from the
warm-up's end to the last arrival: a plant that is being emptied says nothing of the plant at work. `utilisation` is the
share of slots in use, of a batch or an interface the share of time with anybody in service. `latency_batches` are the
latencies in the order of their ends, as `simoffload.record.batches` keeps them: what intervals are made of where rows
are not kept. Dropped tasks count in cost and objective, not in latency.
"""

from __future__ import annotations

import math
from typing import Any

from ..plant import PlantNode
from ..record.manifest import versions
from ..record.tally import Tally
from ..world.link import LinkStation
from ..world.occupancy import OccupancySummary
from .recorder import LossTally, NodeTally, Recorder, StageTally
from .world import Window, World

SCHEMA_VERSION = 1


def summarise(
    world: World, agent: str, status: str, fingerprint: str, wall_s: float, reason: str | None = None
) -> dict[str, Any]:
    """Plain data for JSON; null where nothing was there to be measured. Times in s, costs in USD, energies in J."""
    recorder, dispatcher, now = world.recorder, world.dispatcher, world.kernel.now
    window = world.window()
    latency = recorder.latency_s
    sketch = recorder.latency_sketch
    p50, p95, p99 = sketch.quantiles([0.5, 0.95, 0.99])
    return {
        "schema_version": SCHEMA_VERSION,
        "scenario": world.scenario.name,
        "agent": agent,
        "seed": world.scenario.seed,
        "status": status,
        "reason": reason,
        "fingerprint": fingerprint,
        "simulated_s": now,
        "window_s": {"begin": window.begin_s, "end": window.end_s},
        "wall_s": wall_s,
        "events": world.kernel.events,
        "tasks": {
            "arrived": dispatcher.arrived,
            "completed": dispatcher.completed,
            "dropped": dispatcher.dropped,
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
            "relative_error": sketch.alpha,
        },
        "latency_batches": recorder.latency_batches.to_dict(),
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
        "faults": _faults(recorder.losses),
        "nodes": _nodes(world, recorder, window),
        "links": {
            station.link.id: _link(station, seen, carried)
            for station, seen, carried in zip(world.links, window.links, window.carried_bytes, strict=True)
        },
        "versions": versions(),
    }


def _nodes(world: World, recorder: Recorder, window: Window) -> dict[str, Any]:
    total = sum(tally.subtasks for tally in recorder.nodes)
    found = zip(world.plant.nodes, recorder.nodes, window.nodes, strict=True)
    return {
        node.id: _node(node, tally, total, seen, window.down_s[node.number])
        | {"swaps": window.swaps[node.number], "crashes": window.crashes[node.number]}
        for node, tally, seen in found
    }


def _node(node: PlantNode, tally: NodeTally, total: int, seen: OccupancySummary, down_s: float) -> dict[str, Any]:
    slots = node.capacity if node.server.kind == "slots" else 0
    available = 1.0 - down_s / seen.duration_s if seen.duration_s > 0 else 1.0
    idle_j = (available - seen.busy) * seen.duration_s * node.idle_power_w
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
        "availability": available,
        "share_of_subtasks": tally.subtasks / total if total else None,
        "little_residual": seen.little_residual,
    }


def _link(station: LinkStation, seen: OccupancySummary, carried_bytes: float) -> dict[str, Any]:
    return {
        "utilisation": seen.serving_mean / station.link.spec.copies,
        "queue_length": {"mean": seen.waiting_mean},
        "waiting_s": {"mean": _number(seen.wait_mean_s)},
        "transfers": seen.completions,
        "bytes": carried_bytes,
        "little_residual": seen.little_residual,
    }


def _faults(losses: LossTally) -> dict[str, Any]:
    """Attempts that ended without an answer, by cause, and what they came to; tasks that were dropped."""
    return {
        "attempts_lost": dict(losses.attempts),
        "dropped": losses.dropped_tasks,
        "lost_cost_usd": losses.cost_usd,
        "lost_energy_j": losses.energy_j,
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
