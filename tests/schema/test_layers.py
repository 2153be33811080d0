"""Scenarios extend others, and values can be set on top, and each value keeps the place where it was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simoffload.schema import ScenarioError, bundled_scenarios, load_scenario, load_scenario_text
from simoffload.schema.document import Source, Tree, plain
from simoffload.schema.layers import Layers, merged, overridden
from simoffload.schema.reader import parse, parse_value

from .sample import TEXT, headlines


def tree_of(text: str) -> Tree:
    return parse_value(Source("t.yaml", text, Path("/plant")))


def laid(base: str, over: str) -> Any:
    return plain(merged(tree_of(base), tree_of(over)))


def with_set(text: str, *overrides: str) -> Any:
    return plain(overridden(tree_of(text), overrides))


def told(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        overridden(tree_of(text), overrides)
    return [problem.headline for problem in caught.value.problems]


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def load_error(path: Path) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    return "\n".join(problem.headline for problem in caught.value.problems)


def test_maps_merge_key_by_key_and_other_values_replace() -> None:
    assert laid("a: {b: 1, c: 2}\nd: [1, 2]\ne: 1", "a: {c: 3}\nd: [4]\ne: {f: 1}") == {
        "a": {"b": 1, "c": 3},
        "d": [4],
        "e": {"f": 1},
    }


def test_lists_of_things_with_ids_merge_by_id() -> None:
    assert laid("[{id: a, x: 1}, {id: b, x: 2}]", "[{id: b, y: 3}, {id: c}]") == [
        {"id": "a", "x": 1},
        {"id": "b", "x": 2, "y": 3},
        {"id": "c"},
    ]
    assert laid("[{id: a}, 3]", "[{id: b}]") == [{"id": "b"}]
    assert laid("[{id: a}]", "[]") == []


def test_a_map_of_another_kind_replaces_and_one_of_the_same_kind_merges() -> None:
    assert laid("a: {kind: poisson, rate: 1}", "a: {kind: periodic, period: 2}") == {
        "a": {"kind": "periodic", "period": 2}
    }
    assert laid("a: {kind: gamma, rate: 1}", "a: {kind: gamma, cv: 2}") == {"a": {"kind": "gamma", "rate": 1, "cv": 2}}
    assert laid("a: {kind: gamma, rate: 1}", "a: {rate: 2}") == {"a": {"kind": "gamma", "rate": 2}}


def test_the_horizon_is_replaced_as_it_is_one_thing_or_the_other() -> None:
    assert laid("horizon: {tasks: 5}", "horizon: {time: 1 h}") == {"horizon": {"time": "1 h"}}
    assert with_set("horizon: {tasks: 5}", "horizon.time=1 h") == {"horizon": {"time": "1 h"}}


def test_a_file_extends_another_beside_it(tmp_path: Path) -> None:
    write(tmp_path, base=TEXT, top="extends: base.yaml\nname: top\nedges:\n  - {id: paint, speed: 2}\n")
    scenario = load_scenario(tmp_path / "top.yaml")
    assert scenario.name == "top"
    assert [edge.speed for edge in scenario.edges] == [1.0, 2.0]
    assert scenario.workloads == load_scenario_text(TEXT).workloads


def test_later_bases_go_over_earlier_ones_and_the_file_over_all(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=TEXT,
        slow="seed: 1\nwarm_up: 1 s\n",
        fast="seed: 2\n",
        top="extends: [base.yaml, slow.yaml, fast.yaml]\nname: top\n",
    )
    scenario = load_scenario(tmp_path / "top.yaml")
    assert (scenario.seed, scenario.warm_up, scenario.name) == (2, 1.0, "top")


def test_problems_are_told_where_each_value_is_written(tmp_path: Path) -> None:
    write(
        tmp_path,
        base=TEXT.replace("delay: 10 ms", "delay: 10"),
        top="extends: base.yaml\nedges:\n  - id: press\n    speed: fast\n  - id: new\n",
    )
    base, top = tmp_path / "base.yaml", tmp_path / "top.yaml"
    assert [line.partition("; ")[0] for line in load_error(top).split("\n")] == [
        f"{base}:22:38: links.radio.delay: 10 has no unit",
        f"{top}:4:12: edges.press.speed: expected a number, not 'fast'",
        f"{top}:5:5: edges.new: missing key 'hardware'",
        f"{top}:5:5: edges.new: missing key 'models'",
    ]


def test_extends_reaches_into_other_folders_and_files_are_seen_from_where_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", base="x: {file: t.csv}\nextends: ../root.yaml\n")
    write(tmp_path, root="y: {file: u.csv}\n", top="extends: a/base.yaml\nz: {file: v.csv}\n")
    tree = Layers({}).file(tmp_path / "top.yaml", "top.yaml")
    assert plain(tree) == {
        "y": {"file": str(tmp_path / "a" / ".." / "u.csv")},
        "x": {"file": str(tmp_path / "a" / "t.csv")},
        "z": {"file": str(tmp_path / "v.csv")},
    }


def test_a_circle_of_extends_is_told_with_its_members(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="extends: b.yaml\n",
        b="extends: [c.yaml]\n",
        c="x: 1\nextends: a.yaml\n",
        self="extends: self.yaml\n",
    )
    assert load_error(tmp_path / "a.yaml") == (
        f"{tmp_path}/c.yaml:2:10: extends: extends goes in a circle: a.yaml -> b.yaml -> c.yaml -> a.yaml"
    )
    assert load_error(tmp_path / "self.yaml").endswith("extends goes in a circle: self.yaml -> self.yaml")


def test_many_ways_to_one_base_read_it_once(tmp_path: Path) -> None:
    write(tmp_path, level0=TEXT)
    for level in range(1, 30):
        write(tmp_path, **{f"level{level}": f"extends: [level{level - 1}.yaml, level{level - 1}.yaml]\n"})
    assert load_scenario(tmp_path / "level29.yaml") == load_scenario_text(TEXT)


@pytest.mark.parametrize(
    ("extends", "message"),
    [
        ("none.yaml", "top.yaml:1:10: extends: {folder}/none.yaml: no such file"),
        ("3", "top.yaml:1:10: extends: expected a file or the name of a bundled scenario, or a list of them"),
        ("[{}]", "top.yaml:1:11: extends: expected a file or the name of a bundled scenario, or a list of them"),
        (".", "top.yaml:1:10: extends: {folder}: is a directory, not a file"),
        ("bad.yaml", "bad.yaml:1:8: alias '*b' has no anchor '&b' before it"),
    ],
)
def test_what_cannot_be_extended_is_told(tmp_path: Path, extends: str, message: str) -> None:
    write(tmp_path, top=f"extends: {extends}\n", bad="a: [1, *b]\n")
    assert load_error(tmp_path / "top.yaml") == f"{tmp_path}/{message.format(folder=tmp_path)}"


def test_bundled_scenarios_can_be_extended_by_name(tmp_path: Path) -> None:
    write(tmp_path, plant=TEXT, top="extends: theory/tiny\nname: top\n", miss="extends: theory/tinny\n")
    layers = Layers({"theory/tiny": tmp_path / "plant.yaml"})
    assert plain(layers.file(tmp_path / "top.yaml", "top.yaml"))["name"] == "top"  # type: ignore[index]
    with pytest.raises(ScenarioError) as caught:
        layers.file(tmp_path / "miss.yaml", "miss.yaml")
    assert caught.value.problems[0].headline == (
        "miss.yaml:1:10: extends: 'theory/tinny' is neither a file nor a bundled scenario; "
        "allowed: theory/tiny; did you mean 'theory/tiny'?"
    )


def test_an_unknown_scenario_is_told_with_the_nearest_name() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario 'no-such-thing-at-all': neither a file nor a bundled"):
        load_scenario("no-such-thing-at-all")


def test_every_bundled_scenario_loads() -> None:
    for name, path in bundled_scenarios().items():
        assert load_scenario(name) == load_scenario(path)


def test_a_value_is_set_by_its_path() -> None:
    assert with_set("a: {b: 1}", "a.b=2", "a.c=[x]", "d.e.f=1e-3") == {
        "a": {"b": 2, "c": ["x"]},
        "d": {"e": {"f": 0.001}},
    }
    assert with_set("a: 1", "a={b: no}") == {"a": {"b": "no"}}
    assert with_set("a: 1", "a=") == {"a": None}
    assert with_set("a: 1", "a=x=y") == {"a": "x=y"}


def test_list_items_are_named_by_id_or_by_number() -> None:
    text = "edges: [{id: press-1, speed: 1}, {id: b, speed: 1}]\nrates: [1, 2]"
    assert with_set(text, "edges.press-1.speed=2", "edges.1.speed=3", "rates.0=9") == {
        "edges": [{"id": "press-1", "speed": 2}, {"id": "b", "speed": 3}],
        "rates": [9, 2],
    }


def test_names_with_dots_are_found_whole_or_written_in_quotes() -> None:
    text = "models: {qwen2.5-7b: {weights: 1}}\nedges: [{id: e.1, speed: 1}]"
    assert with_set(text, "models.qwen2.5-7b.weights=2", "edges.e.1.speed=4", "models.'a.b'.weights=3") == {
        "models": {"qwen2.5-7b": {"weights": 2}, "a.b": {"weights": 3}},
        "edges": [{"id": "e.1", "speed": 4}],
    }


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("a", "expected path=value, such as edges.text-1.speed=2"),
        ("=1", "expected path=value, such as edges.text-1.speed=2"),
        ("a..b=1", "expected path=value, such as edges.text-1.speed=2"),
        ("a.b=1", "a is 1, which holds no 'b'; set it as a whole"),
        ("edges.presss.speed=1", "edges has no item 'presss'; allowed: press, paint; did you mean 'press'?"),
        ("edges.7.speed=1", "edges has no item '7'; allowed: press, paint"),
        ("rates.7=1", "rates has no item '7'; it has 2, counted from 0"),
        ("extends=x", "extends cannot be set; name the scenario to start from instead"),
        (".".join("x" * 100) + "=1", "more than 64 levels deep"),
        (
            "rates=a: b: c",
            "rates: not valid YAML: a second ':' in one line; quote the text that holds it, or start a new line",
        ),
        ("rates=!!python/none x", "rates: tag '!!python/none' is not allowed; write plain values"),
    ],
)
def test_what_cannot_be_set_is_told(override: str, message: str) -> None:
    text = "a: 1\nedges: [{id: press}, {id: paint}]\nrates: [1, 2]"
    assert told(text, override) == [f"--set '{override}': {message}"]


def test_all_settings_that_fail_are_told_at_once() -> None:
    assert len(told("a: 1", "a.b=1", "x", "c=[")) == 3


def test_problems_of_a_value_that_was_set_are_told_at_the_setting() -> None:
    assert headlines(TEXT, "edges.press.sped=2", "edges.paint.speed=fast", "warm_up=30") == [
        "--set 'edges.paint.speed=fast': edges.paint.speed: expected a number, not 'fast'",
        "--set 'edges.press.sped=2': edges.press: unknown key 'sped'; allowed: id, hardware, models, law, memory, "
        "server, discipline, speed, slowdown, crashes, timeout, idle_power, busy_power, tariff, amortisation, site, "
        "uplink, downlink, lan; did you mean 'speed'?",
        "--set 'warm_up=30': warm_up: 30 has no unit; write a time such as '20 ms' or '24 h'; "
        "allowed: ns, us, ms, s, min, h, d",
    ]


def test_settings_change_the_scenario() -> None:
    scenario = load_scenario_text(TEXT, overrides=["edges.press.speed=2", "horizon.time=1 h", "name=other"])
    assert scenario.edges[0].speed == 2.0
    assert (scenario.horizon.tasks, scenario.horizon.time, scenario.name) == (None, 3600.0, "other")


def test_extending_leaves_the_base_as_it_was() -> None:
    base = parse(Source("t.yaml", "a: {b: [1]}", Path()))
    overridden(base, ["a.b.0=2"])
    merged(base, tree_of("a: {b: [3], c: 4}"))
    assert plain(base) == {"a": {"b": [1]}}
