"""Figures of a study stay readable, and show what the lines say."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from simoffload.analysis.palette import save_png
from simoffload.study.figures import axes_figure, relative, schemes_figure
from simoffload.study.lines import Line
from simoffload.study.reading import Place, Study, Survey, read_study
from tests.analysis.pictures import assert_readable, tick_names

from .examples import lines_at, write

AGENTS = {"learner": -0.1, "eft": 0.0, "all-cloud": 30.0}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return read_study(write(tmp_path))


def lines(at: float | str) -> list[Line]:
    generator = random.Random(str(at))
    base = [1 + generator.gauss(0, 0.1) for _ in range(10)]
    objectives = {name: [each * (1 + gain) for each in base] for name, gain in AGENTS.items()}
    return lines_at(at, "learner", objectives)


def axis(study: Study, title: str, points: list[float | str]) -> tuple[Survey, list[Line]]:
    scenario = study.main.places[0].scenario
    survey = replace(study.main, title=title, places=tuple(Place(at, scenario) for at in points))
    return survey, [line for at in points for line in lines(at)]


def test_schemes_stand_from_best_to_worst() -> None:
    figure = schemes_figure(lines(""), "learner")
    assert_readable(figure)
    assert tick_names(figure.axes[0]) == ["learner", "eft", "all-cloud"]


def test_every_axis_has_a_panel_in_which_the_best_rule_is_0(study: Study) -> None:
    figure = axes_figure(
        study, [axis(study, "rate", [0.5, 1, 2]), axis(study, "kind", ["a", "b"]), axis(study, "x", [1, 9])]
    )
    assert_readable(figure)
    panels = [panel for panel in figure.axes if panel.get_visible()]
    assert [panel.get_title(loc="left") for panel in panels] == ["rate", "kind", "x"]
    drawn = [[float(y) for y in line.get_ydata()] for line in panels[0].get_lines() if len(line.get_ydata()) == 3]  # type: ignore[arg-type]
    assert drawn[0] == pytest.approx([-10.0] * 3)
    assert drawn[1] == [0.0] * 3
    assert drawn[2] == pytest.approx([3000.0] * 3)
    assert [label.get_text() for label in panels[1].get_xticklabels()] == ["a", "b"]


def test_rules_are_alike_and_the_interval_is_of_the_subject(study: Study) -> None:
    figure = axes_figure(study, [axis(study, "rate", [0.5, 1, 2])])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["learner", "rules"]
    (panel,) = [panel for panel in figure.axes if panel.get_visible()]
    rules = [line for line in panel.get_lines() if len(line.get_ydata()) == 3][1:]  # type: ignore[arg-type]
    assert len({(line.get_color(), line.get_linewidth()) for line in rules}) == 1
    assert len(panel.collections) == 1


def test_a_rule_that_is_the_subject_is_drawn_as_the_subject(study: Study) -> None:
    survey, found = axis(study, "rate", [0.5, 1, 2])
    figure = axes_figure(study, [(replace(survey, subject="eft"), found)])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["learner", "eft", "rules"]


def test_a_panel_reaches_as_far_as_the_subject(study: Study) -> None:
    survey, found = axis(study, "rate", [0.5, 1])
    low, high = axes_figure(study, [(survey, found)]).axes[0].get_ylim()
    assert low < -10 < 15 < high < 20
    behind = {"learner": [1.4, 1.41, 1.42], "eft": [1.0, 1.01, 1.03], "all-cloud": [9.0, 9.1, 9.3]}
    worse = [line for at in (0.5, 1) for line in lines_at(at, "learner", behind)]
    low, high = axes_figure(study, [(survey, worse)]).axes[0].get_ylim()
    assert low == -2 and 40 < high < 50


def test_points_that_differ_by_factors_stand_at_equal_distances_and_others_to_scale(study: Study) -> None:
    figure = axes_figure(
        study, [axis(study, "rate", [0.005, 0.015, 0.03, 0.05, 0.07, 0.09]), axis(study, "age", [0, 2, 5, 10, 20])]
    )
    assert_readable(figure)
    assert [panel.get_xticks().tolist() for panel in figure.axes[:2]] == [[0, 1, 2, 3, 4, 5], [0, 2, 5, 10, 20]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [
        "0.005",
        "0.015",
        "0.03",
        "0.05",
        "0.07",
        "0.09",
    ]


def test_a_relative_objective_is_paired(study: Study) -> None:
    found = {line.agent: line for line in lines("")}
    share = relative(found["learner"], found["eft"])
    assert share.mean == pytest.approx(-10.0)
    assert share.half_width < found["learner"].objective.half_width * 100 / 5


def test_the_same_figure_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        save_png(schemes_figure(lines(""), "learner"), tmp_path / f"{name}.png")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
