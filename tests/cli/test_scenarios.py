"""`simoffload scenarios` lists, shows and copies what comes with the package; copies work where they land."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from simoffload.cli.scenarios import named_files, question
from simoffload.schema import bundled_scenarios, dump_scenario, load_scenario

from .program import invoke


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_scenario_is_listed_with_its_question() -> None:
    lines = invoke("scenarios", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines[2:]] == list(bundled_scenarios())
    assert all(line.endswith("?") for line in lines[2:])


def test_the_list_as_json_has_each_file() -> None:
    entries = json.loads(invoke("scenarios", "list", "--json").stdout)
    assert {entry["name"]: Path(entry["file"]) for entry in entries} == bundled_scenarios()
    assert all(entry["question"].endswith("?") for entry in entries)


def test_a_question_is_the_first_sentence_of_the_comment_above() -> None:
    assert question("# yaml-language-server: $schema=x\n#\n# Why?\n# Because.\nname: x\n") == "Why?"
    assert question("name: x\n# Why?\n") == ""
    assert question("") == ""


def test_show_prints_the_file_as_it_is() -> None:
    assert invoke("scenarios", "show", "tiny").stdout == bundled_scenarios()["tiny"].read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["show", "copy"])
def test_an_unknown_name_is_refused_with_the_nearest_spelling(command: str, elsewhere: Path) -> None:
    refused = invoke("scenarios", command, "theory/mm2")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "unknown scenario 'theory/mm2'; allowed: alarm-storm, " in refused.stderr
    assert "did you mean 'theory/mm" in refused.stderr
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("name", bundled_scenarios())
def test_a_copy_is_the_same_scenario_wherever_it_lands(name: str, elsewhere: Path) -> None:
    pytest.importorskip("simoffload.traces")
    copied = invoke("scenarios", "copy", name, "plants/mine.yaml")
    assert copied.exit_code == 0
    assert copied.stdout.splitlines()[0] == os.path.join("plants", "mine.yaml")
    (elsewhere / "work").mkdir()
    os.chdir("work")
    found, original = load_scenario(str(elsewhere / "plants" / "mine.yaml")), load_scenario(name)
    traces, bundled_traces = elsewhere / "plants" / "traces", bundled_scenarios()["tiny"].parent / "traces"
    expected = dump_scenario(original)
    if traces.is_dir():  # else the traces are those of a bundled scenario that it extends
        expected = expected.replace(str(bundled_traces), str(traces))
    assert dump_scenario(found) == expected


def test_a_copy_keeps_its_name_in_the_working_directory_or_another_one(elsewhere: Path) -> None:
    assert invoke("scenarios", "copy", "theory/mm1").stdout == "mm1.yaml\n"
    (elsewhere / "there").mkdir()
    assert invoke("scenarios", "copy", "theory/mm1", "there").stdout == f"{Path('there', 'mm1.yaml')}\n"


def test_a_copy_finds_the_schema_beside_it() -> None:
    invoke("scenarios", "copy", "theory/mm1")
    assert (
        Path("mm1.yaml")
        .read_text(encoding="utf-8")
        .startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    )


def test_traces_that_a_scenario_names_come_along() -> None:
    copied = invoke("scenarios", "copy", "trace-replay")
    assert copied.stdout.splitlines() == ["trace-replay.yaml", str(Path("traces", "requests.csv"))]
    assert named_files(Path("trace-replay.yaml")) == ["traces/requests.csv"]
    assert named_files(bundled_scenarios()["tiny"]) == []


def test_nothing_is_written_over() -> None:
    Path("tiny.yaml").write_text("mine", encoding="utf-8")
    refused = invoke("scenarios", "copy", "tiny")
    assert (refused.exit_code, refused.stderr) == (2, "'tiny.yaml' is there already and is not written over\n")
    assert Path("tiny.yaml").read_text(encoding="utf-8") == "mine"


def test_a_trace_in_the_way_keeps_the_scenario_from_being_copied(elsewhere: Path) -> None:
    (elsewhere / "traces").mkdir()
    (elsewhere / "traces" / "requests.csv").write_text("mine", encoding="utf-8")
    refused = invoke("scenarios", "copy", "trace-replay")
    assert refused.exit_code == 2
    assert "requests.csv' is there already" in refused.stderr
    assert not Path("trace-replay.yaml").exists()


def test_files_that_are_there_with_the_same_content_are_no_obstacle() -> None:
    invoke("scenarios", "copy", "wan-constrained", "first.yaml")
    second = invoke("scenarios", "copy", "wan-constrained", "second.yaml")
    assert (second.exit_code, second.stdout) == (0, "second.yaml\n")


def test_a_place_that_cannot_be_written_is_named(elsewhere: Path) -> None:
    (elsewhere / "file").write_text("", encoding="utf-8")
    failed = invoke("scenarios", "copy", "tiny", "file/tiny.yaml")
    assert failed.exit_code == 1
    assert "cannot write" in failed.stderr
