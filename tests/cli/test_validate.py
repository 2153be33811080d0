"""`simoffload validate` tells every error at once with its place, and the load of what is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simoffload.cli.inputs import overloads
from simoffload.run.load import OfferedLoad, offered_load
from simoffload.schema import bundled_scenarios, load_scenario

from .program import HEAVY, imported_by, invoke

BROKEN = """\
schema_version: 1
name: broken
seed: -3
edges:
  - {id: box, hardware: jetson-agx-orin-64bg, models: [qwen3-4b-w4]}
workloads:
  - id: request
    arrivals: {kind: poisson, rate: 0.05}
"""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text(BROKEN, encoding="utf-8")
    return path


def test_all_errors_are_told_at_once_by_line(broken: Path) -> None:
    refused = invoke("validate", str(broken))
    assert (refused.exit_code, refused.stdout) == (2, "")
    heads = [line for line in refused.stderr.splitlines() if line.startswith(str(broken))]
    assert [line.removeprefix(str(broken)).split(": ")[1] for line in heads[1:]] == [
        "seed",
        "edges.box.hardware",
        "workloads.request.arrivals.rate",
    ]
    assert "missing key 'horizon'" in heads[0]
    assert f"{broken}:5:25: " in refused.stderr
    assert "did you mean 'jetson-agx-orin-64gb'?" in refused.stderr


@pytest.mark.parametrize("name", bundled_scenarios())
def test_bundled_scenarios_are_valid(name: str) -> None:
    pytest.importorskip("simoffload.traces")
    valid = invoke("validate", name)
    assert valid.exit_code == 0
    assert valid.stdout.startswith(f"{name}: valid\n")


def test_the_load_of_every_way_to_place_work_is_listed() -> None:
    lines = invoke("validate", "tiny").stdout.splitlines()[3:]
    loads = offered_load(load_scenario("tiny"))
    assert [line[2:-10].rstrip() for line in lines] == [each.resource for each in loads]
    assert [line.split()[-1] for line in lines] == [f"{each.load:.3f}" for each in loads]


def test_an_unstable_load_is_a_warning_and_no_error() -> None:
    valid = invoke("validate", "tiny", "--set", "workloads.request.arrivals.rate=0.3 /s")
    assert valid.exit_code == 0
    assert "tiny: warning: offered load 1.42: queues grow without end whatever an agent does" in valid.stderr
    assert "everything on edge nodes (3.73), everything in the cloud (2.43)" in valid.stderr
    assert "warning" not in invoke("validate", "tiny").stderr


def test_only_ways_of_load_one_or_more_are_warned_of() -> None:
    ways = [OfferedLoad("a", 0.999), OfferedLoad("b", 1.0), OfferedLoad("bound", 0.4)]
    (warning,) = overloads("x", ways)
    assert warning.endswith(": b (1)")
    assert list(overloads("x", [OfferedLoad("a", 0.5), OfferedLoad("bound", 0.4)])) == []


def test_settings_are_examined_with_the_file() -> None:
    assert invoke("validate", "tiny", "--set", "seed=8", "--set", "edges.text.speed=2").exit_code == 0
    refused = invoke("validate", "tiny", "--set", "edges.text.sped=2", "--set", "seed=x")
    assert refused.exit_code == 2
    assert "--set 'edges.text.sped=2': edges.text: unknown key 'sped'" in refused.stderr
    assert "did you mean 'speed'?" in refused.stderr
    assert "--set 'seed=x': seed: " in refused.stderr


def test_json_holds_the_same_problems(broken: Path) -> None:
    refused = invoke("validate", str(broken), "--json")
    assert (refused.exit_code, refused.stderr) == (2, "")
    document = json.loads(refused.stdout)
    assert (document["valid"], document["offered_load"]) == (False, [])
    assert [problem["line"] for problem in document["problems"]] == [1, 3, 5, 8]
    assert document["problems"][2]["suggestion"] == "jetson-agx-orin-64gb"


def test_json_of_a_valid_scenario_has_its_loads() -> None:
    document = json.loads(invoke("validate", "tiny", "--json").stdout)
    assert (document["valid"], document["problems"]) == (True, [])
    loads = offered_load(load_scenario("tiny"))
    assert [(each["resource"], each["load"]) for each in document["offered_load"]] == [
        (each.resource, each.load) for each in loads
    ]


@pytest.mark.parametrize("source", ["tiyn", "no/such/file.yaml", "."])
def test_what_is_no_scenario_is_refused_in_a_line(source: str) -> None:
    refused = invoke("validate", source)
    assert refused.exit_code == 2
    assert refused.stderr.count("\n") == 1
    assert "Traceback" not in refused.stderr


def test_it_imports_nothing_that_it_does_not_need() -> None:
    assert not imported_by("validate", "smart-factory") & (HEAVY | {"pyarrow", "networkx", "rich"})
