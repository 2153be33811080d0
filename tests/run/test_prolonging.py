"""A run that is made longer until a rule ends it leaves what one of that length leaves, whatever interrupted it."""

from __future__ import annotations

import json
import random
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.runs import open_run, read_columns
from simoffload.analysis.stopping import ONE_RUN, REACHED, Budget, Pace, StoppingRule, parse_target, stopping_rule
from simoffload.record import durable
from simoffload.record.durable import RecordError
from simoffload.record.manifest import read_manifest
from simoffload.record.measures import MEASURES
from simoffload.run import journal, simulation
from simoffload.run.agents import AgentError
from simoffload.run.prolonging import run_until
from simoffload.run.resuming import resume, resume_until
from simoffload.run.saving import Rhythm
from simoffload.run.simulation import Simulation, simulate
from simoffload.run.until import Stretch, statistic
from simoffload.schema import Scenario, load_scenario

from .scripted import Script, files, tiny, without_time


@pytest.mark.parametrize("agent", ["eft", "random", "eft-measured"])
def test_a_run_that_was_made_longer_is_the_run_of_that_length(agent: str, tmp_path: Path) -> None:
    scenario = tiny("records={level: full}")
    rule = Script([30, 45, 68])
    summary = run_until(scenario, agent, rule, tmp_path / "until")
    ordinary_scenario = load_scenario("tiny", ["horizon={tasks: 68}", "warm_up=10 s", "records={level: full}"])
    plain = simulate(ordinary_scenario, agent, tmp_path / "plain")
    assert rule.asked == [30, 45, 68]
    assert without_time(summary) == without_time(plain)
    assert files(tmp_path / "until") == files(tmp_path / "plain")
    until, ordinary = read_manifest(tmp_path / "until"), read_manifest(tmp_path / "plain")
    times = {"started", "finished"}
    assert until.model_dump(exclude=times) == ordinary.model_dump(exclude=times)
    assert rule.reason == ""


def test_with_many_homes_it_is_so_too(tmp_path: Path) -> None:
    rule = Script([25, 60])
    options = ["warm_up=0 s", "records={level: full}"]
    run_until(load_scenario("smart-factory", options), "eft", rule, tmp_path / "until")
    simulate(load_scenario("smart-factory", ["horizon={tasks: 60}", *options]), "eft", tmp_path / "plain")
    assert files(tmp_path / "until") == files(tmp_path / "plain")


def test_the_rule_sees_the_tasks_that_have_ended_before_the_last_arrives() -> None:
    rule = Script([30, 60])
    summary = run_until(tiny("warm_up=0 s"), "eft", rule)
    assert summary["tasks"]["completed"] == 60
    assert all(seen < asked for seen, asked in zip(rule.seen, rule.asked, strict=True))
    assert rule.seen[1] > rule.seen[0] > 10


@pytest.mark.parametrize("measure", MEASURES)
def test_batches_of_a_measure_are_those_of_the_rows(measure: str, tmp_path: Path) -> None:
    simulation = Simulation(tiny("records={level: full}"), "eft", tmp_path)
    batches = simulation.recorder.follow(measure)
    summary = simulation.run()
    run = open_run(tmp_path)
    tasks = read_columns(run, "tasks", ["task", "arrival_s", "status", "latency_s", "objective", "cost_usd"])
    subtasks = read_columns(run, "subtasks", ["task", "entered_s", "start_s", "finish_s"])
    measured = set(tasks["task"][tasks["arrival_s"] >= run.warm_up_s].tolist())
    mine = [place for place, task in enumerate(subtasks["task"].tolist()) if task in measured]
    kept = tasks["arrival_s"] >= run.warm_up_s
    expected = {
        "latency": tasks["latency_s"][kept],
        "objective": tasks["objective"][kept],
        "cost": 1000 * tasks["cost_usd"][kept],
        "waiting": (subtasks["start_s"] - subtasks["entered_s"])[mine],
        "service": (subtasks["finish_s"] - subtasks["start_s"])[mine],
    }[measure]
    assert batches.count == len(expected) > 0
    in_full = expected[: batches.full * batches.size].reshape(batches.full, -1)
    assert batches.means() == pytest.approx(in_full.mean(axis=1))
    assert statistic(measure, None)(summary) == pytest.approx(expected.mean())


