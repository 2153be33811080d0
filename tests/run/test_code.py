"""The state of the code is that of all sources that decide results, by their content."""

from __future__ import annotations

from pathlib import Path

import simoffload
from simoffload.record.digests import digest_of
from simoffload.run.code import deciding_sources, state_of_code

ROOT = Path(simoffload.__file__).parent


def test_sources_that_decide_results_are_of_it_and_others_are_not() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in deciding_sources()}
    assert {
        "agents/learning/coma.py", "agents/earliest_finish.py", "decision/dispatcher.py", "world/kernel.py", "laws.py",
        "run/recorder.py", "record/sketch.py", "schema/catalogue/laws.yaml", "tasks/__init__.py", "study/cells.py",
    } <= names  # fmt: skip
    assert not {name for name in names if name.startswith(("environments/", "analysis/", "cli/", "record/durable"))}
    assert len(names) == len(deciding_sources())
    assert state_of_code() == digest_of(deciding_sources())


def test_another_content_or_name_is_another_state(tmp_path: Path) -> None:
    one, two = tmp_path / "one.py", tmp_path / "two.py"
    one.write_bytes(b"x = 1")
    two.write_bytes(b"x = 1")
    before = digest_of([one])
    assert digest_of([two]) != before
    one.write_bytes(b"x = 2")
    assert digest_of([one]) != before
