"""Loading finds scenarios by path and by name, stays light, and hands on warnings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from simoffload.schema import (
    ScenarioError,
    bundled_catalogue,
    bundled_scenarios,
    diagnose,
    diagnose_text,
    load_scenario,
    load_scenario_text,
    loading,
    whole_catalogue,
)

from .sample import TEXT, changed, headlines


def test_a_scenario_is_found_by_its_path_as_text_or_path(tmp_path: Path) -> None:
    path = tmp_path / "plant.yaml"
    path.write_text(TEXT, encoding="utf-8")
    assert load_scenario(path) == load_scenario(str(path)) == load_scenario_text(TEXT)


def test_a_json_file_is_a_scenario_too(tmp_path: Path) -> None:
    path = tmp_path / "plant.json"
    path.write_text(load_scenario_text(TEXT).model_dump_json(exclude_none=True), encoding="utf-8")
    assert load_scenario(path) == load_scenario_text(TEXT)


def test_a_bundled_scenario_is_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mm1.yaml"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(loading, "bundled_scenarios", lambda: {"theory/mm1": path})
    assert load_scenario("theory/mm1") == load_scenario_text(TEXT)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("theory/mm2")
    assert str(caught.value) == (
        "unknown scenario 'theory/mm2': neither a file nor a bundled scenario; allowed: theory/mm1; "
        "did you mean 'theory/mm1'?"
    )


def test_names_of_bundled_scenarios_are_their_places_without_the_ending() -> None:
    for name, path in bundled_scenarios().items():
        assert path.as_posix().endswith(f"scenarios/{name}.yaml")


def test_a_missing_file_is_told_by_its_name() -> None:
    with pytest.raises(ScenarioError, match=r"^no/such\.yaml: no such file$"):
        load_scenario("no/such.yaml")


def test_a_file_that_ends_before_it_begins_is_told() -> None:
    with pytest.raises(ScenarioError, match=r"^<text>: is empty$"):
        load_scenario_text("")


def test_warnings_come_with_the_scenario_and_do_not_stop_it() -> None:
    text = changed(("  radio: {", "  spare: {channel: 1 Mbit/s}\n  radio: {"))
    diagnosis = diagnose_text(text, "s.yaml")
    assert diagnosis.scenario == load_scenario_text(text)
    (warning,) = diagnosis.problems
    assert (warning.severity, str(warning).split("\n")[0]) == (
        "warning",
        "s.yaml:22:3: warning: links.spare: no node uses this link",
    )


def test_a_diagnosis_holds_no_scenario_when_there_is_an_error(tmp_path: Path) -> None:
    assert diagnose(tmp_path).scenario is None
    assert diagnose_text("a: 1").scenario is None


def test_own_entries_go_over_those_of_the_bundled_catalogue() -> None:
    scenario = load_scenario_text(TEXT)
    whole, bundled = whole_catalogue(scenario), bundled_catalogue()
    assert whole.hardware["box"].memory == 16e9
    assert set(whole.hardware) == set(bundled.hardware) | {"box", "rack"}
    assert whole.laws[-1] == scenario.catalogue.laws[0]
    assert whole.laws[:-1] == bundled.laws


def test_reading_a_scenario_needs_no_heavy_library(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(TEXT, encoding="utf-8")
    code = (
        "import sys; from simoffload.schema import load_scenario; load_scenario(sys.argv[1]);"
        "print([m for m in ('numpy', 'scipy', 'pandas', 'torch', 'networkx', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_five_thousand_nodes_are_read_and_checked() -> None:
    nodes = "".join(f"  - {{id: n{number}, hardware: box, models: [small], uplink: radio}}\n" for number in range(5000))
    scenario = load_scenario_text(
        changed(
            ("    site: hall\n    uplink: radio", "    site: hall"),
            ("sites:\n  - id: hall\n", ""),
            (
                "- id: press\n    hardware: box\n    models: [small]\n    site: hall",
                "- id: press\n    hardware: box\n    models: [small]",
            ),
            (
                "- id: paint\n    hardware: box\n    models: [small]\n    site: hall",
                "- id: paint\n    hardware: box\n    models: [small]",
            ),
            ("edges:\n", "edges:\n" + nodes),
        )
    )
    assert len(scenario.edges) == 5002


def test_a_circle_is_told_along_with_mistakes_elsewhere() -> None:
    graph = "[{id: a, after: [b]}, {id: b, after: [a]}, {id: c, after: [b]}]"
    told = headlines(TEXT, f"workloads.faults.template={{kind: written, subtasks: {graph}}}", "edges.press.speeed=2")
    assert any("in a circle: a -> b -> a" in line for line in told)
    assert any("speeed" in line and "did you mean 'speed'?" in line for line in told)
