"""`simoffload report` draws the report of a run or a comparison again from what is on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.record.manifest import MANIFEST_FILE

from ..analysis.synthetic import Behaviour, write_comparison, write_run
from .program import invoke


def test_a_comparison_gets_its_report(tmp_path: Path) -> None:
    directory = write_comparison(tmp_path / "c", {"eft": Behaviour(), "all-edge": Behaviour(wait_s=3)}, seeds=(7, 8))
    done = invoke("report", str(directory))
    assert (done.exit_code, done.stdout) == (0, f"{directory / 'report.html'}\n")
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert "all-edge" in page
    assert (directory / "figures" / "objective.png").is_file()


def test_a_run_gets_its_report_in_place_of_an_older_one(tmp_path: Path) -> None:
    directory = tmp_path / "r"
    write_run(directory, "eft", Behaviour())
    (directory / "report.html").write_text("old", encoding="utf-8")
    assert invoke("report", str(directory)).exit_code == 0
    assert "eft" in (directory / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [".", "nowhere"])
def test_a_directory_without_results_is_refused(name: str, tmp_path: Path) -> None:
    refused = invoke("report", str(tmp_path / name))
    assert refused.exit_code == 2
    assert refused.stderr.endswith("is no result: it has neither comparison.json nor manifest.json\n")


def test_a_broken_result_is_named_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / MANIFEST_FILE).write_text("{", encoding="utf-8")
    failed = invoke("report", str(tmp_path))
    assert failed.exit_code == 1
    assert f"{tmp_path / MANIFEST_FILE} is not JSON" in failed.stderr
