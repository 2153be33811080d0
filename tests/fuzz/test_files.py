"""Traces, graphs and policies that have been damaged in any way are refused by name, or they can be read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simoffload.agents.policy_file import read_policy, write_policy
from simoffload.record.durable import RecordError
from simoffload.run.agents import AgentError, load_agent
from simoffload.tasks import GraphError, import_graph
from simoffload.traces import TraceError, read_rates, read_requests
from simoffload.traces.lines import rows_of
from tests.agents.learning.episodes import heads
from tests.traces.samples import RATES, REQUESTS

from .inputs import NASTY, QUICK, answered, damaged, paths, replaced

GRAPHS = {
    "json": b'{"subtasks": [{"id": "a", "prompt_tokens": 3}, {"id": "b", "after": ["a"], "demand_s": 1.5}]}',
    "wfformat": b'{"workflow": {"specification": {"tasks": [{"id": "a", "parents": [], "children": ["b"]}, '
    b'{"id": "b", "parents": ["a"], "children": [], "inputFiles": ["f"]}], "files": [{"id": "f", "sizeInBytes": 9}]}, '
    b'"execution": {"tasks": [{"id": "a", "runtimeInSeconds": 2}]}}}',
    "hybridflow": b'<Plan><Step ID="1" Task="x" Difficulty="3" Token="30" Rely=""/><Step ID="2" Rely="1"/></Plan>',
}


@QUICK
@given(data=st.data())
def test_requests_that_are_damaged_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(sorted(REQUESTS)))
    file = tmp_path / "trace"
    file.write_bytes(data.draw(damaged(REQUESTS[format].encode())))
    for wanted in (None, format):
        try:
            read_requests(file, wanted)
        except TraceError as error:
            assert str(file) in str(error)


@QUICK
@given(data=st.data())
def test_rates_that_are_damaged_are_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(sorted(RATES)))
    file = tmp_path / "trace"
    file.write_bytes(data.draw(damaged(RATES[format].encode())))
    for wanted in (None, format):
        try:
            read_rates(file, wanted)
        except TraceError as error:
            assert str(file) in str(error)


@pytest.mark.parametrize(
    "content",
    [
        b",".join(b"c%d" % number for number in range(300_000)) + b"\n",
        b"x" * 3_000_000,
        b'time_s,prompt_tokens,output_tokens\n"' + b'x\n","' * 400_000,
        b"\x1f\x8b\x08" + bytes(100),
        bytes(1000),
    ],
    ids=["columns", "line", "row", "gzip", "zeros"],
)
def test_a_trace_of_an_absurd_shape_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "trace.csv"
    file.write_bytes(content)
    assert answered("trace", "info", str(file), "--format", "csv") == 2
    assert answered("trace", "info", str(file)) == 2


def test_a_row_that_never_ends_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text('a,b\n"' + 'x\n","' * 400_000)
    with pytest.raises(
        TraceError, match=r"trace\.csv:\d+: a row of more than 1000000 characters; is a quote not closed"
    ):
        list(rows_of(str(file)))


@pytest.mark.parametrize("kind", ["directory", "pipe", "nothing"])
def test_what_is_no_trace_file_is_refused(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "trace"
    if kind == "directory":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    assert answered("trace", "info", str(file)) == 2
    setting = f"workloads.request.arrivals={{kind: trace, file: {file}}}"
    assert answered("validate", "tiny", "--set", setting) == 2


@QUICK
@given(data=st.data())
def test_a_graph_that_is_damaged_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(sorted(GRAPHS)))
    file = tmp_path / ("plan.xml" if format == "hybridflow" else "graph.json")
    file.write_bytes(data.draw(damaged(GRAPHS[format])))
    try:
        import_graph(file, data.draw(st.sampled_from([None, format])))
    except GraphError as error:
        assert str(file) in str(error)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    write_policy(tmp_path / "policy", heads(), {"seed": 7})
    return tmp_path / "policy"


@QUICK
@given(data=st.data())
def test_a_policy_that_is_damaged_is_read_or_refused(policy: Path, data: st.DataObject) -> None:
    file = policy.with_suffix(data.draw(st.sampled_from([".json", ".safetensors"])))
    content = file.read_bytes()
    file.write_bytes(data.draw(damaged(content)))
    try:
        read_policy(policy)
    except RecordError as error:
        assert str(policy) in str(error)
    finally:
        file.write_bytes(content)


@QUICK
@given(data=st.data())
def test_a_policy_whose_card_has_a_nasty_value_is_read_or_refused(policy: Path, data: st.DataObject) -> None:
    file = policy.with_suffix(".json")
    card: Any = json.loads(file.read_bytes())
    changed = replaced(card, data.draw(st.sampled_from(paths(card))), data.draw(st.sampled_from(NASTY[:-12])))
    file.write_text(json.dumps(changed), encoding="utf-8")
    try:
        read_policy(policy)
    except RecordError as error:
        assert str(policy) in str(error)
    finally:
        file.write_text(json.dumps(card), encoding="utf-8")


@QUICK
@given(dtype=st.sampled_from(["F64", "F16", "BF16", "F8_E4M3", "I64", "BOOL", "U8", "X9"]), size=st.integers(-1, 9))
def test_weights_of_another_type_are_read_or_refused(policy: Path, dtype: str, size: int) -> None:
    content = policy.with_suffix(".safetensors").read_bytes()
    header = json.dumps({"position.mean": {"dtype": dtype, "shape": [size], "data_offsets": [0, 8]}}).encode()
    policy.with_suffix(".safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(RecordError, match=r"policy\.safetensors"):
        read_policy(policy)
    policy.with_suffix(".safetensors").write_bytes(content)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
def test_a_policy_that_is_a_pipe_is_refused(policy: Path, suffix: str) -> None:
    policy.with_suffix(suffix).unlink()
    os.mkfifo(policy.with_suffix(suffix))
    with pytest.raises(RecordError, match="it is not a regular file"):
        read_policy(policy)


@pytest.mark.parametrize("argument", ["", ".", "/", "\x00", "a" * 5000, "\ud800"])
def test_a_name_that_no_policy_can_have_is_refused(argument: str) -> None:
    with pytest.raises(AgentError, match="cannot be made"):
        load_agent(f"trained:{argument}")
