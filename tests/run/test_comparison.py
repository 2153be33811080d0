"""A comparison: every agent on every seed, the same chance for all, whoever does the work and in whatever order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.runs import open_comparison, open_run, read_columns, run_directory
from simoffload.record.durable import RecordError
from simoffload.record.manifest import read_manifest
from simoffload.run import comparison
from simoffload.run.agents import AgentError
from simoffload.run.comparison import Interrupted, Share, compare
from simoffload.run.references import with_references
from simoffload.run.replications import Job, run_jobs
from simoffload.run.simulation import simulate
from simoffload.schema import Scenario, load_scenario

AGENTS, SEEDS = ["all-cloud", "random", "weighted-greedy"], [3, 5]
STUDENT = 12.706204736432095
"""The t of one degree of freedom that is exceeded either way with a chance of 5 %; s / sqrt(2) is |x - y| / 2."""


def tiny(*overrides: str) -> Scenario:
    return load_scenario("tiny", ["horizon={tasks: 15}", "warm_up=10 s", *overrides])


def without_time(results: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in results.items() if key != "wall_s"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("comparison")


@pytest.fixture(scope="module")
def results(directory: Path) -> dict[str, Any]:
    """By one worker."""
    return compare(tiny(), AGENTS, SEEDS, directory, workers=1)


def test_every_agent_runs_on_every_seed_in_their_order(results: dict[str, Any]) -> None:
    assert (results["scenario"], results["seeds"], list(results["agents"])) == ("tiny", SEEDS, AGENTS)
    for agent in results["agents"].values():
        assert [each["seed"] for each in agent["replications"]] == SEEDS
        assert all(each["arrived"] == each["completed"] == 15 for each in agent["replications"])


def test_two_workers_find_what_one_finds(results: dict[str, Any]) -> None:
    assert without_time(compare(tiny(), AGENTS, SEEDS, workers=2)) == without_time(results)


def test_the_results_are_on_disk_and_open(results: dict[str, Any], directory: Path) -> None:
    assert json.loads((directory / "comparison.json").read_text()) == results
    comparison = open_comparison(directory)
    assert list(comparison.runs) == AGENTS
    assert comparison.unfinished == ()
    assert all(run.is_complete and run.has_rows for run in comparison.runs.values())


def test_each_run_is_the_one_that_its_agent_makes_alone(results: dict[str, Any], directory: Path) -> None:
    scenario = load_scenario(run_directory(directory, "random", 5) / "scenario.yaml")
    alone = simulate(scenario, "random")
    replication = results["agents"]["random"]["replications"][1]
    assert replication["fingerprint"] == alone["fingerprint"]
    assert replication["objective"] == alone["objective"]["mean"]
    assert replication["latency_p95"] == alone["latency_s"]["p95"]
    assert replication["cost"] == alone["cost_usd"]["mean"]


def test_rows_are_kept_for_the_first_seed_only(results: dict[str, Any], directory: Path) -> None:
    for agent in AGENTS:
        assert open_run(run_directory(directory, agent, 3)).has_rows
        later = read_manifest(run_directory(directory, agent, 5))
        assert (later.parts, later.kept_one_in, later.status) == ((), 0, "complete")


def test_rows_are_sampled_where_the_scenario_says_so(tmp_path: Path) -> None:
    compare(tiny("records={level: sampled, sample: 0.5}"), ["random"], [1, 2], tmp_path)
    assert [read_manifest(run_directory(tmp_path, "random", seed)).kept_one_in for seed in (1, 2)] == [2, 0]


def drawn_by_chance(directory: Path) -> list[list[tuple[Any, ...]]]:
    """What chance decided in a run, task by task and subtask by subtask."""
    columns = {
        "tasks": ["task", "arrival_s", "home", "subtasks", "weight"],
        "subtasks": ["task", "subtask", "output_tokens", "prompt_tokens", "expected_output"],
    }
    found = [read_columns(open_run(directory), rows, names) for rows, names in columns.items()]
    return [sorted(zip(*(values.tolist() for values in each.values()), strict=True)) for each in found]


def test_on_a_seed_all_agents_meet_the_same_tasks(results: dict[str, Any], directory: Path) -> None:
    drawn = [drawn_by_chance(run_directory(directory, agent, 3)) for agent in AGENTS]
    assert drawn[0] == drawn[1] == drawn[2]
    fingerprints = {each["fingerprint"] for agent in results["agents"].values() for each in agent["replications"]}
    assert len(fingerprints) == len(AGENTS) * len(SEEDS)


def test_all_runs_are_measured_against_the_same_references(results: dict[str, Any], directory: Path) -> None:
    runs = [run_directory(directory, agent, seed) for agent in AGENTS for seed in SEEDS]
    objectives = [load_scenario(run / "scenario.yaml").objective for run in runs]
    assert set(objectives) == {objectives[0]}
    assert objectives[0].latency_reference == with_references(tiny()).objective.latency_reference


def test_means_have_half_widths_of_students_t(results: dict[str, Any]) -> None:
    agent = results["agents"]["random"]
    one, other = (each["objective"] for each in agent["replications"])
    assert agent["objective"]["mean"] == pytest.approx((one + other) / 2)
    assert agent["objective"]["half_width"] == pytest.approx(STUDENT * abs(one - other) / 2)
    assert agent["latency_s"]["p99"] == pytest.approx(sum(each["latency_p99"] for each in agent["replications"]) / 2)
    assert set(agent["utilisation"]) == {"text", "image", "cloud"}


def test_one_seed_says_nothing_of_the_spread() -> None:
    results = compare(tiny(), ["all-cloud"], [1])
    assert results["agents"]["all-cloud"]["objective"]["half_width"] is None
    assert results["agents"]["all-cloud"]["latency_s"]["mean_half_width"] is None


# --------------------------------------------------------------------------------------------------- watching, faults


def test_who_watches_sees_the_runs_come_in() -> None:
    seen: list[Share] = []
    compare(tiny(), AGENTS, SEEDS, workers=2, watch=lambda share: seen.append(share) is None)
    assert {share.total for share in seen} == {6}
    assert [share.done for share in seen] == sorted(share.done for share in seen)
    assert (seen[-1].done, seen[-1].share) == (6, 1.0)


def test_an_interruption_ends_the_runs_under_way_and_leaves_no_results(tmp_path: Path) -> None:
    long = load_scenario(
        "tiny", ["horizon={tasks: 1000000}", "objective={latency_reference: 1 s, cost_reference: 1 USD}"]
    )
    looks: list[Share] = []

    def watch(share: Share) -> bool:
        looks.append(share)
        return not (tmp_path / "runs" / "all-cloud" / "1" / "manifest.json").exists()

    with pytest.raises(Interrupted):
        compare(long, ["all-cloud", "random"], [1, 2], tmp_path, workers=1, watch=watch)
    assert looks
    assert not (tmp_path / "comparison.json").exists()
    stopped = open_run(run_directory(tmp_path, "all-cloud", 1))
    assert stopped.summary.status == stopped.manifest.status == "incomplete"
    assert not (tmp_path / "runs" / "random" / "2").exists()


def test_of_seeds_behind_one_that_is_not_finished_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are finished out of turn are the quick ones."""

    def interrupted(jobs: Sequence[Job], workers: int, watch: Any) -> Any:
        raise Interrupted({n: summary for n, summary in enumerate(run_jobs(jobs, workers, watch)) if n != 4})

    monkeypatch.setattr(comparison, "run_jobs", interrupted)
    with pytest.raises(Interrupted):
        compare(tiny(), AGENTS, [3, 5, 7], tmp_path)
    found = json.loads((tmp_path / "comparison.json").read_text())
    assert (found["status"], found["seeds"]) == ("incomplete", [3])


def test_an_unknown_agent_stops_the_comparison_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="unknown agent 'randon'"):
        compare(tiny(), ["all-cloud", "randon"], [1], tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_run_that_cannot_be_written_stops_the_comparison(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(RecordError, match=r"cannot make .*/runs/all-cloud/1: Not a directory"):
        compare(tiny(), ["all-cloud"], [1], tmp_path)
