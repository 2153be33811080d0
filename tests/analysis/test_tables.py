"""Tables hold the numbers of the records, with nothing hidden but their last digits."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from simoffload.analysis.numbers import UNKNOWN
from simoffload.analysis.page import Cell, Table
from simoffload.analysis.ranking import standings
from simoffload.analysis.runs import Comparison, Run
from simoffload.analysis.tables import (
    MOST_NODES,
    agents_table,
    busiest,
    links_table,
    nodes_table,
    replications_table,
    stages_table,
    versions_table,
)

from .results import results_of


def column(table: Table, head: str) -> list[Cell]:
    place = list(table.columns).index(head)
    return [row[place] for row in table.rows]


def test_every_row_has_a_cell_under_every_head(comparison: Comparison, run: Run) -> None:
    order = standings(comparison.results)
    for table in (
        agents_table(comparison.results, order),
        replications_table(comparison, order),
        nodes_table(run, "nodes"),
        links_table(run, "links"),
        stages_table(run.summary.stages),
        versions_table(comparison.results.versions),
    ):
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_agents_are_listed_best_first_with_rank_and_distance() -> None:
    results = results_of({"far": [9.0, 9.1, 9.3, 9.2], "a": [1.0, 1.2, 0.9, 1.1], "b": [1.1, 1.2, 1.05, 1.0]})
    table = agents_table(results, standings(results))
    assert [cell.text for cell in column(table, "agent")] == ["a", "b", "far"]
    assert [cell.text for cell in column(table, "rank")] == ["1–2", "1–2", "3"]
    first, second, third = column(table, "behind the first")
    assert first.text == UNKNOWN
    assert (second.mean, second.mark) == (pytest.approx(0.0375), "not distinguishable")
    assert (third.mean, third.mark) == (pytest.approx(8.1), "")


def test_costs_are_per_thousand_tasks() -> None:
    results = results_of({"a": [1.0, 2.0]}, costs={"a": [0.004, 0.006]})
    (cost,) = column(agents_table(results, standings(results)), "USD per 1000 tasks")
    assert cost.mean == pytest.approx(5.0)
    assert cost.half_width == pytest.approx(1000 * results.agents["a"].cost_usd.half_width)


def test_an_agent_without_rank_has_a_dash() -> None:
    results = results_of({"a": [1.0, 2.0], "gap": [math.nan, 1.0]})
    table = agents_table(results, standings(results))
    assert [cell.text for cell in column(table, "rank")] == ["1", UNKNOWN]
    assert column(table, "behind the first")[1].text == UNKNOWN


def test_completed_tasks_are_a_share_of_those_that_arrived() -> None:
    results = results_of({"a": [1.0], "b": [2.0]}, completed={"b": 42})
    assert [cell.text for cell in column(agents_table(results, standings(results)), "completed")] == [
        "100.0 %",
        "42.0 %",
    ]


def test_nodes_are_those_of_the_summary(run: Run) -> None:
    table = nodes_table(run, "nodes")
    assert [cell.text for cell in column(table, "node")] == list(run.summary.nodes)
    for head, wanted in (
        ("busy", [node.utilisation for node in run.summary.nodes.values()]),
        ("queue", [node.queue_length.mean for node in run.summary.nodes.values()]),
        ("energy, kJ", [node.energy_j / 1000 for node in run.summary.nodes.values()]),
    ):
        assert [cell.mean for cell in column(table, head)] == wanted


def test_links_that_carried_nothing_are_left_out(run: Run) -> None:
    silent = {name: replace(link, transfers=0) for name, link in run.summary.links.items() if name.endswith("lan")}
    quieter = replace(run, summary=replace(run.summary, links={**run.summary.links, **silent}))
    names = [cell.text for cell in column(links_table(quieter, "links"), "link")]
    assert names == [name for name in run.summary.links if not name.endswith("lan")]


def test_of_too_many_nodes_the_busiest_are_shown(run: Run) -> None:
    some = run.summary.nodes["cloud"]
    nodes = {f"n{k}": replace(some, utilisation=(k * 7 % 1000) / 1000) for k in range(1000)}
    table = nodes_table(replace(run, summary=replace(run.summary, nodes=nodes)), "nodes")
    shown = [cell.mean for cell in column(table, "busy")]
    assert len(shown) == MOST_NODES
    assert min(share for share in shown if share is not None) == 1 - MOST_NODES / 1000
    assert "The 200 busiest of 1000 nodes." in table.caption


def test_the_busiest_keep_their_order() -> None:
    shares = {f"n{k}": (math.nan if k == 0 else k / 300) for k in range(250)}
    assert busiest(shares) == [f"n{k}" for k in range(50, 250)]


def test_every_run_has_a_row_with_its_fingerprint(comparison: Comparison) -> None:
    table = replications_table(comparison, standings(comparison.results))
    runs = {
        (name, str(each.seed)): each.fingerprint
        for name, agent in comparison.results.agents.items()
        for each in agent.replications
    }
    names, seeds, prints = (column(table, head) for head in ("agent", "seed", "fingerprint"))
    assert {(n.text, s.text): p.text for n, s, p in zip(names, seeds, prints, strict=True)} == runs
