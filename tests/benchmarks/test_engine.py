from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import agents, engine, recording
from benchmarks.offloading.comparison import smart_factory

SIZES = {"jobs": 120, "tasks": 8, "agent_tasks": 8, "rounds": 1}
ARGUMENTS = [f"--{name.replace('_', '-')}={number}" for name, number in SIZES.items()]


def test_a_page_and_a_file_of_numbers_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ciw")
    pytest.importorskip("salabim")
    engine.main([*ARGUMENTS, "--sections", "queues", "offloading", "records", "--out", str(tmp_path)])
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["sizes"] == SIZES
    assert len({row["checksum"] for row in results["queues"]["M/M/4"] if row["units"] == SIZES["jobs"]}) == 1
    page = (tmp_path / "results.md").read_text()
    assert capsys.readouterr().out == page + "\n"
    for heading in ("### M/M/1", "### M/M/4", "### round-robin", "### eft", "## Records"):
        assert heading in page


def test_what_is_not_installed_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "COMPARED", ("no_such_simulator",))
    with pytest.raises(SystemExit):
        engine.main(["--sections", "queues"])
    assert "not installed: no_such_simulator; python -m pip install -r" in capsys.readouterr().err


def test_every_decision_of_an_agent_is_timed_and_cheaper_than_the_run() -> None:
    (cost,) = agents.agent_costs(agents.scenario_of(8), 1, ["eft"])
    assert cost.name == "eft"
    assert 0.0 < cost.decision_us < cost.subtask_us < math.inf


def test_the_rows_of_a_run_are_recorded_once_each() -> None:
    scenario = smart_factory(20)
    jobs = recording.jobs_of(scenario)
    size = recording.size_on_disk(scenario, jobs)
    assert size.rows == len(jobs) == len({(job.task.number, job.subtask) for job in jobs})
    assert size.bytes > 20 * size.rows