def test_when_the_time_is_over_the_next_task_is_the_last(tmp_path: Path) -> None:
    rule = Script([10_000_000, 20_000_000], seconds=0.3)
    summary = run_until(tiny(), "random", rule, tmp_path)
    assert summary["status"] == "complete"
    n = summary["tasks"]["arrived"]
    assert rule.asked == [n]
    assert without_time(simulate(load_scenario(tmp_path / "scenario.yaml"), "random")) == without_time(summary)
    assert load_scenario(tmp_path / "scenario.yaml").horizon.tasks == n


def test_a_run_whose_sources_end_is_over_with_them(tmp_path: Path) -> None:
    trace = tmp_path / "requests.csv"
    trace.write_text("time_s,prompt_tokens,output_tokens\n" + "".join(f"{n},50,20\n" for n in range(12)))
    arrivals = f"workloads.request.arrivals={{kind: trace, file: {trace}}}"
    rule = Script([100, 150])
    summary = run_until(tiny("warm_up=0 s", arrivals), "all-cloud", rule)
    assert (summary["status"], summary["tasks"]["completed"]) == ("complete", 12)
    assert (rule.reason, rule.asked) == ("no more tasks", [])


def test_who_watches_ends_the_run_with_what_there_is(tmp_path: Path) -> None:
    rule, looks = Script([10_000_000]), []

    def watch(stretch: Stretch) -> bool:
        looks.append(stretch)
        return len(looks) < 2

    summary = run_until(tiny(), "random", rule, tmp_path, watch)
    assert (summary["status"], rule.reason) == ("incomplete", "interrupted")
    assert open_run(tmp_path).manifest.status == "incomplete"
    assert 0 < looks[0].done <= looks[1].done == summary["tasks"]["arrived"]
    assert 0 < looks[0].share < 1


def test_the_share_is_of_what_the_rule_expects() -> None:
    shares = []
    rule = Script([40, 60], forecast=600)
    run_until(tiny(), "random", rule, watch=lambda stretch: shares.append(stretch) is None)
    assert shares[-1].share == pytest.approx(0.1)


def test_the_rule_of_the_analysis_ends_a_run_when_it_is_precise() -> None:
    """The mean sojourn of M/M/1 at half its capacity is twice the service time."""
    rule = stopping_rule(parse_target("latency.mean +- 8%"), ONE_RUN, Budget(tasks=100_000))
    scenario = load_scenario("theory/mm1", ["workloads.customers.arrivals.rate=0.5 /s"])
    summary = run_until(scenario, "all-edge", rule)
    state = rule.checks[-1].state
    assert rule.reason == REACHED
    assert summary["tasks"]["arrived"] == rule.checks[-1].spent
    assert state.low < 2.0 < state.high
    assert state.half_width <= 0.08 * state.value


def test_an_unknown_agent_is_told_before_anything_is_left(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="unknown agent 'eftt'"):
        run_until(tiny(), "eftt", Script([5]), tmp_path / "there")
    assert not (tmp_path / "there").exists()


# ------------------------------------------------------------------------------------------------------- interruptions

OFTEN = Rhythm(0.0, 0.0)


def queue() -> Scenario:
    return load_scenario("theory/mm1", ["workloads.customers.arrivals.rate=0.5 /s", "records.level=full"])


def precise() -> StoppingRule:
    """A rule that checks at 100 tasks, and ends the run on its seed after a few thousand."""
    return StoppingRule(parse_target("latency.mean +- 35%"), Pace("tasks", 100, 1.5, 20_000), 20_000)


