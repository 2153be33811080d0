"""Until: a run that is made longer leaves what one of that length leaves; replications become more on further seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from simoffload.analysis.runs import open_comparison, open_run, read_columns
from simoffload.analysis.stopping import ONE_RUN, REACHED, Budget, parse_target, stopping_rule
from simoffload.record.batches import Batches
from simoffload.record.manifest import read_manifest
from simoffload.record.measures import MEASURES
from simoffload.run.agents import AgentError
from simoffload.run.simulation import Simulation, simulate
from simoffload.run.until import Stretch, replicate_until, run_until, statistic
from simoffload.schema import Scenario, load_scenario


@dataclass
class Script:
    """A rule that wants to be asked at these lengths, and ends at the last."""

    lengths: Sequence[int]
    measure: str = "latency"
    seconds: float = math.inf
    reason: str = ""
    asked: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    """Values in the batches, or replications, when it was asked."""
    values: list[float] = field(default_factory=list)
    forecast: int | None = None

    @property
    def first(self) -> int:
        return self.lengths[0]

    def see_batches(self, batches: Batches, tasks: int, wall_s: float) -> int:
        self.asked.append(tasks)
        self.seen.append(batches.count)
        return tasks if self.is_out_of_time(wall_s) else self._next(tasks)

    def see_replications(self, values: Sequence[float], wall_s: float) -> int:
        self.asked.append(len(values))
        self.values = list(values)
        return self._next(len(values))

    def is_out_of_time(self, wall_s: float) -> bool:
        return wall_s > self.seconds

    def end(self, reason: str) -> None:
        self.reason = reason

    def _next(self, now: int) -> int:
        return next((length for length in self.lengths if length > now), now)


def tiny(*overrides: str) -> Scenario:
    return load_scenario("tiny", ["horizon={tasks: 20}", "warm_up=10 s", *overrides])


def files(directory: Path) -> dict[str, bytes]:
    """All but what tells the time it took."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in ("summary.json", "manifest.json")
    }


def without_time(summary: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in summary.items() if key != "wall_s"}


# ------------------------------------------------------------------------------------------------------------- one run


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


# -------------------------------------------------------------------------------------------------------- replications


def test_replications_are_the_runs_on_the_seeds_from_the_scenarios_on(tmp_path: Path) -> None:
    rule = Script([2, 3])
    value = statistic("latency", 0.9)
    summaries = replicate_until(tiny("seed=7"), "eft", rule, value, tmp_path, workers=2)
    assert [summary["seed"] for summary in summaries] == [7, 8, 9]
    assert rule.asked == [2, 3]
    assert rule.values == [value(summary) for summary in summaries]
    alone = simulate(load_scenario(tmp_path / "runs" / "eft" / "9" / "scenario.yaml"), "eft")
    assert without_time(alone) == without_time(summaries[2])
    comparison = open_comparison(tmp_path)
    assert comparison.results.seeds == (7, 8, 9)
    assert comparison.unfinished == ()
    assert json.loads((tmp_path / "comparison.json").read_text())["status"] == "complete"


def test_interrupted_replications_keep_those_of_the_last_check(tmp_path: Path) -> None:
    rule = Script([1, 40])
    summaries = replicate_until(
        tiny(), "eft", rule, statistic("latency", None), tmp_path, watch=lambda stretch: stretch.done < 3
    )
    assert (len(summaries), rule.reason) == (1, "interrupted")
    assert json.loads((tmp_path / "comparison.json").read_text())["seeds"] == [1]


def test_what_a_kill_leaves_of_replications_is_those_of_the_last_check(tmp_path: Path) -> None:
    class Killed(Exception):
        """In place of the signal, before the third check."""

    class Dying(Script):
        def see_replications(self, values: Sequence[float], wall_s: float) -> int:
            if len(self.asked) == 2:
                raise Killed
            return super().see_replications(values, wall_s)

    with pytest.raises(Killed):
        replicate_until(tiny(), "eft", Dying([1, 2, 3, 4]), statistic("latency", None), tmp_path)
    found = json.loads((tmp_path / "comparison.json").read_text())
    assert (found["status"], found["seeds"]) == ("incomplete", [1, 2])
    assert open_comparison(tmp_path).results.seeds == (1, 2)


def test_an_unknown_agent_is_told_before_anything_is_left(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="unknown agent 'eftt'"):
        run_until(tiny(), "eftt", Script([5]), tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_summaries_have_quantiles_of_latency_alone() -> None:
    with pytest.raises(ValueError, match="quantiles of latency alone, of cost the mean"):
        statistic("cost", 0.9)
    summary = simulate(tiny(), "eft")
    assert statistic("latency", 0.95)(summary) == summary["latency_s"]["p95"]


def test_a_summary_of_no_task_has_no_value() -> None:
    unmeasured = load_scenario("tiny", ["horizon={tasks: 2}"]).model_copy(update={"warm_up": 3600.0})
    nothing = simulate(unmeasured, "eft")
    for measure in MEASURES:
        assert math.isnan(statistic(measure, None)(nothing))
