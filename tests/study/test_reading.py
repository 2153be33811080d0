"""A study file is read whole, or every mistake in it is told with its place and the nearest right spelling."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.schema import ScenarioError
from simoffload.study.reading import bundled_studies, read_study

from .examples import MINI, write


def refused(directory: Path, text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_study(write(directory, text))
    return str(caught.value)


def test_a_study_knows_its_trainings_agents_seeds_and_places(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    assert [run.directory for run in study.trainings] == ["learner-1", "learner-2"]
    assert study.trainings[0].scheme.settings.c == 0.5
    assert study.trainings[0].scheme.settings.hidden == (4,)
    assert study.seeds_of("learner") == (1, 2)
    assert study.seeds_of("eft") == ()
    assert [survey.name for survey in study.surveys] == ["main", "axis-rate"]
    assert study.main.seeds == (100, 101, 102)
    (slow, fast) = study.axes[0].places
    assert (slow.at, fast.at) == (0.05, 0.2)
    assert [place.scenario.workloads[0].arrivals.rate for place in (slow, fast)] == [0.05, 0.2]  # type: ignore[union-attr]
    assert fast.scenario.horizon.tasks == 8


def test_a_study_may_be_cut_to_some_parts_and_the_trainings_that_they_measure() -> None:
    study = read_study("superiority")
    assert study.parts == ("ablations", "axes", "generalisation", "gaps")
    main = study.only(["main"])
    assert (main.surveys, main.gaps, main.parts) == ((study.main,), None, ())
    trained = {run.name for run in main.trainings}
    assert trained == {name for name in study.main.agents if study.seeds_of(name)}
    gaps = study.only(["gaps"])
    assert (gaps.gaps, gaps.parts) == (study.gaps, ("gaps",))
    assert {run.name for run in gaps.trainings} == trained | {"static"}
    assert study.only(study.parts) == study


def test_places_that_tables_have_in_common_are_equal(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    assert study.main.places[0].scenario == study.axes[0].places[0].scenario


def test_variants_are_all_combinations(tmp_path: Path) -> None:
    varied = "scheme: ucb-coma, vary: {telemetry_interval: [0 s, 5 s], seed: [1, 2, 3]},"
    study = read_study(write(tmp_path, MINI.replace("scheme: ucb-coma,", varied)))
    scenarios = study.trainings[0].scenarios
    assert {(each.telemetry_interval, each.seed) for each in scenarios} == {(t, k) for t in (0, 5) for k in (1, 2, 3)}
    assert len(scenarios) == 6
    assert not study.trainings[0].is_usual


def test_a_scenario_file_is_seen_from_the_study_and_keeps_clear_of_its_settings(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("extends: tiny\nname: other\n", encoding="utf-8")
    text = MINI.replace("subject:", "settings: [telemetry_interval=1 s]\nsubject:").replace(
        "{at: 0.05}", "{at: 0.05, scenario: other.yaml}"
    )
    study = read_study(write(tmp_path, text))
    assert study.main.places[0].scenario.telemetry_interval == 1.0
    assert study.axes[0].places[0].scenario.name == "other"
    assert study.axes[0].places[0].scenario.telemetry_interval == 5.0


@pytest.mark.parametrize(
    ("right", "wrong", "messages"),
    [
        ("scheme: ucb-coma", "scheme: ucb-comma", ["unknown scheme 'ucb-comma'", "did you mean 'ucb-coma'?"]),
        ("c: 0.5", "cc: 0.5", ["no setting 'cc'; did you mean 'c'?"]),
        ("eft, all-cloud], seeds: {first", "etf, all-cloud], seeds: {first", ["main.agents.1", "did you mean 'eft'?"]),
        ("eft, all-cloud], seeds: {first", "eft, eft], seeds: {first", ["'eft' is listed twice"]),
        ("subject: learner", "subject: teacher", ["the subject 'teacher' is none of the agents of main"]),
        ("rate=0.2 /s", "rat=0.2 /s", ["axes.over.rate.points.1", "unknown key 'rat'", "did you mean 'rate'?"]),
        ("scenario: tiny", "scenario: tinny", ["mini.yaml:4:1: scenario: unknown scenario 'tinny'"]),
        ("{at: 0.05}", "{at: 0.05, scenario: tinny}", ["unknown scenario 'tinny'", "did you mean 'tiny'?"]),
        ("count: 3}, tasks: 8", "count: 1}, tasks: 8", ["main.seeds.count: must be at least 2, not 1"]),
        ("first: 100", "first: 1000000000", ["main.seeds.first: must be less than"]),
        ("first: 100", "first: 0", ["main.seeds.first: must be at least 1, not 0"]),
        ("count: 3}, tasks: 8}", "count: 3}, taks: 8}", ["missing key", "unknown key 'taks'", "did you mean 'tasks'?"]),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, right: str, wrong: str, messages: list[str]) -> None:
    assert right in MINI
    told = refused(tmp_path, MINI.replace(right, wrong, 1))
    assert told.startswith(f"{tmp_path / 'mini.yaml'}:")
    for message in messages:
        assert message in told


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = MINI.replace("scheme: ucb-coma", "scheme: sarsa").replace("[learner, eft, all-cloud]", "[learner, nobody]")
    told = refused(tmp_path, text)
    assert "unknown scheme 'sarsa'" in told
    assert told.count("unknown agent 'nobody'") == 2


def test_a_training_may_have_batches_of_its_own(tmp_path: Path) -> None:
    text = MINI.replace("{scheme: ucb-coma,", "{scheme: ucb-coma, batches: 3,")
    assert {run.budget.batches for run in read_study(write(tmp_path, text)).trainings} == {3}
    assert {run.budget.batches for run in read_study(write(tmp_path)).trainings} == {1}


def test_nothing_is_trained_without_a_budget(tmp_path: Path) -> None:
    text = "\n".join(line for line in MINI.splitlines() if not line.startswith("budget:"))
    assert "nothing can be trained without a budget" in refused(tmp_path, text)


def test_gaps_are_asked_of_static_scenarios_only(tmp_path: Path) -> None:
    gaps = "gaps: {agents: [eft], scenario: tiny, instances: 2}\n"
    assert "mini.yaml:20:33: gaps.scenario: " in refused(tmp_path, MINI + gaps)


def test_an_unknown_name_is_told_with_the_nearest_study() -> None:
    with pytest.raises(ScenarioError, match=r"unknown study 'superiorty'.*did you mean 'superiority'\?"):
        read_study("superiorty")


ABLATED = MINI.replace(
    "\nmain:", "\n  variant: {scheme: ucb-coma}\nablations: {base: learner, variants: {variant: all}}\nmain:"
)


def test_a_variant_is_trained_from_the_seeds_of_its_base(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, ABLATED))
    assert study.seeds_of("variant") == study.seeds_of("learner") == (1, 2)
    told = refused(tmp_path, ABLATED.replace("variant: {scheme: ucb-coma}", "variant: {scheme: ucb-coma, seeds: [2]}"))
    assert (
        "mini.yaml:10:39: ablations.variants.variant: 'variant' is trained from seeds 2, its base 'learner' from"
        in told
    )
    assert "from 1, 2; give both the same" in told
    other = ABLATED.replace("variant: {scheme: ucb-coma}", "variant: {scheme: ucb-coma, seeds: [2, 1]}")
    assert set(read_study(write(tmp_path, other)).seeds_of("variant")) == {1, 2}


@pytest.mark.parametrize("name", bundled_studies())
def test_a_bundled_study_is_sound(name: str) -> None:
    study = read_study(name)
    assert study.plan.name == name
    seeds = [set(survey.seeds) for survey in study.surveys]
    assert all(len(each) >= 30 for each in seeds)
    assert all(len(study.seeds_of(agent)) in (0, 3) for survey in study.surveys for agent in survey.agents)
