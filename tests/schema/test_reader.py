"""YAML is read by the rules of YAML 1.2, with every place known, and nothing in a file can do harm."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from simoffload.schema import ScenarioError, reader
from simoffload.schema.document import Source, Tree, plain
from simoffload.schema.reader import parse, parse_value, read_source, scalar


def tree_of(text: str) -> Tree:
    return parse_value(Source("t.yaml", text, Path("/plant")))


def value_of(text: str) -> Any:
    return plain(tree_of(text))


def told(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        tree_of(text)
    return [problem.headline for problem in caught.value.problems]


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LOADER", getattr(yaml, request.param))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1e6", 1e6),
        ("1E+6", 1e6),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2", -2),
        ("+2", 2),
        ("017", 17),
        ("08", 8),
        ("0o17", 15),
        ("0xff", 255),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("12:30:45", "12:30:45"),
        ("2026-11-24", "2026-11-24"),
        ("1_000", "1_000"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("'1'", "1"),
        ('"true"', "true"),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("!!float 5", 5),
        ("! 5", "5"),
        ("20 ms", "20 ms"),
        ("9" * 500, math.inf),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ('{"a": [true, null, "x\\ty"]}', {"a": [True, None, "x\ty"]}),
        ("5: a\ntrue: b\n~: c", {"5": "a", "true": "b", "~": "c"}),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(value_of(".nan"))


@pytest.mark.usefixtures("loader")
def test_every_key_and_value_knows_its_place() -> None:
    tree = tree_of("a: 1\nb:\n  - x\n  - {c:  2}\n")
    places = [tree.find(path).mark[1:] for path in (("a",), ("b", 0), ("b", 1, "c"))]
    assert places == [(1, 4), (3, 5), (4, 10)]
    assert tree.key_mark(("b",))[1:] == (2, 1)
    assert tree.key_mark(("b", 1, "c"))[1:] == (4, 6)
    assert tree.key_mark(("b", 1))[1:] == (4, 5)


def test_the_place_of_what_is_missing_is_that_of_what_would_hold_it() -> None:
    tree = tree_of("a:\n  - id: x\n")
    assert tree.find(("a", 0, "z", 3)).mark[1:] == (2, 5)
    assert tree.find(("a", 7)).mark[1:] == (2, 3)


def test_paths_name_list_items_by_their_id() -> None:
    tree = tree_of("a: [{id: x, b: 1}, {b: 2}, {id: 3}]")
    assert tree.where(("a", 0, "b")) == "a.x.b"
    assert tree.where(("a", 1, "b")) == "a.1.b"
    assert tree.where(("a", 2)) == "a.2"
    assert tree.where(("a", 0, "b", "value")) == "a.x.b"
    assert tree.where(("a", 0, "new")) == "a.x.new"
    assert tree.where(()) == ""


@pytest.mark.usefixtures("loader")
def test_every_duplicate_key_is_told_with_the_place_of_the_first() -> None:
    assert told("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "t.yaml:2:11: duplicate key 'c' (first in line 2)",
        "t.yaml:3:1: duplicate key 'a' (first in line 1)",
    ]


def test_an_alias_stands_for_its_anchor() -> None:
    assert value_of("a: &x {b: [1]}\nc: *x\n") == {"a": {"b": [1]}, "c": {"b": [1]}}


def test_a_merge_key_brings_in_keys_that_are_not_given() -> None:
    assert value_of("a: &x {p: 1, q: 2}\nb: &y {q: 3, r: 4}\nc: {<<: [*x, *y], p: 0}") == {
        "a": {"p": 1, "q": 2},
        "b": {"q": 3, "r": 4},
        "c": {"p": 0, "q": 2, "r": 4},
    }
    assert tree_of("a: &x\n  p: 1\nc:\n  <<: *x\n").key_mark(("c", "p"))[1:] == (2, 3)


def test_a_quoted_merge_key_is_a_key_like_any_other() -> None:
    assert value_of("'<<': {a: 1}") == {"<<": {"a": 1}}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: !!python/name:os.system x", "1:4: tag '!!python/name:os.system' is not allowed; write plain values"),
        ("a: !include x.yaml", "1:4: tag '!include' is not allowed; write plain values"),
        ("a: !!binary aGk=", "1:4: tag '!!binary' is not allowed; write plain values"),
        ("a: !!int many", "1:4: 'many' is no int, as its tag says"),
        ("a: *b", "1:4: alias '*b' has no anchor '&b' before it"),
        ("a: &a [*a]", "1:8: alias '*a' stands inside the value it is an alias of"),
        ("a: 1\n<<: 3", "2:1: '<<' merges a map, or a list of maps, into this one"),
        ("? [a, b]\n: 1", "1:3: a list cannot be a key"),
        ("? {a: b}\n: 1", "1:3: a map cannot be a key"),
        ("&a x: 1\n*a : 2", "2:1: an alias cannot stand for a key"),
        ("a: 1\n---\nb: 1", "2:1: a second document starts here; a scenario is one document"),
        ("a: b: c", "1:5: not valid YAML: a second ':' in one line; quote the text that holds it, or start a new line"),
        ("a:\n\tb: 1", "2:1: not valid YAML: a tab indents this line; use spaces"),
        ("[" * 100, "1:65: nested more than 64 levels deep"),
        ("a: \x07", "1:4: character '\\x07' cannot stand in a YAML file"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_and_where(text: str, message: str) -> None:
    assert told(text) == [f"t.yaml:{message}"]


def test_an_unclosed_bracket_is_told_with_the_place_where_it_opens() -> None:
    (line,) = told("a: 1\nb: [1,\nc: 2\n")
    assert line.startswith(("t.yaml:3:2: not valid YAML:", "t.yaml:4:1: not valid YAML:"))
    assert line.endswith("that starts in line 2)")


def test_aliases_that_multiply_are_stopped() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert told("\n".join(lines)) == ["t.yaml:7:5: its aliases expand to more than 2000000 values"]


def test_aliases_that_nest_deeply_are_stopped() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 1000))]
    (line,) = told("\n".join(lines))
    assert line.endswith("nested more than 64 levels deep")


def test_only_a_map_is_a_scenario() -> None:
    for text, message in (
        ("", "is empty"),
        ("# only a remark", "is empty"),
        ("[1]", "expected keys and values at the top"),
    ):
        with pytest.raises(ScenarioError, match=message):
            parse(Source("t.yaml", text, Path()))


def test_a_file_named_in_a_file_is_seen_from_there() -> None:
    assert value_of("x: {file: a.csv}\nfile: [1]") == {"x": {"file": "/plant/a.csv"}, "file": [1]}
    assert value_of("file: /data/a.csv") == {"file": "/data/a.csv"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "is not UTF-8 text: byte 0xff in line 1"),
        (b"a: 1\nb: caf\xe9\n", "is not UTF-8 text: byte 0xe9 in line 2"),
        (b"PK\x00\x03", "is a binary file; a scenario is UTF-8 text"),
        (b"# " + b"x" * reader.LARGEST_FILE, "is larger than 32 MiB; a scenario is text and far smaller"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(data)
    with pytest.raises(ScenarioError) as caught:
        read_source(path)
    assert str(caught.value) == f"{path}: {message}"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, message in (
        ("", "is a directory, not a file"),
        ("none.yaml", "no such file"),
        ("pipe", "is not a regular file"),
        ("a\x00b", "cannot be read: embedded null byte"),
        ("x" * 300, "cannot be read: File name too long"),
    ):
        with pytest.raises(ScenarioError) as caught:
            read_source(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {message}".replace("\x00", "\\x00")


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    tree = parse(read_source(path))
    assert plain(tree) == {"a": 1, "b": 2}
    assert tree.key_mark(("a",))[1:] == (1, 1)


def test_a_document_longer_than_its_lines_still_shows_them() -> None:
    source = Source("t", "a: 1\r\nb: 2\u2028c: 3", Path())
    assert [source.line(number) for number in range(5)] == ["", "a: 1", "b: 2", "c: 3", ""]


json_like = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(max_size=80))
def test_any_text_gives_a_tree_or_an_error_with_places(text: str) -> None:
    try:
        tree_of(text)
    except ScenarioError as error:
        assert error.problems
        assert str(error)


@given(st.text(alphabet="ab:-{}[]&*!'\"#|>%@`? \n\t,<~0.e", max_size=60))
def test_any_mix_of_yaml_signs_gives_a_tree_or_an_error(text: str) -> None:
    try:
        tree_of(text)
    except ScenarioError as error:
        assert str(error)


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 5000])
def test_a_whole_number_beyond_all_floats_is_infinite(text: str) -> None:
    assert scalar(text) == math.inf
