"""Results never go over others, and a directory that nothing was put into does not stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from simoffload.cli.directories import claimed, directory_faults
from simoffload.cli.refusals import Refused


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _claim(out: Path | None, name: str = "tiny") -> Path:
    """Claim a directory and put something into it."""
    with claimed(out, name) as directory:
        (directory / "result").write_text("x", encoding="utf-8")
    return directory


def test_results_get_a_new_number_each_time() -> None:
    assert [_claim(None) for _ in range(3)] == [Path("runs/tiny"), Path("runs/tiny-2"), Path("runs/tiny-3")]
    assert _claim(None, "other") == Path("runs/other")


def test_two_that_run_at_once_get_two_directories() -> None:
    with claimed(None, "tiny") as one, claimed(None, "tiny") as other:
        assert one != other


def test_a_directory_with_a_name_is_made_with_those_above_it(elsewhere: Path) -> None:
    assert _claim(Path("a/b/c")) == Path("a/b/c")
    assert (elsewhere / "a/b/c/result").is_file()


@pytest.mark.parametrize("out", [None, Path("a/b")])
def test_a_directory_made_for_nothing_is_removed_again(out: Path | None, elsewhere: Path) -> None:
    with pytest.raises(RuntimeError), claimed(out, "tiny") as directory:
        assert directory.is_dir()
        raise RuntimeError
    assert not directory.exists()


def test_an_empty_directory_that_was_there_stays(elsewhere: Path) -> None:
    (elsewhere / "mine").mkdir()
    with claimed(Path("mine"), "tiny"):
        pass
    assert (elsewhere / "mine").is_dir()


def test_only_a_new_or_empty_directory_will_do(elsewhere: Path) -> None:
    (elsewhere / "empty").mkdir()
    assert directory_faults(None) == directory_faults(Path("new/one")) == directory_faults(Path("empty")) == []
    _claim(Path("full"))
    assert directory_faults(Path("full")) == [
        "--out: 'full' is not empty; name another directory or remove this one",
    ]
    assert directory_faults(Path("full/result")) == ["--out: 'full/result' is not a directory"]


def test_a_directory_that_cannot_be_made_is_refused(elsewhere: Path) -> None:
    (elsewhere / "runs").write_text("", encoding="utf-8")
    with pytest.raises(Refused, match="cannot make the directory 'runs/tiny': File exists"), claimed(None, "tiny"):
        pass
    with pytest.raises(Refused, match="'runs/x': Not a directory"), claimed(Path("runs/x"), "tiny"):
        pass


def test_a_name_with_odd_characters_makes_one_directory_within_runs() -> None:
    with claimed(None, "tiny-trained:runs/../x y-1") as directory:
        assert directory == Path("runs/tiny-trained-runs-..-x-y-1")
        assert directory.is_dir()
