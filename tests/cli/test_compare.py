"""`simoffload compare` ranks agents on common seeds, and refuses before anything runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simoffload.analysis.runs import open_comparison
from simoffload.cli.compare import cores, items, seed_faults

from .program import invoke

SMALL = ("compare", "tiny", "--tasks", "15", "--agents", "random, all-edge,all-cloud")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_comparison_leaves_results_a_table_figures_and_a_report() -> None:
    done = invoke(*SMALL, "--replications", "2", "--seed", "9", "--workers", "1")
    assert done.exit_code == 0
    directory = Path("runs/compare-tiny")
    results = open_comparison(directory).results
    assert results.seeds == (9, 10)
    assert set(results.agents) == {"random", "all-edge", "all-cloud"}
    names = [line.split()[0] for line in done.stdout.splitlines()[2:5]]
    assert names == sorted(results.agents, key=lambda name: results.agents[name].objective.mean)
    assert f"report   {directory / 'report.html'}" in done.stdout
    assert f"figures  {directory / 'figures'}" in done.stdout
    assert (directory / "report.html").is_file()
    assert (directory / "figures" / "objective.svg").is_file()


def test_json_is_the_comparison_and_nothing_else() -> None:
    done = invoke(*SMALL, "--seeds", "3,1", "--workers", "1", "--out", "here", "--json", "--no-report")
    document = json.loads(done.stdout)
    assert document == json.loads(Path("here/comparison.json").read_text(encoding="utf-8"))
    assert document["seeds"] == [3, 1]
    for agent in document["agents"].values():
        assert {"mean", "half_width"} <= set(agent["objective"])
        assert {"mean", "p95", "p99"} <= set(agent["latency_s"])
        assert agent["cost_usd"]["mean"] >= 0
    assert not Path("here/report.html").exists()


def test_agents_meet_the_same_tasks_and_any_number_of_workers_gives_the_same() -> None:
    for workers in ("1", "2"):
        invoke(*SMALL, "--replications", "2", "--workers", workers, "--out", workers, "--no-report")
    one, two = (open_comparison(Path(workers)).results.agents for workers in ("1", "2"))
    assert [agent.replications for agent in one.values()] == [agent.replications for agent in two.values()]
    arrived = {tuple(each.arrived for each in agent.replications) for agent in one.values()}
    assert len(arrived) == 1


def test_everything_wrong_is_told_at_once_and_nothing_is_left(elsewhere: Path) -> None:
    refused = invoke("compare", "tiny", "--agents", "randon,eft,eft", "--seeds", "1,x,1", "--set", "sed=1")
    assert (refused.exit_code, refused.stdout) == (2, "")
    lines = refused.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--set 'sed=1'", *["--agents"] * 2, *["--seeds"] * 2]
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("other", [("--seed", "1"), ("--replications", "2")])
def test_seeds_are_given_in_one_way(other: tuple[str, str]) -> None:
    refused = invoke("compare", "tiny", "--seeds", "1,2", *other)
    assert refused.exit_code == 2
    assert "give either --seeds, or --seed and --replications" in refused.stderr


def test_seeds_are_whole_numbers_that_fit_a_scenario_each_once() -> None:
    assert seed_faults(["0", str(2**63 - 1)]) == []
    assert seed_faults([]) == ["--seeds: names no seed"]
    assert len(seed_faults(["-1", "1.5", "x", str(2**63), "٣"])) == 5
    assert seed_faults(["7", "8", "7", "07"]) == ["--seeds: 7 is listed twice", "--seeds: 07 is listed twice"]


def test_lists_may_have_blanks() -> None:
    assert items(" a, b ,,c ") == ["a", "b", "c"]
    assert items(" , ") == []


def test_there_is_a_worker_for_each_core() -> None:
    assert cores() >= 1
