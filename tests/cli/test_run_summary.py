"""A run in a screenful: every number is one of summary.json."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from simoffload.analysis.behaviour.run_laws import laws_in_words, laws_of
from simoffload.analysis.runs import Summary, open_run
from simoffload.cli.run_summary import MOST_NODES, print_run, run_lines
from simoffload.record.manifest import read_manifest, write_manifest

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


def test_the_laws_are_held_against_rows_or_else_against_counters(
    content: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(directory: Path) -> str:
        print_run(content, directory)
        (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("laws "))
        return line.removeprefix("laws").strip()

    assert told(tmp_path / "run").endswith(laws_in_words(laws_of(open_run(tmp_path / "run"))))
    manifest = read_manifest(tmp_path / "run")
    write_manifest(tmp_path / "run", manifest.model_copy(update={"parts": ()}))
    assert told(tmp_path / "run").startswith("Little's law holds at ")
    (tmp_path / "run" / "manifest.json").unlink()
    assert told(tmp_path / "run").startswith("not checked: ")


def test_every_node_has_a_row(content: dict[str, object], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(content, tmp_path / "run")
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
