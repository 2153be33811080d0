"""Options are short for settings; whatever is wrong is told at once, as it was typed."""

from __future__ import annotations

import click
import pytest

from simoffload.cli.inputs import accepted, agent_faults, examined
from simoffload.cli.refusals import Refused, unknown
from simoffload.schema import Scenario


def _scenario(*settings: str, **shorthands: str | None) -> Scenario:
    scenario = examined("tiny", settings, shorthands).scenario
    assert scenario is not None
    return scenario


def test_options_set_what_they_stand_for() -> None:
    scenario = _scenario(seed="7", tasks="12", records="full")
    assert (scenario.seed, scenario.horizon.tasks, scenario.records.level) == (7, 12, "full")


def test_a_horizon_in_time_takes_the_place_of_one_in_tasks() -> None:
    horizon = _scenario(horizon="2 h").horizon
    assert (horizon.tasks, horizon.time) == (None, 7200)


def test_options_that_are_not_given_change_nothing() -> None:
    assert _scenario(seed=None, tasks=None, horizon=None, records=None) == _scenario()


def test_an_option_goes_over_a_setting() -> None:
    assert _scenario("seed=1", seed="2").seed == 2


def test_a_run_has_one_end() -> None:
    with pytest.raises(click.UsageError, match="either --tasks or --horizon"):
        examined("tiny", [], {"tasks": "1", "horizon": "1 h"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("seed", "-1", "--seed -1: seed: must be at least 0, not -1"),
        ("tasks", "many", "--tasks many: horizon.tasks: "),
        ("tasks", "0", "--tasks 0: horizon.tasks: must be at least 1, not 0"),
        ("horizon", "2 hours", "--horizon 2 hours: horizon.time: "),
        ("records", "ful", "--records ful: records.level: unknown level 'ful'; allowed: full, sampled, off; did you"),
    ],
)
def test_a_bad_value_is_told_by_its_option(name: str, value: str, said: str) -> None:
    diagnosis = examined("tiny", [], {name: value})
    assert diagnosis.scenario is None
    assert [problem.headline[: len(said)] for problem in diagnosis.problems] == [said]


def test_all_faults_are_told_in_one_go() -> None:
    diagnosis = examined("tiny", ["edges.text.sped=2"], {"seed": "x"})
    with pytest.raises(Refused) as refused:
        accepted(diagnosis, ["--agent: unknown"], quiet=False)
    first, second, third = refused.value.message.splitlines()
    assert first.startswith("--seed x: seed: ")
    assert second.startswith("--set 'edges.text.sped=2': ")
    assert third == "--agent: unknown"
    assert refused.value.exit_code == 2


def test_a_sound_scenario_is_refused_for_the_sake_of_other_faults() -> None:
    with pytest.raises(Refused, match=r"^--out: full$"):
        accepted(examined("tiny", [], {}), ["--out: full"], quiet=False)


def test_an_unstable_load_is_warned_of_unless_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    diagnosis = examined("tiny", ["workloads.request.arrivals.rate=0.3 /s"], {})
    assert accepted(diagnosis, [], quiet=True) is diagnosis.scenario
    assert capsys.readouterr() == ("", "")
    assert accepted(diagnosis, [], quiet=False) is diagnosis.scenario
    out, err = capsys.readouterr()
    assert (out, err.count("tiny: warning: offered load ")) == ("", 2)


def test_agents_are_told_by_name_with_what_is_wrong() -> None:
    assert agent_faults("--agents", ["random", "all-edge"]) == []
    assert agent_faults("--agents", []) == ["--agents: names no agent"]
    twice, misspelt = agent_faults("--agents", ["random", "random", "weighted-gredy"])
    assert twice == "--agents: 'random' is listed twice"
    assert misspelt.startswith("--agents: unknown agent 'weighted-gredy'; ")
    assert misspelt.endswith("did you mean 'weighted-greedy'?")


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    assert unknown("fruit", "aple", ["pear", "apple"]) == (
        "unknown fruit 'aple'; allowed: pear, apple; did you mean 'apple'?"
    )
    assert unknown("fruit", "xyz", ["pear"]) == "unknown fruit 'xyz'; allowed: pear"