def checks(rule: StoppingRule) -> list[dict[str, Any]]:
    """What it has found, without what tells of wall time; no two nan are equal, but what is told of them is."""
    told: list[dict[str, Any]] = rule.to_dict()["checks"]
    return [{name: value for name, value in check.items() if name != "wall_s"} for check in told]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many of them, and no waiting for the disk."""
    monkeypatch.setattr(durable.os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(simulation, "_LOOK_S", 0.0)
    monkeypatch.setattr(simulation, "_EVENTS_PER_LOOK", 200)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], StoppingRule]:
    """What is left of the run that nothing interrupted, and its rule."""
    rule, directory = precise(), tmp_path_factory.mktemp("whole")
    run_until(queue(), "all-edge", rule, directory)
    assert len(rule.checks) > 4
    assert rule.reason == REACHED
    return files(directory), rule


def stops_after(looks: int) -> Any:
    left = [looks]

    def watch(stretch: Stretch) -> bool:
        left[0] -= 1
        return left[0] > 0

    return watch


@pytest.mark.parametrize("seed", range(3))
def test_a_run_that_is_interrupted_again_and_again_ends_as_one_that_never_was(
    seed: int, looks: None, whole: tuple[dict[str, bytes], StoppingRule], tmp_path: Path
) -> None:
    chance, directory = random.Random(seed), tmp_path / "cut"
    run_until(queue(), "all-edge", precise(), directory, stops_after(chance.randint(1, 12)), rhythm=OFTEN)
    said: list[str] = []
    for _ in range(1000):
        rule = precise()
        summary = resume_until(directory, rule, stops_after(chance.randint(2, 12)), say=said.append, rhythm=OFTEN)
        if summary["status"] == "complete":
            break
    kept, expected = whole
    assert (checks(rule), rule.reason) == (checks(expected), REACHED)
    assert files(directory) == kept
    assert len(said) > 2
    assert said[-1].startswith("going on at ")


def test_without_a_checkpoint_it_is_played_again_until_the_rule_ends_it(
    looks: None, whole: tuple[dict[str, bytes], StoppingRule], tmp_path: Path
) -> None:
    run_until(queue(), "all-edge", precise(), tmp_path / "cut", stops_after(7))
    (tmp_path / "cut" / "checkpoint").unlink()
    rule = precise()
    assert resume_until(tmp_path / "cut", rule)["status"] == "complete"
    assert (checks(rule), files(tmp_path / "cut")) == (checks(whole[1]), whole[0])


def test_a_kill_between_the_last_horizon_and_the_manifest_costs_nothing(
    looks: None, whole: tuple[dict[str, bytes], StoppingRule], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"  # what a kill would have left
    write = journal.write_manifest

    def writing(directory: Path, manifest: Any) -> None:
        scenario = directory / "scenario.yaml"
        if scenario.exists() and not killed.exists():
            written = json.loads((directory / "manifest.json").read_bytes())["scenario_sha256"]
            if sha256(scenario.read_bytes()).hexdigest() != written:
                shutil.copytree(directory, killed)
        write(directory, manifest)

    monkeypatch.setattr(journal, "write_manifest", writing)
    run_until(queue(), "all-edge", precise(), tmp_path / "cut")
    rule = precise()
    assert resume_until(killed, rule)["status"] == "complete"
    assert (checks(rule), files(killed)) == (checks(whole[1]), whole[0])


def test_what_the_rule_has_seen_is_kept_from_the_beginning_on(looks: None, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def watch(stretch: Stretch) -> bool:
        seen.append(json.loads((tmp_path / "until.json").read_bytes()))
        return True

    rule = precise()
    run_until(queue(), "all-edge", rule, tmp_path, watch)
    assert (seen[0]["target"], seen[0]["checks"], seen[0]["reason"]) == ("latency.mean ± 35 %", [], "")
    assert len({len(each["checks"]) for each in seen}) > 4
    assert seen[-1] == rule.to_dict()


def test_another_scenario_is_refused(looks: None, tmp_path: Path) -> None:
    run_until(queue(), "all-edge", precise(), tmp_path, stops_after(3))
    path = tmp_path / "scenario.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "0.6"), encoding="utf-8")
    with pytest.raises(RecordError, match=r"scenario\.yaml is not the scenario that the run was begun with"):
        resume_until(tmp_path, precise())


def test_a_run_that_only_its_checkpoint_knows_to_be_under_a_rule_is_not_cut_short(looks: None, tmp_path: Path) -> None:
    run_until(queue(), "all-edge", precise(), tmp_path, stops_after(3))
    with pytest.raises(RecordError, match=r"has no until\.json, which says how long its run is to go on"):
        resume(tmp_path)


def test_a_rule_that_cannot_be_saved_leaves_a_run_that_is_played_again(looks: None, tmp_path: Path) -> None:
    run_until(tiny(), "eft", Script([30, 45, 68]), tmp_path / "cut", stops_after(2), rhythm=OFTEN)
    said = read_manifest(tmp_path / "cut").no_checkpoint
    assert said is not None
    assert "has no place in a checkpoint" in said
    rule = Script([30, 45, 68])
    assert resume_until(tmp_path / "cut", rule)["status"] == "complete"
    assert rule.asked == [30, 45, 68]
