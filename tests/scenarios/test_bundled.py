"""Every bundled scenario can be loaded without a warning and says for what question it is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simoffload.schema import bundled_scenarios, diagnose, dump_scenario, load_scenario, load_scenario_text

NAMES = sorted(bundled_scenarios())
NEEDED = {
    "smart-factory", "inspection-line", "alarm-storm", "campus-5g", "wan-constrained", "trace-replay", "tiny",
    "bad-day", "flaky-wan",
    "hidden-slowdown", "static-small", "theory/mm1", "theory/mmc", "theory/mg1", "theory/md1", "theory/priority",
    "theory/tandem", "theory/routing",
}  # fmt: skip
README = (bundled_scenarios()["tiny"].parent / "README.md").read_text(encoding="utf-8")


def _text(name: str) -> str:
    return bundled_scenarios()[name].read_text(encoding="utf-8")


def test_the_scenarios_are_there() -> None:
    assert set(NAMES) == NEEDED


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_loads_without_a_complaint(name: str) -> None:
    diagnosis = diagnose(name)
    assert diagnosis.problems == ()
    assert diagnosis.scenario is not None
    assert diagnosis.scenario.name == name.split("/")[-1]
    assert diagnosis.scenario.description


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_reads_back_as_it_is_written(name: str) -> None:
    scenario = load_scenario(name)
    assert load_scenario_text(dump_scenario(scenario)) == scenario


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_opens_with_its_schema_and_a_question(name: str) -> None:
    schema, empty, question, *more = _text(name).split("\n")
    up = "../" * name.count("/")
    assert schema == f"# yaml-language-server: $schema={up}scenario.schema.json"
    assert empty == "#"
    assert re.fullmatch(r"# [A-Z].*\?", question)
    comment = [question, *(line for line in more[: more.index("")] if line != "#")]
    assert 3 <= len(comment) <= 8
    assert all(line.startswith("# ") for line in comment)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_is_listed_with_its_question(name: str) -> None:
    question = _text(name).split("\n")[2].removeprefix("# ")
    assert f"| `{name}` | {question} |" in README


@pytest.mark.parametrize("name", NAMES)
def test_lines_are_short(name: str) -> None:
    assert max(len(line) for line in _text(name).split("\n")) <= 120


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_the_comment_names_can_be_set(name: str) -> None:
    comment = " ".join(line.removeprefix("# ") for line in _text(name).split("\n") if line.startswith("#"))
    settings = [a or b for a, b in re.findall(r'--set (?:"([^"]+)"|(\S+))', comment)]
    for setting in settings:
        if ".file=" not in setting:
            load_scenario(name, [setting])


def test_the_traces_are_what_the_program_in_the_readme_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "README.md", "exec"), {})
    folder = bundled_scenarios()["tiny"].parent / "traces"
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in folder.iterdir()}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_the_example_of_the_readme_extends_a_scenario() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    scenario = load_scenario_text(example)
    assert scenario.clouds[0].price == "qwen3-vl-235b-openrouter"
    assert len(scenario.edges) == 8


def test_the_smart_factory_is_as_described() -> None:
    scenario = load_scenario("smart-factory")
    (cloud,) = scenario.clouds
    (workload,) = scenario.workloads
    kinds = [edge.id.split("-")[0] for edge in scenario.edges]
    assert sorted(kinds) == sorted(2 * ["text", "image", "audio", "sensor"])
    assert (cloud.models, cloud.server.kind, cloud.price) == (
        ["qwen3-vl-235b-a22b-fp8"], "batching", "qwen3-vl-235b-aws",
    )  # fmt: skip
    assert (scenario.telemetry_interval, scenario.horizon.tasks) == (5, 2000)
    assert (workload.arrivals.kind, workload.template.kind) == ("gamma", "explain-analyze-generate")
