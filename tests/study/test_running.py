"""A study trains and measures what is missing, no more, and ends the same however often it stops."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from simoffload.record.durable import RecordError
from simoffload.run.agents import load_agent
from simoffload.run.code import state_of_code
from simoffload.run.references import with_references
from simoffload.study import evaluation, running, trainings
from simoffload.study.cells import Cells, Stopped, outcome
from simoffload.study.entrants import entrants
from simoffload.study.evaluation import measure, wanted
from simoffload.study.lines import lines_of
from simoffload.study.reading import Study, read_study
from simoffload.study.report import MADE, write_results
from simoffload.study.running import Look, run_study
from simoffload.study.sittings import read_sittings
from simoffload.study.trainings import is_finished, states_of

from .examples import MINI, write

LASTING = ("code.json", "curve.csv", "finished.json", "policy.json", "policy.safetensors", "settings.json")
NO_TRAINING = MINI.replace("learner, eft", "eft").replace("subject: learner", "subject: eft")


def go_on(look: Look) -> bool:
    return True


def stop_after(looks: int) -> Callable[[Look], bool]:
    count = itertools.count(1)
    return lambda look: next(count) < looks


def done(study: Study, directory: Path) -> dict[str, bytes]:
    """The results of a study that is over: all files, the page without times."""
    write_results(study, directory, directory / "results", "simoffload study mini.yaml")
    files = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in (directory / "results").rglob("*")
        if path.is_file()
    }
    files["results/results.md"] = files["results/results.md"].partition(MADE.encode())[0]
    return files


@pytest.mark.usefixtures("in_turn")
def test_a_study_that_was_stopped_ends_with_the_same_results(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    looks: list[Look] = []
    run_study(study, tmp_path / "straight", 1, lambda look: not looks.append(look))  # type: ignore[func-returns-value]
    assert [look.share for look in looks] == sorted(look.share for look in looks)
    assert looks[-1].share == pytest.approx(1.0)
    assert looks[-1].text == "24 of 24 runs"
    assert "2 of 2 trainings over, learner-2, batch 1/1" in looks[1].text
    for looks_at in (3, 12):
        with pytest.raises(Stopped):
            run_study(study, tmp_path / "stopped", 1, stop_after(looks_at))
    run_study(study, tmp_path / "stopped", 1, go_on)
    assert done(study, tmp_path / "stopped") == done(study, tmp_path / "straight")
    assert set(done(study, tmp_path / "straight")) == {
        "results/results.md", "results/main.csv", "results/axis-rate.csv", "results/figures/main.png",
        "results/figures/axes.png", "results/figures/learning.png", "results/best-rule.csv",
        *(f"results/trainings/learner-{seed}/{name}" for seed in (1, 2) for name in LASTING),
    }  # fmt: skip
    assert [each.ended for each in read_sittings(tmp_path / "stopped")] == [True] * 3


@pytest.mark.usefixtures("in_turn")
def test_what_has_been_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = read_study(write(tmp_path))
    run_study(study, tmp_path / "study", 1, go_on)
    monkeypatch.setattr(evaluation, "ProcessPoolExecutor", None)
    run_study(study, tmp_path / "study", 1, pytest.fail)
    shorter = read_study(write(tmp_path, MINI.replace("count: 3", "count: 2")))
    run_study(shorter, tmp_path / "study", 1, pytest.fail)


@pytest.mark.usefixtures("in_turn")
def test_what_results_hold_of_its_trainings_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, old, new = read_study(write(tmp_path)), tmp_path / "old", tmp_path / "new"
    run_study(study, old, 1, go_on)
    results = done(study, old)
    with monkeypatch.context() as untaught:
        untaught.setattr(running, "train_all", lambda runs, workers, watch: pytest.fail(str(runs)) if runs else None)
        run_study(study, new, 1, go_on, old / "results")
    assert done(study, new) == results


@pytest.mark.usefixtures("in_turn")
def test_what_results_hold_of_other_trainings_is_left_there(tmp_path: Path) -> None:
    study, old, new = read_study(write(tmp_path)), tmp_path / "old", tmp_path / "new"
    run_study(study, old, 1, go_on)
    other = read_study(write(tmp_path, MINI.replace("c: 0.5", "c: 1")))
    run_study(other, new, 1, go_on, old)
    assert all(is_finished(run, new / "trainings" / run.directory) for run in other.trainings)


@pytest.mark.usefixtures("in_turn")
def test_a_scheme_counts_with_the_mean_of_its_trainings(tmp_path: Path) -> None:
    study = read_study(write(tmp_path))
    run_study(study, tmp_path, 1, go_on)
    lines = {line.agent: line for line in lines_of(study, study.main, Cells(tmp_path / "cells"), tmp_path)}
    scenario = with_references(study.main.places[0].scenario).model_copy(update={"seed": 101})
    played = [outcome(scenario, each.loads, lambda: True).objective for each in entrants(study, "learner", tmp_path)]
    assert lines["learner"].objectives[1] == pytest.approx(sum(played) / 2)
    assert set(lines["learner"].of_trainings) == {1, 2}
    assert sum(lines["learner"].of_trainings.values()) / 2 == pytest.approx(lines["learner"].objective.mean)
    assert lines["eft"].of_trainings == {}


@pytest.mark.usefixtures("in_turn")
def test_which_code_made_what_is_told_and_nothing_is_done_again_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = MINI.partition("axes:")[0].replace("batches: 1,", "batches: 2,")
    study, directory = read_study(write(tmp_path, text)), tmp_path / "study"

    def page() -> str:
        return write_results(study, directory, tmp_path / "results", "simoffload study").read_text(encoding="utf-8")

    with pytest.raises(Stopped):
        run_study(study, directory, 1, stop_after(1))
    with monkeypatch.context() as later:
        later.setattr(trainings, "state_of_code", lambda: "later")
        later.setattr(evaluation, "state_of_code", lambda: "later")
        run_study(study, directory, 1, go_on)
    assert [states_of(directory / "trainings" / run.directory) for run in study.trainings] == [
        (state_of_code(), "later"),
        ("later",),
    ]
    told = f"`later` made 1 training and 12 runs; `{state_of_code()}` and then `later` made 1 training."
    assert f"Not all was made by one known state of the code: {told}" in page()
    run_study(study, directory, 1, pytest.fail)
    for run in study.trainings:
        (directory / "trainings" / run.directory / "code.json").write_text('["later"]', encoding="utf-8")
    assert "All trainings and runs were made by one state of the code (`later`)." in page()


@pytest.mark.usefixtures("in_turn")
@pytest.mark.parametrize("name", ["finished.json", "code.json"])
@pytest.mark.parametrize("content", ["", "[]", "{}", "7", "null"])
def test_a_damaged_note_on_a_training_is_told(name: str, content: str, tmp_path: Path) -> None:
    study, directory = read_study(write(tmp_path, MINI.partition("axes:")[0])), tmp_path / "study"
    run_study(study, directory, 1, go_on)
    (directory / "trainings" / study.trainings[0].directory / name).write_text(content, encoding="utf-8")
    with pytest.raises(RecordError, match=rf"{name} is (damaged|not JSON)"):
        run_study(study, directory, 1, go_on)
        write_results(study, directory, tmp_path / "results", "simoffload study")


@pytest.mark.usefixtures("in_turn")
def test_a_training_of_other_settings_is_not_taken_for_this_one(tmp_path: Path) -> None:
    run_study(read_study(write(tmp_path)), tmp_path / "study", 1, go_on)
    other = read_study(write(tmp_path, MINI.replace("c: 0.5", "c: 1")))
    with pytest.raises(RecordError, match="learner-1 holds a training with other settings"):
        run_study(other, tmp_path / "study", 1, go_on)


def test_a_directory_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(RecordError, match=r"run holds no study, but 'manifest\.json'"):
        run_study(read_study(write(tmp_path)), tmp_path / "run", 1, go_on)
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["manifest.json"]


def test_two_workers_find_what_one_process_finds(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, NO_TRAINING.replace("trainings:\n  learner", "#")))
    scenarios, cells = wanted(study, tmp_path)
    known = Cells(tmp_path / "cells")
    measure(scenarios, cells, known, 2, lambda cell: True)
    for cell in cells:
        scenario = with_references(scenarios[cell.place]).model_copy(update={"seed": cell.seed})
        assert known[cell] == outcome(scenario, cell.loads, lambda: True)
        assert known.code_of(cell) == state_of_code()
    assert {cell.seed for cell in cells} == {100, 101, 102}
    assert load_agent(cells[0].loads).order


@pytest.mark.usefixtures("in_turn")
def test_what_a_cell_raises_is_raised(tmp_path: Path) -> None:
    study = read_study(write(tmp_path, NO_TRAINING.replace("tasks: 8\n", "tasks: 8\n  warm_up: 10 d\n")))
    with pytest.raises(RecordError, match="no task arrived after its warm-up"):
        run_study(study, tmp_path / "study", 1, go_on)


@pytest.mark.usefixtures("in_turn")
def test_a_policy_in_results_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    study, old = read_study(write(tmp_path, MINI.partition("axes:")[0])), tmp_path / "old"
    run_study(study, old, 1, go_on)
    policy = old / "trainings" / "learner-1" / "policy.safetensors"
    policy.unlink()
    policy.mkdir()
    with pytest.raises(RecordError, match=r"cannot read .*policy\.safetensors"):
        run_study(study, tmp_path / "new", 1, go_on, old)
