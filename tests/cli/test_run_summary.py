"""A run in a screenful: every number is one of summary.json."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from simoffload.analysis.runs import Summary
from simoffload.cli.run_summary import MOST_NODES, largest_residual, print_run, run_lines

from ..analysis.synthetic import Behaviour, write_run


@pytest.fixture
def content(tmp_path: Path) -> dict[str, object]:
    return write_run(tmp_path / "run", "weighted-greedy", Behaviour())


def _summary(content: dict[str, object]) -> Summary:
    return TypeAdapter(Summary).validate_python(content)


def test_the_lines_say_what_the_summary_holds(content: dict[str, object]) -> None:
    summary = _summary(content)
    lines = dict(run_lines(summary, Path("runs/x")))
    assert lines["run"] == "weighted-greedy on made-up, seed 7: complete"
    assert lines["tasks"].startswith("60 arrived, 60 completed, 0 dropped, 0 in the system; ")
    assert lines["tasks"].endswith(f"{summary.tasks.measured} measured")
    numbers = [float(word) for word in lines["latency"].replace(",", "").split() if word[0].isdigit()]
    latency = summary.latency_s
    assert numbers == pytest.approx([latency.mean, latency.p50, latency.p95, latency.p99], rel=5e-3)
    assert float(lines["cost"].split()[0]) == pytest.approx(1000 * summary.cost_usd.mean, rel=5e-3)
    assert float(lines["objective"]) == pytest.approx(summary.objective.mean, rel=5e-4)
    assert lines["events"].startswith(f"{summary.events} in 0.500 s, {2 * summary.events} a second; ")
    assert (lines["fingerprint"], lines["directory"]) == (summary.fingerprint, "runs/x")


def test_the_largest_residual_is_over_nodes_and_links_and_leaves_out_what_nobody_visited(
    content: dict[str, dict[str, dict[str, float | None]]],
) -> None:
    assert largest_residual(_summary(content)) == 1e-15
    content["nodes"]["text-1"]["little_residual"] = None
    content["nodes"]["cloud"]["little_residual"] = -0.25
    assert largest_residual(_summary(content)) == 0.25
    for stations in (content["nodes"], content["links"]):
        for station in stations.values():
            station["little_residual"] = None
    assert largest_residual(_summary(content)) == 0


def test_every_node_has_a_row(content: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    print_run(content, Path("runs/x"))
    lines = capsys.readouterr().out.splitlines()
    summary = _summary(content)
    rows = {line.split()[0]: line for line in lines[-len(summary.nodes) :]}
    assert list(rows) == list(summary.nodes)
    for name, node in summary.nodes.items():
        assert rows[name].split()[-1] == str(node.arrivals)
        assert float(rows[name].split()[1]) == pytest.approx(100 * node.utilisation, abs=0.06)


def test_of_many_nodes_the_busiest_are_shown(
    content: dict[str, dict[str, dict[str, object]]], capsys: pytest.CaptureFixture[str]
) -> None:
    one = content["nodes"]["text-1"]
    content["nodes"] = {f"n{k}": {**one, "utilisation": k / 100} for k in range(40)}
    content["nodes"]["idle"] = {**one, "utilisation": None}
    print_run(content, Path("runs/x"))
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[-MOST_NODES:]] == [f"n{k}" for k in range(40 - MOST_NODES, 40)]
    assert last == f"The {MOST_NODES} busiest of 41 nodes; summary.json has them all."


def test_a_run_without_a_finished_task_says_so_in_dashes(content: dict[str, object]) -> None:
    content["latency_s"] = dict.fromkeys(("mean", "sd", "min", "max", "p50", "p95", "p99"))
    summary = _summary(content)
    assert math.isnan(summary.latency_s.mean)
    assert dict(run_lines(summary, Path("x")))["latency"] == "mean – s, p50 – s, p95 – s, p99 – s"
