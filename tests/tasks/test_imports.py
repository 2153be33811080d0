"""Graphs are read from workflows, plans and plain JSON; what is wrong is told by file and element."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simoffload.tasks import GraphError, Hint, import_graph
from simoffload.tasks.imports import LARGEST_FILE, MOST_SUBTASKS
from simoffload.tasks.templates import make_graph_sampler

from .samples import drawn, modalities, template

WORKFLOW: dict[str, Any] = {
    "name": "split and join",
    "schemaVersion": "1.5",
    "workflow": {
        "specification": {
            "tasks": [
                {"name": "split", "id": "s", "parents": [], "children": ["a", "b"], "inputFiles": ["raw", "table"],
                 "outputFiles": ["left", "right"]},
                {"name": "work", "id": "a", "parents": ["s"], "children": ["j"], "inputFiles": ["left", "table"]},
                {"name": "work", "id": "b", "parents": ["s"], "children": [], "inputFiles": ["right"]},
                {"name": "join", "id": "j", "parents": ["b"], "children": []},
            ],
            "files": [{"id": "raw", "sizeInBytes": 5000}, {"id": "table", "sizeInBytes": 300},
                      {"id": "left", "sizeInBytes": 10}, {"id": "right", "sizeInBytes": 20}],
        },
        "execution": {
            "makespanInSeconds": 9,
            "executedAt": "2026-01-01T00:00:00Z",
            "tasks": [{"id": "s", "runtimeInSeconds": 4.5}, {"id": "a", "runtimeInSeconds": 2}],
        },
    },
}  # fmt: skip
PLAN = """<?xml version="1.0" encoding="utf-8"?>
<Plan>
<Step ID="1" Task="What is your understanding of the question?" Difficulty="4" Token="50" Rely=""/>
<Step ID="2" Task="Is 3 &lt; 5?" Difficulty="9" Token="30" Rely="1"/>
<Step ID="3" Task="Which is the degree?" Difficulty="" Rely="1"/>
<Step ID="4" Task="What is the final answer?" Difficulty="1" Token="20" Rely="2, 3"/>
</Plan>
"""
PLAIN: dict[str, Any] = {
    "subtasks": [
        {"id": "look", "modality": "image", "payload_bytes": 2e6, "prompt_tokens": 900, "difficulty": -0.5},
        {"id": "read", "stage": "explain", "output_tokens": 80},
        {"id": 3, "after": ["look", "read"], "demand_s": 0.25},
    ]
}
LAUGHS = """<?xml version="1.0"?><!DOCTYPE Plan [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>
<Plan><Step ID="1" Task="&b;" Rely=""/></Plan>"""


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_workflow_gives_its_tasks_runtimes_and_first_files(tmp_path: Path) -> None:
    found = import_graph(written(tmp_path, "w.json", WORKFLOW))
    assert found.graph.names == ("s", "a", "b", "j")
    assert found.graph.predecessors == ((), (0,), (0,), (1, 2))
    assert found.graph.stages == (0, 1, 1, 2)
    assert found.hints == (
        Hint(demand_s=4.5, payload_bytes=5300),
        Hint(demand_s=2, payload_bytes=300),
        Hint(payload_bytes=0),
        Hint(payload_bytes=0),
    )


def test_a_workflow_needs_neither_files_nor_an_execution(tmp_path: Path) -> None:
    tasks = [{"id": "x", "parents": [], "children": []}]
    found = import_graph(written(tmp_path, "w.json", {"workflow": {"specification": {"tasks": tasks}}}))
    assert (len(found.graph), found.hints) == (1, (Hint(),))


def test_a_plan_gives_steps_lengths_and_difficulties(tmp_path: Path) -> None:
    found = import_graph(written(tmp_path, "plan.xml", PLAN))
    assert found.graph.names == ("1", "2", "3", "4")
    assert found.graph.predecessors == ((), (0,), (0,), (1, 2))
    assert [hint.difficulty for hint in found.hints] == [-0.5, 2, None, -2]
    assert [hint.output_tokens for hint in found.hints] == [50, 30, None, 20]


def test_plain_json_says_what_it_likes(tmp_path: Path) -> None:
    found = import_graph(written(tmp_path, "g.json", PLAIN))
    assert found.graph.names == ("look", "read", "3")
    assert (found.graph.stages, found.graph.modalities) == ((0, 0, 2), (1, 0, 0))
    assert found.hints == (
        Hint(payload_bytes=2e6, prompt_tokens=900, difficulty=-0.5),
        Hint(output_tokens=80),
        Hint(demand_s=0.25),
    )


def test_a_format_that_is_given_counts_for_more_than_the_name(tmp_path: Path) -> None:
    assert len(import_graph(written(tmp_path, "plan.txt", PLAN), "hybridflow").graph) == 4
    assert len(import_graph(written(tmp_path, "w.dat", WORKFLOW), "wfformat").graph) == 4
    assert (
        len(import_graph(written(tmp_path, "g.dat", b"\xef\xbb\xbf" + json.dumps(PLAIN).encode()), "json").graph) == 3
    )
    with pytest.raises(GraphError, match=r"g\.dat: its name does not tell the format"):
        import_graph(tmp_path / "g.dat")


def test_an_imported_template_is_the_graph_of_the_file(tmp_path: Path) -> None:
    spec = template("imported", file=str(written(tmp_path, "plan.xml", PLAN)))
    assert drawn(spec, 1) == [import_graph(tmp_path / "plan.xml").graph]
    assert make_graph_sampler(spec, modalities()).mean_counts() == {(0, 0): 1, (1, 0): 2, (2, 0): 1}


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        import_graph(tmp_path / "none.json")


def steps(*attributes: str) -> str:
    return f"<Plan>{''.join(f'<Step {each}/>' for each in attributes)}</Plan>"


def one(**keys: Any) -> dict[str, Any]:
    return {"subtasks": [{"id": "a", **keys}]}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.xml", steps('ID="1" Rely="2"', 'ID="2" Rely="1"'), "in a circle: 1 -> 2 -> 1"),
        ("p.xml", steps('ID="1" Rely="7"'), "subtask '1' comes after '7', which does not exist"),
        ("p.xml", steps('ID="1"', 'ID="1"'), "two subtasks are called '1'"),
        ("p.xml", steps('Task="?"'), "step 1 needs a name 'ID'"),
        ("p.xml", steps('ID="1" Token="many"'), "step '1': 'Token' is no number"),
        ("p.xml", steps('ID="1" Difficulty="nan"'), "step '1': 'Difficulty' is no number"),
        ("p.xml", "<Plan></Plan>", "there is no <Step"),
        ("p.xml", "<Plan><Step ID='1'></Plan>", "no XML: mismatched tag"),
        ("p.xml", "", "no XML: no element found"),
        ("p.xml", '<?xml version="1.0" encoding="nonsense"?><Plan/>', "no XML: unknown encoding"),
        ("p.xml", LAUGHS, "a document type or entity is declared"),
        ("p.xml", LAUGHS.encode("utf-16"), "a document type or entity is declared"),
        ("p.xml", '<!DOCTYPE Plan SYSTEM "http://localhost/x.dtd"><Plan/>', "a document type or entity"),
        ("g.json", "{", "no JSON"),
        ("g.json", "[" * 200_000, "no JSON"),
        ("g.json", b"\xff\xfe", "no JSON"),
        ("g.json", "9" * 5000, "no JSON"),
        ("g.json", [1], "expected a map at the top"),
        ("g.json", {}, "the file needs a list of maps 'subtasks'"),
        ("g.json", {"subtasks": [3]}, "the file needs a list of maps 'subtasks'"),
        ("g.json", {"subtasks": []}, "at least one subtask"),
        ("g.json", {"subtasks": [{}]}, "subtask 1 needs a name 'id'"),
        ("g.json", one(after="a"), "subtask 'a': 'after' is not a list of names"),
        ("g.json", one(stage="think"), "subtask 'a': 'stage' is none of explain, analyze, generate"),
        ("g.json", one(modality=["text"]), "subtask 'a': 'modality' is none of text, image"),
        ("g.json", one(modality="image", stage="analyze"), "subtask 'a': only the first stage reads image"),
        ("g.json", one(demand=3), "subtask 'a': unknown key 'demand'; there are id, stage"),
        ("g.json", one(demand_s=-3), "subtask 'a': 'demand_s' is no number from 0"),
        ("g.json", one(demand_s=True), "subtask 'a': 'demand_s' is no number"),
        ("g.json", one(payload_bytes=[1]), "subtask 'a': 'payload_bytes' is no number"),
        ("g.json", '{"subtasks": [{"id": "a", "output_tokens": NaN}]}', "'output_tokens' is no number"),
        ("g.json", '{"subtasks": [{"id": "a", "output_tokens": 1' + "0" * 400 + "}]}", "'output_tokens' is no number"),
        ("w.json", {"workflow": 3}, "the file needs a map 'workflow'"),
        ("w.json", {"workflow": {"tasks": []}}, "workflow needs a map 'specification'"),
        ("g.json", {"subtasks": [{"id": k} for k in range(MOST_SUBTASKS + 1)]}, "10001 subtasks; at most 10000"),
        ("g.json", b" " * (LARGEST_FILE + 1), "larger than 20000000 bytes"),
    ],
)
def test_what_is_wrong_is_told_by_file_and_element(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(GraphError) as caught:
        import_graph(written(tmp_path, name, content))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        ({"id": "x", "children": ["y"]}, "task 'x' has the child 'y', which does not exist"),
        ({"id": "x", "parents": ["y"]}, "subtask 'x' comes after 'y', which does not exist"),
        ({"id": "x", "parents": ["j"], "children": ["s"]}, "in a circle: s -> x -> j -> a -> s"),
        ({"id": "s"}, "two subtasks are called 's'"),
        ({"id": "x", "inputFiles": "raw"}, "task 'x': 'inputFiles' is not a list of names"),
        ({}, "task 5 needs a name 'id'"),
    ],
)
def test_what_is_wrong_with_a_workflow_is_told(tmp_path: Path, task: dict[str, Any], message: str) -> None:
    workflow = json.loads(json.dumps(WORKFLOW))
    workflow["workflow"]["specification"]["tasks"].append(task)
    with pytest.raises(GraphError, match=message):
        import_graph(written(tmp_path, "w.json", workflow))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
keys = st.sampled_from(["id", "after", "stage", "parents", "children", "inputFiles", "demand_s", "sizeInBytes"])
items = st.lists(st.dictionaries(keys, values, max_size=4) | values, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.dictionaries(st.sampled_from(["subtasks", "workflow"]), items | values)
    | st.fixed_dictionaries({"tasks": items, "files": items | values}).map(
        lambda inner: {"workflow": {"specification": inner, "execution": inner}}
    )
)
def test_whatever_a_file_holds_it_gives_a_graph_or_a_graph_error(tmp_path: Path, data: Any) -> None:
    path = written(tmp_path, "any.json", data)
    for kind in (None, "json", "wfformat", "hybridflow"):
        try:
            found = import_graph(path, kind)
        except GraphError:
            continue
        assert len(found.graph) == len(found.hints) > 0
