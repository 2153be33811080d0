"""`simoffload schema` hands out the schema that the loader goes by."""

from __future__ import annotations

import json
from pathlib import Path

from simoffload.schema import json_schema

from .program import invoke


def test_it_prints_the_schema_as_json() -> None:
    assert json.loads(invoke("schema").stdout) == json_schema()


def test_it_writes_the_schema_to_a_file_in_place_of_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "scenario.schema.json"
    path.write_text("old", encoding="utf-8")
    written = invoke("schema", "--out", str(path))
    assert (written.exit_code, written.stdout) == (0, f"{path}\n")
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    failed = invoke("schema", "--out", str(tmp_path / "nowhere" / "x.json"))
    assert failed.exit_code == 1
    assert f"cannot write {tmp_path / 'nowhere' / 'x.json'}: No such file or directory" in failed.stderr
