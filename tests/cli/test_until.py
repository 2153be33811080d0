"""`simoffload run --until` goes on until an estimate is precise enough, and says what it found and why it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simoffload.agents.earliest_finish import EarliestFinish
from simoffload.analysis.runs import open_run
from simoffload.analysis.stopping import ONE_RUN, Budget, parse_target, stopping_rule
from simoffload.cli.until import until_lines
from simoffload.record.batches import Batches
from simoffload.run import simulation

from .program import invoke

MM1 = ("run", "theory/mm1", "--agent", "all-edge", "--set", "workloads.customers.arrivals.rate=0.3 /s")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_goes_on_until_the_mean_is_known() -> None:
    done = invoke(*MM1, "--until", "latency.mean +- 8%", "--out", "here")
    assert done.exit_code == 0
    assert "until        latency.mean ± 8 %: reached at two checks in a row\n" in done.stdout
    assert "s (" in done.stdout
    run = open_run(Path("here"))
    kept = json.loads(Path("here/until.json").read_text(encoding="utf-8"))
    assert kept["reason"] == "reached"
    assert kept["checks"][-1]["tasks"] == run.summary.tasks.arrived
    assert kept["estimate"]["low"] < 1 / 0.7 < kept["estimate"]["high"]
    assert kept["budget"] == {"tasks": 2_000_000, "wall_s": None}


def test_json_has_the_summary_and_the_answer() -> None:
    done = invoke(*MM1, "--until", "waiting.mean +- 50%", "--budget", "2500 tasks", "--out", "here", "--json")
    content = json.loads(done.stdout)
    until = content.pop("until")
    assert content == json.loads(Path("here/summary.json").read_text(encoding="utf-8"))
    assert until == json.loads(Path("here/until.json").read_text(encoding="utf-8"))
    assert (until["reason"], content["tasks"]["arrived"]) == ("budget", 2500)


def test_replications_leave_a_comparison_of_one_agent() -> None:
    done = invoke(
        "run", "tiny", "--agent", "eft", "--tasks", "20", "--by", "replications", "--until", "objective +- 30%",
        "--budget", "13 replications", "--workers", "1", "--out", "here",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "objective ± 30 %" in done.stdout.replace(".mean", "")
    assert "replications" in done.stdout
    comparison = json.loads(Path("here/comparison.json").read_text(encoding="utf-8"))
    checks = json.loads(Path("here/until.json").read_text(encoding="utf-8"))["checks"]
    assert len(comparison["seeds"]) == checks[-1]["replications"]
    assert checks[-1]["value"] == pytest.approx(comparison["agents"]["eft"]["objective"]["mean"])


def test_replications_without_a_measured_task_are_told_in_a_line() -> None:
    failed = invoke(
        "run", "tiny", "--agent", "eft", "--tasks", "5", "--by", "replications", "--until", "latency +- 2%",
        "--budget", "2 replications", "--workers", "1", "--set", "warm_up=49.9 s",
    )  # fmt: skip
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert "agent 'eft', seed 1: no task was measured" in failed.stderr


def test_everything_wrong_is_told_at_once(elsewhere: Path) -> None:
    refused = invoke("run", "tiny", "--agent", "eftt", "--until", "latncy +- 2%", "--budget", "10 minuts")
    assert (refused.exit_code, refused.stdout) == (2, "")
    lines = refused.stderr.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--agent", "--until", "--budget"]
    assert lines[1].endswith("did you mean 'latency'?")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (("--budget", "1 h"), "--budget, --by and --workers are of --until"),
        (("--until", "latency +- 2%", "--tasks", "10"), "give --budget instead of --tasks"),
        (("--until", "latency +- 2%", "--workers", "2"), "--workers is of --by replications"),
        (("--until", "cost.p99 +- 2%", "--by", "replications"), "quantiles of latency alone"),
        (("--until", "cost +- 2%", "--budget", "10 replications"), "a budget of replications limits nothing here"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: tuple[str, ...], fault: str) -> None:
    refused = invoke("run", "tiny", "--agent", "eft", *options)
    assert refused.exit_code == 2
    assert fault in refused.stderr


def test_an_agent_that_learns_has_no_steady_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EarliestFinish, "learns", True, raising=False)
    refused = invoke("run", "tiny", "--agent", "eft", "--until", "latency +- 2%")
    assert refused.exit_code == 2
    assert "agent 'eft' learns while it runs" in refused.stderr
    assert "--by replications" in refused.stderr
    done = invoke(
        "run", "tiny", "--agent", "eft", "--until", "latency +- 99%", "--tasks", "5", "--by", "replications",
        "--budget", "2 replications", "--workers", "1", "--quiet",
    )  # fmt: skip
    assert (done.exit_code, done.output) == (0, "")


def test_memory_that_fades_is_not_learning() -> None:
    done = invoke("run", "tiny", "--agent", "eft-ucb", "--until", "latency +- 90%", "--budget", "50 tasks", "--quiet")
    assert done.exit_code == 0


def test_a_budget_that_is_spent_is_told_with_a_forecast() -> None:
    rule = stopping_rule(parse_target("latency.mean +- 0.1%"), ONE_RUN, Budget(tasks=2000))
    batches = Batches()
    for value in np.random.default_rng(1).gamma(4.0, 1.0, 2000).tolist():
        batches.add(value)
    rule.see_batches(batches, 2000, 12.0)
    lines = dict(until_lines(rule))
    assert lines["until"] == "latency.mean ± 0.1 %: not reached at two checks in a row within the budget"
    assert lines["known by"].startswith("2000 tasks, 1 check, 12 s; ")
    assert lines["forecast"].startswith("about ")
    assert "s (" in lines["latency.mean"]


def test_an_end_before_the_first_check_is_told() -> None:
    rule = stopping_rule(parse_target("latency.p99 +- 2%"), ONE_RUN, Budget())
    rule.end("interrupted")
    assert dict(until_lines(rule)) == {
        "until": "latency.p99 ± 2 %: not reached: interrupted",
        "latency.p99": "not checked: it ended before the pilot did",
    }


def test_an_interrupted_run_goes_on_until_the_target_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    wish = (*MM1, "--until", "latency.mean +- 8%")
    with monkeypatch.context() as patch:
        patch.setattr(simulation, "_LOOK_S", 0.0)
        patch.setattr("simoffload.cli.until.watcher", lambda *_: lambda look: look.done < 2500)
        stopped = invoke(*wish, "--out", "cut", "--quiet")
    assert stopped.exit_code == 130
    assert stopped.stderr == "interrupted; what there is is in cut; go on with: simoffload resume cut\n"
    resumed = invoke("resume", "cut")
    assert resumed.exit_code == 0
    assert resumed.stderr.startswith("going on at ")
    assert "until        latency.mean ± 8 %: reached at two checks in a row\n" in resumed.stdout
    assert invoke(*wish, "--out", "whole", "--quiet").exit_code == 0
    for name in ("scenario.yaml", "until.json"):
        kept, whole = (_without_time(Path(run) / name) for run in ("cut", "whole"))
        assert kept == whole
    assert invoke("resume", "cut").stdout == "the run in cut is over: complete\n"


NO_RULES = ["{}", "[]", "7", '{"target": "latncy +- 2%", "budget": {"tasks": 9, "wall_s": null}}']


@pytest.mark.parametrize("text", NO_RULES)
def test_a_run_that_does_not_say_how_long_it_is_to_go_on_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(simulation, "_LOOK_S", 0.0)
        patch.setattr("simoffload.cli.until.watcher", lambda *_: lambda look: False)
        invoke(*MM1, "--until", "latency.mean +- 8%", "--out", "cut", "--quiet")
    Path("cut/until.json").write_text(text, encoding="utf-8")
    refused = invoke("resume", "cut")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: cut/until.json does not say how long its run is to go on: ")


def _without_time(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".json":
        return text
    told = json.loads(text)
    return {**told, "checks": [{**check, "wall_s": 0} for check in told["checks"]]}
