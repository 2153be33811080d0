"""Until: what a rule is asked of one run serves replications too, which become more on further seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from simoffload.analysis.runs import open_comparison
from simoffload.record.measures import MEASURES
from simoffload.run.simulation import simulate
from simoffload.run.until import replicate_until, statistic
from simoffload.schema import load_scenario

from .scripted import Script, tiny, without_time


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
