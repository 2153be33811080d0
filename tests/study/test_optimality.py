"""Agents are held against the bound of each instance, which is solved once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simoffload.agents.bounds.gaps import gaps
from simoffload.run.code import state_of_code
from simoffload.study import optimality
from simoffload.study.cells import Stopped
from simoffload.study.entrants import entrants
from simoffload.study.optimality import all_solved, gap_lines, measure_gaps
from simoffload.study.reading import Study, read_study
from simoffload.study.trainings import train

from .examples import MINI, AtOnce, write


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(optimality, "ProcessPoolExecutor", AtOnce)
    without = MINI.partition("budget:")[0] + "main:" + MINI.partition("main:")[2].partition("axes:")[0]
    asked = "gaps: {agents: [all-cloud, eft], scenario: static-small, instances: 2, effort: 200 ms}\n"
    return read_study(write(tmp_path, without.replace("learner", "eft").replace("[eft, eft,", "[eft,") + asked))


def test_ratios_are_those_of_the_bounds(study: Study, tmp_path: Path) -> None:
    measure_gaps(study, tmp_path, 1, lambda solved, total: True)
    lines = gap_lines(study, tmp_path)
    assert study.gaps is not None
    rows = gaps(study.gaps.scenarios, study.gaps.agents, study.gaps.effort_s)
    for line in lines:
        ratios = [row.ratio for row in rows if row.agent == line.agent]
        assert line.ratio.mean == pytest.approx(sum(ratios) / 2)
        assert line.worst == pytest.approx(max(ratios))
        assert line.proved == sum(row.optimum.status == "optimal" for row in rows if row.agent == line.agent)
    assert lines == sorted(lines, key=lambda line: line.ratio.mean)
    assert {line.agent for line in lines} == {"eft", "all-cloud"}


def test_what_is_solved_is_kept_and_not_solved_again(study: Study, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        measure_gaps(study, tmp_path, 1, lambda solved, total: False)
    kept = sorted((tmp_path / "gaps").iterdir())
    assert kept
    marked = {**json.loads(kept[0].read_bytes()), "bound": 0.5}
    kept[0].write_text(json.dumps(marked), encoding="utf-8")
    measure_gaps(study, tmp_path, 1, lambda solved, total: True)
    assert json.loads(kept[0].read_bytes()) == marked
    measure_gaps(study, tmp_path, 1, pytest.fail)


@pytest.mark.usefixtures("in_turn")
def test_a_scheme_counts_with_the_mean_of_its_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimality, "ProcessPoolExecutor", AtOnce)
    asked = "gaps: {agents: [learner, eft], scenario: static-small, instances: 2, effort: 200 ms}\n"
    study = read_study(write(tmp_path, MINI.partition("axes:")[0] + asked))
    for run in study.trainings:
        train(run, tmp_path / "trainings" / run.directory, 1, lambda share, text: True)
    measure_gaps(study, tmp_path, 1, lambda solved, total: True)
    solved, (one, two) = all_solved(study, tmp_path), entrants(study, "learner", tmp_path)
    assert one.key != two.key
    ratios = [(each.objectives[one.key] + each.objectives[two.key]) / 2 / each.bound for each in solved]
    (line,) = (line for line in gap_lines(study, tmp_path) if line.agent == "learner")
    assert line.ratio.mean == pytest.approx(sum(ratios) / 2)
    assert line.worst == pytest.approx(max(ratios))
    assert {each.code for each in solved} == {state_of_code()}
