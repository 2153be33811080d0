"""The tables of the reports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from .numbers import UNKNOWN, counted
from .page import Cell, Table, agent_cell, estimate, number, share, text
from .ranking import Ranks, Standing
from .runs import AgentResult, Comparison, Link, Node, Replication, Results, Run, Stage

MOST_NODES = 200
"""As many nodes or links have a row; of more, those that are busiest."""


def agents_table(results: Results, order: Sequence[Standing]) -> Table:
    """An agent a row, best first: its rank, the numbers of comparison.json, the paired difference from the first."""
    heads = (
        "agent", "rank", "objective", "behind the first", "mean latency, s", "p95, s", "p99, s", "USD per 1000 tasks",
        "completed",
    )  # fmt: skip
    caption = (
        f"Means over {counted(len(results.seeds), 'replication')}, ± half the width of the 95 % interval. Rank: where "
        "the objective may place an agent, given that close ones are not distinguishable. Behind the first: difference "
        "of the objective on the same seeds; its interval is widened for the number of pairs of agents (Holm)."
    )
    return Table("agents", caption, heads, [_agent_row(results.agents[each.agent], each) for each in order])


def _agent_row(agent: AgentResult, standing: Standing) -> list[Cell]:
    latency = agent.latency_s
    return [
        agent_cell(standing.agent),
        text(_range(standing.ranks)),
        estimate(agent.objective.mean, agent.objective.half_width),
        _behind(standing),
        estimate(latency.mean, latency.mean_half_width),
        estimate(latency.p95, latency.p95_half_width),
        estimate(latency.p99, latency.p99_half_width),
        estimate(1000 * agent.cost_usd.mean, 1000 * agent.cost_usd.half_width),
        share(agent.completed_share),
    ]


def _range(ranks: Ranks | None) -> str:
    if ranks is None:
        return UNKNOWN
    return str(ranks.best) if ranks.best == ranks.worst else f"{ranks.best}\N{EN DASH}{ranks.worst}"


def _behind(standing: Standing) -> Cell:
    if standing.behind is None:
        return text(UNKNOWN)
    difference = standing.behind.difference
    mark = "not distinguishable" if standing.ties else ""
    return estimate(difference.mean, difference.half_width, mark)


def nodes_table(run: Run, name: str) -> Table:
    """A node a row: use, queue, times, and how exactly Little's law held."""
    heads = (
        "node", "server", "busy", "queue", "longest queue", "waiting, s", "service, s", "subtasks", "share", "swaps",
        "energy, kJ", "Little residual",
    )  # fmt: skip
    nodes = run.summary.nodes
    rows = [_node_row(each, nodes[each]) for each in busiest({key: node.utilisation for key, node in nodes.items()})]
    caption = (
        f"Nodes under {run.summary.agent}, seed {run.summary.seed}. Queue: time average of the number waiting. Little "
        "residual: relative difference between the time integral of the number there and the sum of times there; "
        "rounding apart it is 0."
    )
    return Table(name, caption + _left_out(len(nodes), "nodes"), heads, rows)


def _node_row(name: str, node: Node) -> list[Cell]:
    return [
        text(name),
        text(node.kind),
        share(node.utilisation),
        number(node.queue_length.mean),
        text(int(node.queue_length.max)) if math.isfinite(node.queue_length.max) else text(UNKNOWN),
        number(node.waiting_s.mean),
        number(node.service_s.mean),
        text(node.arrivals),
        share(node.share_of_subtasks),
        text(node.swaps),
        number(node.energy_j / 1000),
        number(node.little_residual, 2),
    ]


def links_table(run: Run, name: str) -> Table:
    """A link that carried anything a row."""
    used = {key: link for key, link in run.summary.links.items() if link.transfers}
    heads = ("link", "busy", "queue", "waiting, s", "transfers", "MB", "Little residual")
    rows = [_link_row(each, used[each]) for each in busiest({key: link.utilisation for key, link in used.items()})]
    caption = f"Links that carried anything, under {run.summary.agent}, seed {run.summary.seed}."
    return Table(name, caption + _left_out(len(used), "links"), heads, rows)


def _link_row(name: str, link: Link) -> list[Cell]:
    return [
        text(name),
        share(link.utilisation),
        number(link.queue_length.mean),
        number(link.waiting_s.mean),
        text(link.transfers),
        number(link.bytes / 1e6),
        number(link.little_residual, 2),
    ]


def busiest(utilisation: Mapping[str, float]) -> list[str]:
    """The names, in their order; of more than `MOST_NODES` those of highest utilisation."""
    if len(utilisation) <= MOST_NODES:
        return list(utilisation)
    known = {name: -1.0 if math.isnan(share) else share for name, share in utilisation.items()}
    kept = frozenset(sorted(known, key=known.__getitem__, reverse=True)[:MOST_NODES])
    return [name for name in utilisation if name in kept]


def _left_out(count: int, what: str) -> str:
    return f" The {MOST_NODES} busiest of {count} {what}." if count > MOST_NODES else ""


def stages_table(stages: Mapping[str, Stage]) -> Table:
    """A stage a row: number of subtasks and mean times."""
    heads = ("stage", "subtasks", "transfer, s", "waiting, s", "service, s")
    rows = [
        [
            text(name),
            text(stage.count),
            number(stage.transfer_s.mean),
            number(stage.waiting_s.mean),
            number(stage.service_s.mean),
        ]
        for name, stage in stages.items()
    ]
    return Table("stages", "Mean times per subtask of a stage.", heads, rows)


def replications_table(comparison: Comparison, order: Sequence[Standing]) -> Table:
    """A run a row: what came out on each seed, and the fingerprint by which to know that a rerun did the same."""
    heads = (
        "agent", "seed", "objective", "mean latency, s", "p50, s", "p95, s", "p99, s", "USD per 1000 tasks",
        "completed", "fingerprint",
    )  # fmt: skip
    rows = [
        _replication_row(standing.agent, each)
        for standing in order
        for each in comparison.results.agents[standing.agent].replications
    ]
    return Table("replications", "Every run. Equal fingerprints mean equal event logs.", heads, rows)


def _replication_row(agent: str, each: Replication) -> list[Cell]:
    return [
        agent_cell(agent),
        text(each.seed),
        number(each.objective, 5),
        number(each.latency_mean, 4),
        number(each.latency_p50, 4),
        number(each.latency_p95, 4),
        number(each.latency_p99, 4),
        number(1000 * each.cost, 4),
        text(f"{each.completed}/{each.arrived}"),
        text(each.fingerprint or UNKNOWN),
    ]


def versions_table(versions: Mapping[str, str]) -> Table:
    """A package a row."""
    rows = [[text(name), text(version)] for name, version in versions.items()]
    return Table("versions", "What ran it.", ("package", "version"), rows)
