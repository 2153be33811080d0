"""`simoffload study` leaves results that name how they were made, goes on where it stopped, and refuses early."""

from __future__ import annotations

import signal
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from simoffload.study import evaluation
from tests.study.conftest import in_turn
from tests.study.examples import MINI, write

from .program import invoke

__all__ = ["in_turn"]

RESULTS = {"results.md", "main.csv", "axis-rate.csv", "best-rule.csv", "figures", "trainings"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("in_turn")
def test_results_stand_in_the_directory_or_where_they_are_wanted() -> None:
    done = invoke("study", "mini.yaml", "--workers", "1")
    assert done.exit_code == 0
    page = Path("runs/study-mini/results/results.md")
    assert done.stdout == f"results  {page}\n"
    assert {path.name for path in page.parent.iterdir()} == RESULTS
    text = page.read_text(encoding="utf-8")
    assert "simoffload study mini.yaml --workers 1\n" in text
    assert "| wall time " in text
    assert "| versions " in text
    again = invoke("study", "mini.yaml", "--resume", "--results", "kept", "--workers", "1")
    assert again.exit_code == 0
    assert {path.name for path in Path("kept").iterdir()} == RESULTS
    assert (Path("kept") / "main.csv").read_bytes() == (page.parent / "main.csv").read_bytes()


def test_a_page_is_not_replaced_by_one_that_tells_of_less(elsewhere: Path) -> None:
    (elsewhere / "kept").mkdir()
    (elsewhere / "kept" / "axis-rate.csv").write_text("", encoding="utf-8")
    refused = invoke("study", "mini.yaml", "--only", "main", "--results", "kept")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--only: kept has axis-rate too, which would be lost; give other --results" in refused.stderr
    assert not Path("runs").exists()


@pytest.mark.usefixtures("in_turn")
def test_results_save_others_the_training() -> None:
    assert invoke("study", "mini.yaml", "--results", "kept", "--workers", "1").exit_code == 0
    again = invoke("study", "mini.yaml", "--out", "again", "--trained", "kept", "--workers", "1")
    assert again.exit_code == 0
    page = Path("again/results/results.md").read_text(encoding="utf-8")
    assert "simoffload study mini.yaml --workers 1 --out again --trained kept\n" in page
    assert Path("again/results/main.csv").read_bytes() == Path("kept/main.csv").read_bytes()


@pytest.mark.usefixtures("in_turn")
def test_an_interrupted_study_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    run, signals = evaluation._run, iter([signal.SIGINT])

    def interrupted(*arguments: object) -> object:
        for number in signals:
            signal.raise_signal(number)
        return run(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(evaluation, "_run", interrupted)
        stopped = invoke("study", "mini.yaml", "--workers", "1")
    assert (stopped.exit_code, stopped.stdout) == (130, "")
    assert "interrupted; go on with --resume, what is done is in runs/study-mini" in stopped.stderr
    assert invoke("study", "mini.yaml", "--resume", "--workers", "1").exit_code == 0


@pytest.mark.usefixtures("in_turn")
def test_a_worker_that_is_gone_is_told_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: object) -> object:
        raise BrokenProcessPool

    monkeypatch.setattr(evaluation, "_run", gone)
    done = invoke("study", "mini.yaml", "--workers", "1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "a worker has been ended from outside; go on with --resume" in done.stderr


def test_what_is_in_a_directory_is_gone_on_with_only_if_asked(elsewhere: Path) -> None:
    (elsewhere / "here").mkdir()
    (elsewhere / "here" / "mine").write_text("", encoding="utf-8")
    refused = invoke("study", "mini.yaml", "--out", "here")
    assert refused.exit_code == 2
    assert "here is not empty; give another --out, or --resume to go on there" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("study", "superiorty"), "did you mean 'superiority'?"),
        (("study", "wrong.yaml"), "wrong.yaml:8:"),
        (("study", "mini.yaml", "--workers", "0"), "--workers"),
        (("study", "mini.yaml", "--only", "axis"), "--only: the study has no part 'axis'; allowed: main, axes; did"),
        (("study", "mini.yaml", "--only", ","), "--only: names no part"),
        (("study", "mini.yaml", "--out", "mini.yaml"), "mini.yaml is not a directory"),
        (("study", "mini.yaml", "--results", "mini.yaml"), "mini.yaml is not a directory"),
        (("study", "mini.yaml", "--trained", "."), ". holds no trainings of a study"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_left(elsewhere: Path, arguments: tuple[str, ...], message: str) -> None:
    (elsewhere / "wrong.yaml").write_text(MINI.replace("scheme: ucb-coma", "scheme: sarsa"), encoding="utf-8")
    before = sorted(path.name for path in elsewhere.iterdir())
    refused = invoke(*arguments)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert message in refused.stderr
    assert sorted(path.name for path in elsewhere.iterdir()) == before
